/**
 * The catalogue of events: every type that travels, who emits it and who consumes it.
 * Triggers in eventing/ are compared with this table by test/unit/manifests.test.ts.
 *
 * An event is a doorbell: a handler takes the id in `subject` and reads everything else from the row, so a forged,
 * repeated or reordered event can only hasten work that was due. No function emits a type it consumes.
 */
import { CloudEvent } from 'cloudevents';

export type FunctionName = 'receive' | 'classify' | 'suppress-check' | 'notify' | 'build-digest' | 'console';

interface EventEntry {
  /** What happened, in one sentence, for docs/events.md. */
  readonly meaning: string;
  readonly emittedBy: readonly FunctionName[];
  /** The functions with a Trigger on this type; empty for events that only tell the outside. */
  readonly consumedBy: readonly FunctionName[];
}

/** Event type → meaning, emitters, consumers. Emitters include receive wherever its sweep repeats a lost step. */
export const EVENTS = {
  'dev.alertgest.notice.received': {
    meaning: 'A piece of news about an incident was stored.',
    emittedBy: ['receive'],
    consumedBy: ['classify'],
  },
  'dev.alertgest.notice.classified': {
    meaning: 'The notice has its category, or the step was skipped and it says so.',
    emittedBy: ['classify', 'receive', 'notify'],
    consumedBy: ['suppress-check'],
  },
  'dev.alertgest.notice.admitted': {
    meaning: 'Somebody is to be told.',
    emittedBy: ['suppress-check', 'receive'],
    consumedBy: ['notify'],
  },
  'dev.alertgest.notice.suppressed': {
    meaning: 'Nobody is told, and the reason is stored.',
    emittedBy: ['suppress-check', 'notify'],
    consumedBy: [],
  },
  'dev.alertgest.notice.held': {
    meaning: 'The notice waits for a summary (a storm or flapping batch, or a capture window).',
    emittedBy: ['suppress-check'],
    consumedBy: [],
  },
  'dev.alertgest.notice.notified': {
    meaning: 'Every delivery of the notice is final and at least one was sent.',
    emittedBy: ['notify'],
    consumedBy: [],
  },
  'dev.alertgest.notice.dead': {
    meaning: 'Every delivery of the notice failed for good.',
    emittedBy: ['notify'],
    consumedBy: [],
  },
  'dev.alertgest.delivery.due': {
    meaning: 'A delivery is to be tried again.',
    emittedBy: ['receive'],
    consumedBy: ['notify'],
  },
  'dev.alertgest.digest.due': {
    meaning: 'A closed capture window has no digest yet.',
    emittedBy: ['receive', 'console'],
    consumedBy: ['build-digest'],
  },
  'dev.alertgest.digest.built': {
    meaning: 'The counts of a capture window are stored.',
    emittedBy: ['build-digest'],
    consumedBy: [],
  },
  /** PingSource ticks; told apart by the extension `tick` (`sweep` or `digest`). */
  'dev.knative.sources.ping': {
    meaning: 'A scheduled tick.',
    emittedBy: [],
    consumedBy: ['receive', 'build-digest'],
  },
} as const satisfies Record<string, EventEntry>;

export type EventType = keyof typeof EVENTS;

/** Whether a string is a type of the catalogue. */
export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type);
}

/** What every function needs to say about itself in the events it emits. */
export interface EventSource {
  /** Configured cluster name; part of `source`, so that two clusters on one broker stay apart. */
  readonly cluster: string;
  readonly name: FunctionName;
}

/** The facts of a notice that people and Trigger filters want to see; the row stays the truth. */
export interface NoticeData {
  readonly notice: string;
  readonly kind: string;
  readonly status: string;
  readonly reason?: string | null;
  readonly incident: string;
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly category?: string | null;
  readonly summary: string;
  readonly receivedAt: string;
  readonly openEpisodes: number;
  /** At most 20 of the alerts behind the notice, their labels only. */
  readonly alerts: ReadonlyArray<Record<string, string>>;
}

/**
 * Makes an event of the catalogue. `step` and `subject` make the id, so the same step of the same row is the same
 * event however often it is emitted. Attributes are ASCII (header values are not percent-encoded on the way).
 */
export function createEvent<T extends object>(
  type: EventType,
  source: EventSource,
  subject: string,
  step: string,
  data: T,
  extensions: { severity?: string; pattern?: string; partitionkey?: string; traceparent?: string } = {},
): CloudEvent<T> {
  return new CloudEvent<T>({
    type,
    source: `/alertgest/${source.cluster}/${source.name}`,
    id: `${subject}.${step}`,
    subject,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
    ...Object.fromEntries(
      Object.entries(extensions).filter(([, value]) => value !== undefined && value !== ''),
    ),
  });
}

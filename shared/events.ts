/**
 * The catalogue of events: every type that travels, who emits it and who consumes it.
 * Triggers in eventing/ are compared with this table by test/unit/manifests.test.ts.
 *
 * An event is a doorbell: a handler takes the id in `subject` and reads everything else from the row, so a forged,
 * repeated or reordered event can only hasten work that was due. No function emits a type it consumes.
 */
import { CloudEvent } from 'cloudevents';
import * as z from 'zod';

export type FunctionName = 'receive' | 'classify' | 'suppress-check' | 'notify' | 'build-digest' | 'console';

/** The facts of a notice that people and Trigger filters want to see; the row stays the truth. */
export const noticeDataSchema = z.object({
  notice: z.string().describe('id of the notice: the incident and what happened'),
  kind: z.string().describe('opened, grew, resolved or due'),
  status: z.string().describe('received, classified, admitted, held, suppressed, notified, digested or dead'),
  reason: z.string().nullish().describe('why it was suppressed or held, one word'),
  incident: z.string().describe('id of the incident, as providers know it'),
  pattern: z.string().describe('what makes alerts the same issue'),
  alertname: z.string(),
  severity: z.string().describe('critical, warning, info, none or unknown'),
  namespace: z.string().nullable(),
  category: z.string().nullish(),
  summary: z.string().describe('at most 500 characters'),
  receivedAt: z.string().describe('RFC 3339'),
  openEpisodes: z.number().describe('alerts of the incident that fire'),
  alerts: z.array(z.record(z.string(), z.string())).describe('labels of at most 20 of the alerts'),
});
export type NoticeData = Readonly<z.infer<typeof noticeDataSchema>>;

const countsSchema = z.object({ episodes: z.number(), firing: z.number(), resolved: z.number() });

/** The counts of a span of received alerts. */
export const episodeCountsSchema = countsSchema.extend({
  patterns: z.number(),
  issues: z.number().describe('patterns that are no heartbeats'),
  bySeverity: z.record(z.string(), countsSchema),
  byType: z.record(z.string(), countsSchema).describe('by alertname'),
  byTypeAndSeverity: z.array(countsSchema.extend({ type: z.string(), severity: z.string() })),
});

/** What build-digest answers. */
export const digestBuiltSchema = z.object({
  from: z.string().describe('RFC 3339, inclusive'),
  to: z.string().describe('RFC 3339, exclusive'),
  zone: z.string().describe('IANA time zone of the window'),
  counts: episodeCountsSchema,
  text: z.string().describe('the counts as a person reads them'),
});

const digestDueSchema = z.object({ from: z.string().optional(), to: z.string().optional() });
const tickSchema = z.object({});

interface EventEntry {
  /** What happened, in one sentence, for docs/events.md. */
  readonly meaning: string;
  readonly emittedBy: readonly FunctionName[];
  /** The functions with a Trigger on this type; empty for events that only tell the outside. */
  readonly consumedBy: readonly FunctionName[];
  /** Shape of the event's data. */
  readonly data: z.ZodType;
}

/** Event type → meaning, emitters, consumers, data. Emitters include receive wherever its sweep repeats a lost step. */
export const EVENTS = {
  'dev.alertgest.notice.received': {
    meaning: 'A piece of news about an incident was stored.',
    emittedBy: ['receive', 'console'],
    consumedBy: ['classify'],
    data: noticeDataSchema,
  },
  'dev.alertgest.notice.classified': {
    meaning: 'The notice has its category, or the step was skipped and it says so.',
    emittedBy: ['classify', 'receive', 'notify'],
    consumedBy: ['suppress-check'],
    data: noticeDataSchema,
  },
  'dev.alertgest.notice.admitted': {
    meaning: 'Somebody is to be told.',
    emittedBy: ['suppress-check', 'receive'],
    consumedBy: ['notify'],
    data: noticeDataSchema,
  },
  'dev.alertgest.notice.suppressed': {
    meaning: 'Nobody is told, and the reason is stored.',
    emittedBy: ['suppress-check', 'notify'],
    consumedBy: [],
    data: noticeDataSchema,
  },
  'dev.alertgest.notice.held': {
    meaning: 'The notice waits for the summary of a storm or of a flapping issue.',
    emittedBy: ['suppress-check'],
    consumedBy: [],
    data: noticeDataSchema,
  },
  'dev.alertgest.notice.notified': {
    meaning: 'Every delivery of the notice is final and at least one was sent.',
    emittedBy: ['notify'],
    consumedBy: [],
    data: noticeDataSchema,
  },
  'dev.alertgest.notice.dead': {
    meaning: 'Every delivery of the notice failed for good.',
    emittedBy: ['notify'],
    consumedBy: [],
    data: noticeDataSchema,
  },
  'dev.alertgest.delivery.due': {
    meaning: 'A delivery is to be tried again.',
    emittedBy: ['receive', 'console'],
    consumedBy: ['notify'],
    data: noticeDataSchema,
  },
  'dev.alertgest.digest.due': {
    meaning: 'A span is to be counted; without "from" and "to" the last closed capture window.',
    emittedBy: [],
    consumedBy: ['build-digest'],
    data: digestDueSchema,
  },
  'dev.alertgest.digest.built': {
    meaning: 'The counts of a capture window are stored.',
    emittedBy: ['build-digest'],
    consumedBy: [],
    data: digestBuiltSchema,
  },
  /** PingSource ticks; told apart by the extension `tick` (`sweep` or `digest`). */
  'dev.knative.sources.ping': {
    meaning: 'A scheduled tick.',
    emittedBy: [],
    consumedBy: ['receive', 'build-digest'],
    data: tickSchema,
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

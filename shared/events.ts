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
  digest: z.string().nullable().describe('id of the stored digest; null for a dry run'),
  name: z.string().describe('whose digest: "all", or a name of the routes file'),
  level: z.string().describe('urgent, attention, look, calm or silent'),
  verdict: z.string().describe('the night in one sentence'),
  from: z.string().describe('RFC 3339, inclusive'),
  to: z.string().describe('RFC 3339, exclusive'),
  zone: z.string().describe('IANA time zone of the window'),
  counts: episodeCountsSchema,
  text: z.string().describe('the digest as a person reads it'),
});

/** What became of a digest. */
export const digestDeliveredSchema = z.object({
  digest: z.string().describe('id of the stored digest'),
  from: z.string().describe('RFC 3339, inclusive'),
  to: z.string().describe('RFC 3339, exclusive'),
  status: z.string().describe('sent, dead or kept'),
  reason: z.string().nullable().describe('why nobody was told'),
});

/** What became of a pattern's explanation. Suggestions are shown to people and acted on by nobody. */
export const explainedSchema = z.object({
  notice: z.string().describe('the notice that brought the pattern'),
  pattern: z.string(),
  source: z.enum(['model', 'cache', 'none']).describe('asked now, known from before, or no explanation'),
  why: z.string().nullable().describe('why there is no explanation: timeout, busy, rejected …'),
  model: z.string().nullable(),
  category: z.string().nullable(),
  suggestedSeverity: z.string().nullable().describe("only when louder than the alert's own"),
  summary: z.string().nullable(),
  explanation: z.string().nullable(),
  nextStep: z.string().nullable(),
  confidence: z.number().nullable(),
});
export type Explained = Readonly<z.infer<typeof explainedSchema>>;

const digestDueSchema = z.object({
  from: z.string().optional().describe('RFC 3339; with "to" a span of its own, which is kept and not told'),
  to: z.string().optional(),
  tell: z.boolean().optional().describe('tell it to the channels of digests all the same'),
});
const testDueSchema = z.object({ channel: z.string().describe('name of a channel; "*" for all') });
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
  'dev.alertgest.explanation.due': {
    meaning: 'A pattern waits for the model and nobody works on it.',
    emittedBy: ['receive'],
    consumedBy: ['classify'],
    data: noticeDataSchema,
  },
  'dev.alertgest.pattern.explained': {
    meaning:
      'The model explained the pattern, or it did not and the reason is said; nobody waits for it any more.',
    emittedBy: ['classify'],
    consumedBy: ['notify'],
    data: explainedSchema,
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
    meaning: 'Digests are to be built: of every closed window that has none, or of the span "from" to "to".',
    emittedBy: ['receive', 'console'],
    consumedBy: ['build-digest'],
    data: digestDueSchema,
  },
  'dev.alertgest.digest.built': {
    meaning: 'A digest is stored and waits to be told.',
    emittedBy: ['build-digest', 'receive'],
    consumedBy: ['notify'],
    data: digestBuiltSchema,
  },
  'dev.alertgest.digest.delivered': {
    meaning: 'Every delivery of a digest is final.',
    emittedBy: ['notify'],
    consumedBy: [],
    data: digestDeliveredSchema,
  },
  'dev.alertgest.test.due': {
    meaning: 'Somebody asked for a test message.',
    emittedBy: ['console'],
    consumedBy: ['notify'],
    data: testDueSchema,
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

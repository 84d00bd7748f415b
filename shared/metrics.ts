/**
 * The metrics that alertgest has of itself, by the names people proposed. `/metrics` of the console serves exactly
 * these, from Postgres; rules and dashboards may use nothing else. No label is free text or an alert's name.
 */
import { SEVERITIES } from './severity.ts';

/**
 * The values of a label: a closed set; `seen` for names out of the configuration (channels, models), which are known
 * once something was counted for them; `any` for the rest, whose values come from the code.
 */
export type LabelValues = readonly string[] | 'seen' | 'any';

export interface OwnMetric {
  readonly name: `alertgest_${string}`;
  /** `info` is a gauge that is always 1; its labels are the information. */
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly labels: Readonly<Record<string, LabelValues>>;
  readonly help: string;
}

/** What becomes of an alert, a webhook or a message. */
const STATUS = ['sent', 'dead'] as const;

/** Every metric, in the order in which it is served. */
export const OWN_METRICS: readonly OwnMetric[] = [
  {
    name: 'alertgest_build_info',
    type: 'info',
    labels: { version: 'any' },
    help: 'Always 1; the version that runs',
  },
  {
    name: 'alertgest_alerts_received_total',
    type: 'counter',
    labels: { severity: SEVERITIES, status: ['firing', 'resolved', 'unknown'] },
    help: 'Alerts received, copies and repeats included; status is firing or resolved, unknown when it cannot be read',
  },
  {
    name: 'alertgest_alerts_stored_total',
    type: 'counter',
    labels: { severity: SEVERITIES },
    help: 'Alerts of which an episode is stored, copies and repeats included; received without the unusable',
  },
  {
    name: 'alertgest_alerts_discarded_total',
    type: 'counter',
    labels: { reason: ['invalid', 'unauthorized', 'too-large', 'unusable', 'duplicate'] },
    help: 'Webhooks refused (invalid, unauthorized, too-large), alerts refused (unusable), alerts that changed nothing (duplicate)',
  },
  {
    name: 'alertgest_capture_window_active',
    type: 'gauge',
    labels: {},
    help: '1 while a capture window is open',
  },
  {
    name: 'alertgest_digest_generation_duration_seconds',
    type: 'histogram',
    labels: {},
    help: 'Time to build a digest: facts, context, notes, verification, failed tries',
  },
  {
    name: 'alertgest_digest_time_to_message_seconds',
    type: 'histogram',
    labels: {},
    help: 'From the trigger of a digest to its first message sent',
  },
  {
    name: 'alertgest_digest_windows_missing',
    type: 'gauge',
    labels: {},
    help: 'Capture windows that are over, grace included, and have no delivered digest',
  },
  {
    name: 'alertgest_digest_delivery_total',
    type: 'counter',
    labels: { channel: 'seen', status: STATUS },
    help: 'Digest messages that became final; status is sent or dead',
  },
  {
    name: 'alertgest_digest_last_delivered_timestamp_seconds',
    type: 'gauge',
    labels: {},
    help: 'When a digest was last delivered',
  },
  {
    name: 'alertgest_digest_ratings_total',
    type: 'counter',
    labels: { rating: ['useful', 'useless'] },
    help: 'Ratings of digests and of their notes, changes of mind included; rating is useful or useless',
  },
  {
    name: 'alertgest_llm_request_duration_seconds',
    type: 'histogram',
    labels: { model: 'seen' },
    help: 'Duration of questions to the model, with the repair of an answer where one was needed',
  },
  {
    name: 'alertgest_llm_tokens_total',
    type: 'counter',
    labels: { model: 'seen', type: ['prompt', 'completion'] },
    help: 'Tokens used; type is prompt or completion',
  },
  {
    name: 'alertgest_explanations_total',
    type: 'counter',
    labels: { result: ['explained', 'timeout', 'invalid', 'unavailable'] },
    help: 'Explanations finished; result is explained, timeout, invalid or unavailable',
  },
  {
    name: 'alertgest_teams_delivery_total',
    type: 'counter',
    labels: { status: STATUS },
    help: 'Messages to Microsoft Teams; the same rows as alertgest_delivery_total{channel="teams"}',
  },
  {
    name: 'alertgest_delivery_total',
    type: 'counter',
    labels: { channel: 'seen', status: STATUS },
    help: 'Deliveries that became final; status is sent or dead',
  },
  {
    name: 'alertgest_delivery_attempts_total',
    type: 'counter',
    labels: { channel: 'seen', outcome: ['sent', 'retry', 'refused', 'unknown'] },
    help: 'Attempts to send; outcome is sent, retry, refused or unknown',
  },
  {
    name: 'alertgest_delivery_duration_seconds',
    type: 'histogram',
    labels: { channel: 'seen' },
    help: 'From the notice being stored, with its alert, to its message sent',
  },
  {
    name: 'alertgest_deliveries_pending',
    type: 'gauge',
    labels: { channel: 'seen' },
    help: 'Deliveries planned or being sent',
  },
  {
    name: 'alertgest_k8s_context_collection_duration_seconds',
    type: 'histogram',
    labels: {},
    help: 'Time to ask Kubernetes for context',
  },
  {
    name: 'alertgest_notices_total',
    type: 'counter',
    labels: { status: ['suppressed', 'notified', 'digested', 'dead'], reason: 'any' },
    help: 'Notices by final status and reason (a closed set: told, ignored, flapping, storm, …)',
  },
  {
    name: 'alertgest_notices',
    type: 'gauge',
    labels: { status: ['received', 'classified', 'admitted', 'held'] },
    help: 'Notices that are not final, by status',
  },
  {
    name: 'alertgest_incidents_open',
    type: 'gauge',
    labels: { severity: SEVERITIES },
    help: 'Open incidents; heartbeats are none',
  },
  {
    name: 'alertgest_episodes_open',
    type: 'gauge',
    labels: { severity: SEVERITIES },
    help: 'Open episodes; heartbeats are none',
  },
  { name: 'alertgest_patterns', type: 'gauge', labels: {}, help: 'Patterns known' },
  {
    name: 'alertgest_decisions_active',
    type: 'gauge',
    labels: { kind: ['ignore', 'quiet', 'digest', 'snooze', 'important'] },
    help: 'Decisions in force; kind is ignore, quiet, digest, snooze or important',
  },
  {
    name: 'alertgest_audit',
    type: 'gauge',
    labels: { check: ['unfinished', 'dead', 'forgotten', 'miscounted', 'unproved'] },
    help: 'Zero when the books balance; check is unfinished, dead, forgotten, miscounted or unproved',
  },
  { name: 'alertgest_dead_letters_total', type: 'counter', labels: {}, help: 'Events the broker gave up on' },
  {
    name: 'alertgest_sweep_last_run_timestamp_seconds',
    type: 'gauge',
    labels: {},
    help: 'When the sweep last ran',
  },
  {
    name: 'alertgest_watchdog_last_seen_timestamp_seconds',
    type: 'gauge',
    labels: {},
    help: 'When a Watchdog was last seen; of several, the one unseen for longest',
  },
];

/**
 * An alert as Alertmanager (or Grafana, vmalert, Mimir, a script) posts it, and the form every later step works on.
 * Normalising never drops an alert silently: it is returned usable, or named in `rejected` with the reason.
 * Sizes are cut and said in `flags`; identity hashes are taken from the full label set.
 */
import { hash } from 'node:crypto';
import * as z from 'zod';
import { InvalidInputError } from './errors.ts';

/** Longest label value and alertname kept, in characters. */
const LABEL_VALUE_LIMIT = 4_096;
/** Longest label or annotation name kept, in characters. */
const NAME_LIMIT = 256;
/** Most labels or annotations kept on one alert. */
const ENTRY_LIMIT = 256;
/** Longest annotation kept, in characters. */
const ANNOTATION_LIMIT = 16_384;
/** A start later than this after its receipt is a wrong clock, not a fact. */
const FUTURE_TOLERANCE_MS = 5 * 60_000;
/** Alert times before this are a zero value of some language, not a fact. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
/** Labels that only tell which of several identical Prometheus or Alertmanager replicas spoke. */
const REPLICA_LABELS: ReadonlySet<string> = new Set([
  'prometheus_replica',
  'replica',
  '__replica__',
  'thanos_replica',
  'rule_replica',
  'alertmanager_replica',
]);
/** Words for "is firing" and "is over" of the senders we know; Grafana's legacy states among them. */
const FIRING_WORDS: ReadonlySet<string> = new Set([
  'firing',
  'alerting',
  'active',
  'problem',
  'nodata',
  'no_data',
  'error',
]);
const RESOLVED_WORDS: ReadonlySet<string> = new Set(['resolved', 'ok', 'normal', 'inactive', 'recovered']);

/** One entry of a webhook's `alerts[]`. Everything but labels or annotations may be missing. */
export const alertSchema = z.looseObject({
  status: z.unknown().optional(),
  labels: z.record(z.string(), z.unknown()).nullish(),
  annotations: z.record(z.string(), z.unknown()).nullish(),
  startsAt: z.unknown().optional(),
  endsAt: z.unknown().optional(),
  generatorURL: z.unknown().optional(),
  fingerprint: z.unknown().optional(),
});

/** The body of an Alertmanager webhook, version 4; Grafana's (`version: "1"`) and partial senders fit too. */
export const webhookSchema = z.looseObject({
  version: z.union([z.string(), z.number()]).nullish(),
  status: z.unknown().optional(),
  receiver: z.unknown().optional(),
  groupKey: z.unknown().optional(),
  externalURL: z.unknown().optional(),
  truncatedAlerts: z.unknown().optional(),
  alerts: z.array(z.unknown()),
});

/** A usable alert. Times are real dates in a sane range; `endsAt` is null while firing. */
export interface Alert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: Date;
  readonly endsAt: Date | null;
  readonly generatorUrl: string;
  /** 32 hex digits: the labels without replica labels, plus the configured cluster. One open episode each. */
  readonly key: string;
  /** What was repaired on the way in, in words. */
  readonly flags: readonly string[];
}

export interface Webhook {
  readonly alerts: readonly Alert[];
  readonly rejected: ReadonlyArray<{ readonly index: number; readonly problem: string }>;
  /** Alerts that Alertmanager itself cut off (`max_alerts`). */
  readonly truncatedAlerts: number;
  readonly groupKey: string;
}

/**
 * Normalises a parsed webhook body. `receivedAt` stands in for times that cannot be true.
 * Throws {@link InvalidInputError} when the body is not a webhook at all.
 */
export function parseWebhook(body: unknown, options: { receivedAt: Date; cluster: string }): Webhook {
  if (Array.isArray(body)) {
    throw new InvalidInputError(
      'the body is a list; post the webhook object with its "alerts" field (Alertmanager webhook_configs, version 4)',
    );
  }
  const webhook = webhookSchema.safeParse(body);
  if (!webhook.success) {
    throw new InvalidInputError(
      'the body has no "alerts" list; is a custom payload configured? alertgest reads the standard webhook, version 4',
    );
  }
  const { data } = webhook;
  const alerts: Alert[] = [];
  const rejected: Array<{ index: number; problem: string }> = [];
  for (const [index, entry] of data.alerts.entries()) {
    const alert = normalizeAlert(entry, data.status, { ...options, title: data.title });
    if (typeof alert === 'string') rejected.push({ index, problem: alert });
    else alerts.push(alert);
  }
  return {
    alerts,
    rejected,
    truncatedAlerts: truncatedCount(data.truncatedAlerts),
    groupKey: typeof data.groupKey === 'string' ? cleanText(data.groupKey, 512) : '',
  };
}

/** Normalises one entry of `alerts[]`; answers the problem in words when it cannot be used. */
export function normalizeAlert(
  entry: unknown,
  groupStatus: unknown,
  options: { receivedAt: Date; cluster: string; title?: unknown },
): Alert | string {
  const parsed = alertSchema.safeParse(entry);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path[0];
    return field === undefined ? 'not an object' : `"${String(field)}" is not an object of texts`;
  }
  const raw = parsed.data;
  const flags: string[] = [];
  const allLabels = textEntries(raw.labels, LABEL_VALUE_LIMIT, flags, 'label');
  const annotations = textEntries(raw.annotations, ANNOTATION_LIMIT, flags, 'annotation');
  if (allLabels.length === 0 && annotations.length === 0) {
    if (typeof options.title !== 'string' || options.title === '')
      return 'it has neither labels nor annotations';
    annotations.push(['summary', cleanText(options.title, ANNOTATION_LIMIT)]);
    flags.push("it had neither labels nor annotations, the webhook's title stands for them");
  }
  const labels = Object.fromEntries(allLabels.slice(0, ENTRY_LIMIT));
  if (allLabels.length > ENTRY_LIMIT) flags.push(`only ${ENTRY_LIMIT} of ${allLabels.length} labels kept`);
  const status = readStatus(raw.status ?? groupStatus, flags);
  const startsAt = saneTime(raw.startsAt, options.receivedAt, flags, 'startsAt') ?? options.receivedAt;
  return {
    status,
    labels,
    annotations: Object.fromEntries(annotations.slice(0, ENTRY_LIMIT)),
    startsAt,
    endsAt: status === 'firing' ? null : endOf(raw.endsAt, startsAt, options.receivedAt, flags),
    generatorUrl: typeof raw.generatorURL === 'string' ? cleanText(raw.generatorURL, 2_048) : '',
    key: episodeKey(raw.labels ?? {}, allLabels, annotations, options.cluster),
    flags,
  };
}

/** Postgres takes neither NUL nor lone surrogates in text; both become the replacement character. */
export function cleanText(text: string, limit: number): string {
  const cut = text.length > limit ? text.slice(0, limit) : text;
  return cut.isWellFormed() && !cut.includes('\0') ? cut : cut.toWellFormed().replaceAll('\0', '\uFFFD');
}

function textEntries(
  record: Record<string, unknown> | null | undefined,
  limit: number,
  flags: string[],
  what: string,
): Array<[string, string]> {
  const entries: Array<[string, string]> = [];
  for (const [name, value] of Object.entries(record ?? {})) {
    if (value === null || value === undefined || value === '') continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (typeof value !== 'string') flags.push(`${what} ${cleanText(name, 64)} was not a text`);
    if (text.length > limit) flags.push(`${what} ${cleanText(name, 64)} cut to ${limit} characters`);
    entries.push([cleanText(name, NAME_LIMIT), cleanText(text, limit)]);
  }
  return entries;
}

function readStatus(status: unknown, flags: string[]): 'firing' | 'resolved' {
  const word = typeof status === 'string' ? status.trim().toLowerCase() : '';
  if (RESOLVED_WORDS.has(word)) return 'resolved';
  if (!FIRING_WORDS.has(word)) flags.push('status was missing or unknown, taken as firing');
  return 'firing';
}

/** An RFC 3339 time with a zone; fractions of any length. Anything else is no time. */
const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,40}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** Reads an RFC 3339 time; null when the text is no valid time. */
export function parseTime(value: unknown): Date | null {
  if (typeof value !== 'string') return null;
  const match = RFC3339.exec(value);
  if (match === null) return null;
  const [, date = '', clock = '', fraction = '', zone = ''] = match;
  const time = new Date(`${date}T${clock}.${fraction.padEnd(3, '0').slice(0, 3)}${zone.toUpperCase()}`);
  if (Number.isNaN(time.getTime())) return null;
  // JavaScript rolls 30 February over into March; a date that changes on the way is no date.
  const day = Number(date.slice(8));
  return day > 28 && new Date(`${date}T00:00:00Z`).getUTCDate() !== day ? null : time;
}

function saneTime(value: unknown, receivedAt: Date, flags: string[], field: string): Date | null {
  const time = parseTime(value);
  if (
    time !== null &&
    time.getTime() >= EARLIEST_MS &&
    time.getTime() <= receivedAt.getTime() + FUTURE_TOLERANCE_MS
  )
    return time;
  if (value !== undefined && value !== null && value !== '' && !isZeroTime(value))
    flags.push(`${field} was not a usable time`);
  return null;
}

/** Go's zero time, which Alertmanager sends as the end of a firing alert. */
function isZeroTime(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('0001-01-01');
}

function endOf(value: unknown, startsAt: Date, receivedAt: Date, flags: string[]): Date {
  const end = saneTime(value, receivedAt, flags, 'endsAt') ?? receivedAt;
  if (end >= startsAt) return end;
  flags.push('endsAt was before startsAt');
  return startsAt;
}

function truncatedCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
    ? Math.min(Math.trunc(value), 1_000_000)
    : 0;
}

function episodeKey(
  full: Record<string, unknown>,
  labels: ReadonlyArray<[string, string]>,
  annotations: ReadonlyArray<[string, string]>,
  cluster: string,
): string {
  const identity = labels
    .filter(([name]) => !REPLICA_LABELS.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = [cluster];
  for (const [name, value] of identity) {
    const whole = full[name];
    parts.push(name, typeof whole === 'string' ? whole : value);
  }
  // Without labels only the text tells two alerts apart.
  const text = identity.length === 0 ? cluster + JSON.stringify(annotations) : parts.join('\0');
  return hash('sha256', text).slice(0, 32);
}

/** What a webhook's body says, read plainly and without the code under test: which alerts it holds and what they are. */

export interface AlertFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Alerts with the same identity are one row. */
  readonly identity: string;
}

const REPLICA_LABELS = ['prometheus_replica', 'replica', '__replica__', 'thanos_replica', 'rule_replica'];

/** The alerts of a parsed body that can be used: a label, an annotation or, failing both, the webhook's title says something. */
export function usableAlerts(body: unknown): AlertFacts[] {
  const data = isRecord(body) && 'specversion' in body ? body['data'] : body;
  const entries = isRecord(data) && Array.isArray(data['alerts']) ? (data['alerts'] as unknown[]) : [];
  const title = isRecord(data) && typeof data['title'] === 'string' ? data['title'] : '';
  return entries.map((entry) => readAlert(entry, title)).filter((alert) => alert !== null);
}

/** How many entries the body's "alerts" has, usable or not. */
export function entryCount(body: unknown): number {
  const data = isRecord(body) && 'specversion' in body ? body['data'] : body;
  return isRecord(data) && Array.isArray(data['alerts']) ? data['alerts'].length : 0;
}

/** A text as Postgres can store it. */
export function storable(text: string, limit: number): string {
  return text.slice(0, limit).toWellFormed().replaceAll('\0', '\uFFFD');
}

function readAlert(entry: unknown, title: string): AlertFacts | null {
  if (!isRecord(entry)) return null;
  const labels = readTexts(entry['labels'], 4_096);
  const annotations = readTexts(entry['annotations'], 16_384);
  if (labels === null || annotations === null) return null;
  if (labels.length === 0 && annotations.length === 0) {
    if (title === '') return null;
    annotations.push(['summary', title]);
  }
  const own = labels.filter(([name]) => !REPLICA_LABELS.includes(name));
  const telling = own.length > 0 ? own : annotations;
  return {
    labels: Object.fromEntries(labels),
    annotations: Object.fromEntries(annotations),
    identity: JSON.stringify(telling.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Null when the value is no object of values. */
function readTexts(value: unknown, limit: number): Array<[string, string]> | null {
  if (value === undefined || value === null) return [];
  if (!isRecord(value)) return null;
  return Object.entries(value)
    .filter(([, inner]) => inner !== null && inner !== '')
    .map(([name, inner]) => [
      storable(name, 256),
      storable(typeof inner === 'string' ? inner : JSON.stringify(inner), limit),
    ]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

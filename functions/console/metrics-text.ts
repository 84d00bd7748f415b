/** Metrics as Prometheus reads them: the text format, version 0.0.4. Pure. */
import { OWN_METRICS } from '../../shared/metrics.ts';
import type { OwnMetric } from '../../shared/metrics.ts';
import type { Reading, Series } from '../../shared/postgres/metrics.ts';

type Labels = Readonly<Record<string, string>>;

/** Every metric of the catalogue. What was never counted is there with a zero, because `increase` sees no first step. */
export function toMetricsText({ series, bounds }: Reading): string {
  const byName = Map.groupBy(series, ({ name }) => name);
  const lines = OWN_METRICS.flatMap((metric) => {
    const { name, type, help } = metric;
    const own = Map.groupBy(byName.get(name) ?? [], ({ labels }) => toLabels(metric, labels));
    for (const labels of expectedLabels(metric, series)) own.set(labels, own.get(labels) ?? []);
    const samples = [...own].flatMap(([labels, rows]) =>
      type === 'histogram' ? toHistogram(name, labels, rows, bounds) : [toSample(name, labels, sumOf(rows))],
    );
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type === 'info' ? 'gauge' : type}`, ...samples];
  });
  return `${lines.join('\n')}\n`;
}

/** The label sets that are served even without a row; a gauge without labels is left out until it means something. */
function expectedLabels(metric: OwnMetric, series: readonly Series[]): string[] {
  const names = Object.keys(metric.labels);
  if (metric.type === 'gauge' && names.length === 0) return [];
  let sets: Labels[] = [{}];
  for (const [label, values] of Object.entries(metric.labels)) {
    if (values === 'any') return [];
    const known =
      values === 'seen' ? [...new Set(series.flatMap(({ labels }) => labels[label] ?? []))] : values;
    sets = sets.flatMap((set) => known.map((value) => ({ ...set, [label]: value })));
  }
  return sets.map((set) => toLabels(metric, set));
}

function toHistogram(
  name: string,
  labels: string,
  rows: readonly Series[],
  bounds: readonly number[],
): string[] {
  const upTo = (bound: number): number =>
    rows.reduce((count, { le, times }) => count + (le <= bound ? times : 0), 0);
  const bucket = (le: string): string => [labels, `le="${le}"`].filter((part) => part !== '').join(',');
  return [
    ...bounds.map((bound) => toSample(`${name}_bucket`, bucket(String(bound)), upTo(bound))),
    toSample(`${name}_bucket`, bucket('+Inf'), upTo(Infinity)),
    toSample(`${name}_sum`, labels, sumOf(rows)),
    toSample(`${name}_count`, labels, upTo(Infinity)),
  ];
}

function toSample(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}`;
}

/** Labels in the order of the catalogue, escaped. */
function toLabels({ labels: known }: OwnMetric, labels: Labels): string {
  return Object.keys(known)
    .map((label) => `${label}="${escape(labels[label] ?? '')}"`)
    .join(',');
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function sumOf(rows: readonly Series[]): number {
  return rows.reduce((sum, { value }) => sum + value, 0);
}

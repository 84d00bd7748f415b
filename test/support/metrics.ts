/** Reads the text format of Prometheus, strictly: a line that is neither a comment nor a sample fails. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly type: string;
  readonly samples: readonly Sample[];
}

/** The families of a page by name, in its order. */
export function parseMetrics(text: string): Map<string, MetricFamily> {
  const families = new Map<string, { type: string; samples: Sample[] }>();
  let current: { type: string; samples: Sample[] } | undefined;
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('# HELP ')) continue;
    const [, family, type] = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (family !== undefined && type !== undefined) {
      if (families.has(family)) throw new Error(`two families are called ${family}`);
      current = { type, samples: [] };
      families.set(family, current);
      continue;
    }
    const [, name = '', inner = '', value = ''] =
      /^(\w+)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?)$/.exec(line) ?? [];
    if (name === '' || current === undefined) throw new Error(`not a line of metrics: ${line}`);
    const labels = Object.fromEntries(
      Array.from(inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/g), ([, key = '', text_ = '']) => [
        key,
        text_,
      ]),
    );
    current.samples.push({ name, labels, value: Number(value) });
  }
  return families;
}

/** The value of one sample; undefined when it is not there. */
export function valueOf(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  for (const { samples } of parseMetrics(text).values()) {
    const found = samples.find(
      (sample) =>
        sample.name === name &&
        Object.keys(sample.labels).length === Object.keys(labels).length &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/** Labelled alerts to try models on: what people decided here, the examples of the rule table, or a file of labelled rules. */
import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { FALLBACK_ROWS, NAMED_ROWS, SYMPTOM_ROWS } from '../functions/classify/rule-table.ts';
import { CATEGORIES } from '../functions/classify/rules.ts';
import { listJudged } from '../shared/postgres/judged.ts';
import { createPool } from '../shared/postgres/pool.ts';
import { UsageError } from './command.ts';

/** One alert and what a person made of it; null where nobody said. */
export interface ModelCase {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Categories that count as right. */
  readonly categories: readonly string[] | null;
  /** Whether it is worth a push: louder than info. */
  readonly isConcerning: boolean | null;
}

const ruleSchema = z.object({
  alertname: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  category_gold: z.enum(CATEGORIES),
  category_alt: z.array(z.enum(CATEGORIES)).default([]),
  severity_gold: z.string().optional(),
});

const QUIET: ReadonlySet<string> = new Set(['info', 'none']);
const MOST_JUDGED = 5_000;

/** Issues that people decided on: important is worth a push; ignored, digest-only and snoozed ones are not. */
export async function readHistoryCases(databaseUrl: string): Promise<ModelCase[]> {
  const pool = createPool({ url: databaseUrl, name: 'bench', size: 1 });
  try {
    return (await listJudged(pool, MOST_JUDGED)).map(({ labels, annotations, kind }) => ({
      labels,
      annotations,
      categories: null,
      isConcerning: kind === 'important',
    }));
  } finally {
    await pool.end();
  }
}

/** The rule table's own examples: one alert for each row, in the row's category. */
export function toExampleCases(): ModelCase[] {
  return [...NAMED_ROWS, ...SYMPTOM_ROWS, ...FALLBACK_ROWS].map(({ example, category, floor }) => ({
    labels: example.labels,
    annotations: example.annotations,
    categories: [category],
    isConcerning: floor === null ? null : !QUIET.has(floor),
  }));
}

/** A file of labelled rules, one JSON object a line: alertname, labels, annotations, category_gold, severity_gold. */
export function readFileCases(file: string): ModelCase[] {
  if (!existsSync(file)) throw new UsageError(`${file} is not there`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, at) => {
      const parsed = ruleSchema.safeParse(JSON.parse(line));
      if (!parsed.success) throw new UsageError(`${file}, line ${at + 1}: ${z.prettifyError(parsed.error)}`);
      const { alertname, labels, annotations, category_gold: gold, category_alt: alternatives } = parsed.data;
      return {
        labels: { ...labels, alertname },
        annotations,
        categories: [gold, ...alternatives],
        isConcerning: parsed.data.severity_gold === undefined ? null : !QUIET.has(parsed.data.severity_gold),
      };
    });
}

/** At most `count` cases, evenly taken from all, so that every kind is met. */
export function takeEvenly<T>(cases: readonly T[], count: number): T[] {
  if (cases.length <= count) return [...cases];
  return Array.from({ length: count }, (_, at) => cases[Math.floor((at * cases.length) / count)]).filter(
    (one) => one !== undefined,
  );
}

/** simulate: the last 30 days through changed decisions: what would have been pushed, what hidden, what missed. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { HISTORY_DAYS } from '../shared/envelope.ts';
import { resolveEnvironment } from '../shared/env.ts';
import { ConfigError } from '../shared/errors.ts';
import { readAlertClock } from '../shared/postgres/clock.ts';
import { DECISION_KINDS } from '../shared/postgres/decisions.ts';
import type { DecisionKind } from '../shared/postgres/decisions.ts';
import { readFollowed } from '../shared/postgres/history.ts';
import { createPool } from '../shared/postgres/pool.ts';
import { countPushes, readPushes } from '../shared/postgres/simulation.ts';
import type { PushCounts } from '../shared/postgres/simulation.ts';
import { UsageError, defineCommand } from './command.ts';
import { cleanLine } from './terminal.ts';

const DAY_MS = 86_400_000;
const NAME_CHARS = 60;

const entrySchema = z.looseObject({
  pattern: z.string(),
  kind: z.enum(DECISION_KINDS),
  note: z.string().nullish(),
});
/** A plain list, or the file that `decisions export` prints. */
const fileSchema = z.union([
  z.array(entrySchema),
  z.looseObject({ decisions: z.array(entrySchema) }).transform((file) => file.decisions),
]);
type Entry = z.infer<typeof entrySchema>;

/** One pattern under its changed decision. */
export interface Outcome extends PushCounts {
  readonly kind: DecisionKind;
  readonly wouldPush: number;
  readonly wouldHide: number;
  /** Criticals of the same namespace within 30 minutes after one of it, when it would have been hidden. */
  readonly missed: number;
}

export const command = defineCommand({
  help: `
simulate: plays the last 30 days through changed decisions, each as if it had been in force all the time, and prints what
would have been pushed, what hidden, and which criticals came within 30 minutes after something hidden. Records nothing.

  FILE             decisions as YAML: a list of {pattern, kind, until}, or what "decisions export" prints ("-": standard input)
  --pattern P      one pattern instead of a file, with
  --ignore         … it ignored (default), or
  --kind KIND      … quiet, digest, snooze, important, revoke
  --json           the numbers as JSON

Example:
  DATABASE_URL=postgresql://alertgest@127.0.0.1:5432/alertgest npm run --silent alertgest -- simulate decisions.yaml`,
  flags: {
    pattern: { type: 'string' },
    ignore: { type: 'boolean', default: false },
    kind: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  words: ['[FILE]'],
  async run({ pattern, ignore, kind, json }, [file]) {
    if ((file === undefined) === (pattern === undefined))
      throw new UsageError('simulate takes either FILE or --pattern');
    if (ignore && kind !== undefined) throw new UsageError('simulate takes either --ignore or --kind');
    const entries =
      file === undefined ? [readEntry(pattern ?? '', kind ?? 'ignore')] : await readEntries(file);
    const result = await simulate(readDatabaseUrl(), entries);
    process.stdout.write(`${json ? JSON.stringify(result, null, 2) : toText(result)}\n`);
    return 0;
  },
});

interface Result {
  readonly from: Date;
  readonly to: Date;
  /** Incidents told of in all, as it was and as it would have been. */
  readonly pushed: number;
  readonly wouldPush: number;
  readonly outcomes: readonly Outcome[];
  /** Patterns of the file that this database never saw. */
  readonly unknown: readonly string[];
}

async function simulate(url: string, entries: readonly Entry[]): Promise<Result> {
  const pool = createPool({ url, name: 'simulate', size: 2 });
  try {
    const to = await readAlertClock(pool);
    const from = new Date(to.getTime() - HISTORY_DAYS * DAY_MS);
    // The last word on a pattern counts.
    const kinds = new Map(entries.map((entry) => [entry.pattern, entry]));
    const counts = await readPushes(pool, [...kinds.keys()], from);
    const outcomes: Outcome[] = [];
    for (const count of counts) {
      const entry = kinds.get(count.pattern);
      if (entry === undefined) continue;
      const hides = hidesAll(count, entry);
      const { total } = hides ? await readFollowed(pool, count.pattern, from, to) : { total: 0 };
      outcomes.push(toOutcome(count, entry, total));
    }
    const pushed = await countPushes(pool, from);
    const known = new Set(counts.map((count) => count.pattern));
    return {
      from,
      to,
      pushed,
      wouldPush: outcomes.reduce((sum, one) => sum + one.wouldPush - one.pushed, pushed),
      outcomes,
      unknown: [...kinds.keys()].filter((one) => !known.has(one)),
    };
  } finally {
    await pool.end();
  }
}

/** What a changed decision would have made of a pattern's incidents. Pure. */
export function toOutcome(count: PushCounts, entry: Pick<Entry, 'kind' | 'note'>, followed: number): Outcome {
  const { kind } = entry;
  const hides = hidesAll(count, entry);
  const wouldPush = hides
    ? 0
    : kind === 'important'
      ? count.incidents
      : kind === 'note'
        ? count.pushed
        : count.pushed + count.hidden;
  return {
    ...count,
    kind,
    wouldPush,
    wouldHide: hides ? count.incidents : kind === 'note' ? count.hidden : 0,
    missed: hides ? followed : 0,
  };
}

/** Without a note no decision hides a critical. */
function hidesAll({ severity }: PushCounts, { kind, note }: Pick<Entry, 'kind' | 'note'>): boolean {
  return (
    (kind === 'ignore' || kind === 'digest' || kind === 'snooze') &&
    (severity !== 'critical' || Boolean(note))
  );
}

function toText({ from, to, pushed, wouldPush, outcomes, unknown }: Result): string {
  const header = ['issue', 'decision', 'incidents', 'pushed', 'would push', 'would hide', 'missed criticals'];
  const rows = outcomes.map((one) => [
    cleanLine(`${one.alertname} · ${one.title} (${one.severity})`, NAME_CHARS),
    one.kind,
    ...[one.incidents, one.pushed, one.wouldPush, one.wouldHide, one.missed].map(String),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  return [
    ...lines,
    '',
    `${day(from)} to ${day(to)}: ${pushed} incidents were told of, ${wouldPush} would have been.`,
    ...unknown.map((pattern) => `Never seen here: ${cleanLine(pattern, NAME_CHARS)}`),
  ].join('\n');
}

function readEntry(pattern: string, kind: string): Entry {
  const parsed = entrySchema.safeParse({ pattern, kind });
  if (!parsed.success)
    throw new UsageError(`--kind takes one of ${DECISION_KINDS.join(', ')}, not "${kind}"`);
  return parsed.data;
}

async function readEntries(file: string): Promise<Entry[]> {
  const { parse } = await import('yaml');
  const parsed = fileSchema.safeParse(parse(readFileSync(file === '-' ? 0 : file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new UsageError(`${file} is no list of decisions such as "- {pattern: v1:…, kind: ignore}"`);
}

function readDatabaseUrl(): string {
  const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
  const { DATABASE_URL: url } = resolveEnvironment({ DATABASE_URL, DATABASE_URL_FILE });
  if (url !== undefined) return url;
  throw new ConfigError('DATABASE_URL is not set, e.g. postgresql://alertgest@postgres:5432/alertgest');
}

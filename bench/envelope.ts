/**
 * Precision of waking: every pattern of a night that is not critical is ignored after two weeks of such nights; then
 * unchanged nights must stay silent and every change must be found. On the pure functions; nothing is tuned to the nights.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { planArrivals } from '../functions/receive/episodes.ts';
import type { Arrival } from '../functions/receive/episodes.ts';
import { normalizeAlert } from '../shared/alert.ts';
import type { Envelope } from '../shared/envelope.ts';
import { toPattern } from '../shared/pattern.ts';
import { CHANGES, createRandom, envelopeOf, firstBreak, jitter, onDay, toHistory } from './nights.ts';
import type { Change, Life, Random } from './nights.ts';
import type { Progress, Report } from './report.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CORPUS = resolve(ROOT, '../shared/corpora/nights');
const NIGHTS: ReadonlyArray<readonly [string, string]> = [
  ['quiet', resolve(CORPUS, 'quiet.jsonl')],
  ['busy', resolve(CORPUS, 'busy.jsonl')],
  ['storm', resolve(CORPUS, 'storm.jsonl.gz')],
];
const OWN_NIGHT = ['sample', resolve(ROOT, 'test/fixtures/night.jsonl')] as const;
const HISTORY = 14;
const UNCHANGED = 50;
const CHANGED = 50;
const DAY = 86_400_000;
const HEARTBEAT = 'Watchdog';

/** The least a pattern must show for a change to be told from chance; below it changes are tried too, without a goal. */
const FIT: Readonly<Record<Change, (lives: readonly Life[], envelope: Envelope) => boolean>> = {
  // A night of n has a limit of 15, 18, 20, 23 for n = 2, 3, 4, 5: five times as many reaches it from five on.
  'rate ×5': (lives) => lives.length >= 5,
  'duration ×5': (lives) => Math.max(...lives.map(({ start, end }) => end - start)) >= 150_000,
  'twice at once': (_, { usual }) => usual.atOnce >= 3,
  'severe twin': () => true,
  'new hour, rate ×3': (_, { episodes, days }) => episodes >= 20 && days >= 10,
};

interface Tally {
  fit: number;
  found: number;
  small: number;
  smallFound: number;
}

/** Measures every night that is there. */
export async function measureEnvelope(progress: Progress): Promise<Report> {
  const nights = [...NIGHTS, OWN_NIGHT].filter(([, file]) => existsSync(file));
  const rows: (string | number)[][] = [];
  let woken = 0;
  let missed = 0;
  let injected = 0;
  for (const [index, [name, file]] of nights.entries()) {
    progress(`envelope: the ${name} night`);
    await Promise.resolve();
    const night = readLives(file);
    const stage = setStage(night, createRandom(1_000 + index));
    const quiet = replayUnchanged(stage, createRandom(2_000 + index));
    woken += quiet.woken;
    rows.push([`${name}: unchanged`, UNCHANGED, quiet.woken, stage.patterns.size, quiet.first ?? '']);
    for (const change of Object.keys(CHANGES) as Change[]) {
      const tally = replayChanged(stage, change, createRandom(3_000 + index));
      injected += tally.fit;
      missed += tally.fit - tally.found;
      const small = tally.small === 0 ? '' : `too small to tell: ${tally.smallFound} of ${tally.small}`;
      rows.push([`${name}: ${change}`, tally.fit, tally.found, stage.patterns.size, small]);
    }
  }
  const replayed = nights.length * UNCHANGED;
  return {
    name: 'envelope',
    notes: [
      `${HISTORY} nights of history each, every pattern that is not critical ignored; ${UNCHANGED} unchanged nights, ${CHANGED} of each change`,
      'natural jitter: 10 % missing, 10 % repeated, causes shifted by ±15 min, durations × e^±0.3',
    ],
    columns: ['night: change', 'nights', 'woken', 'patterns', 'note'],
    rows,
    verdicts: [
      { what: 'changes found', value: (100 * (injected - missed)) / injected, goal: ['>=', 100], unit: ' %' },
      { what: 'unchanged nights woken', value: (100 * woken) / replayed, goal: ['<=', 5], unit: ' %' },
    ],
  };
}

interface Stage {
  readonly patterns: ReadonlyMap<string, readonly Life[]>;
  readonly histories: ReadonlyMap<string, readonly Life[]>;
  readonly envelopes: ReadonlyMap<string, Envelope>;
}

/** Two weeks of a night, and the envelope of every pattern at their end. */
export function setStage(night: readonly Life[], random: Random, days = HISTORY): Stage {
  const patterns = Map.groupBy(night, (life) => life.pattern);
  const histories = Map.groupBy(toHistory(night, days, random), (life) => life.pattern);
  // Decided at noon, between two nights.
  const at = days * DAY + DAY / 2;
  return {
    patterns,
    histories,
    envelopes: new Map([...patterns.keys()].map((name) => [name, envelopeOf(histories.get(name) ?? [], at)])),
  };
}

/** Nights as they come: how many wake anybody, and with which words the first. */
export function replayUnchanged(
  { patterns, histories, envelopes }: Stage,
  random: Random,
): { woken: number; first: string | null } {
  let woken = 0;
  let first: string | null = null;
  for (let night = 0; night < UNCHANGED; night++) {
    const breaks = [...patterns].flatMap(([name, lives]) => {
      const envelope = envelopes.get(name);
      const history = lastDays(histories.get(name) ?? []);
      const found = envelope && firstBreak(envelope, history, onDay(jitter(lives, random), HISTORY), null);
      return found?.why ?? [];
    });
    if (breaks.length > 0) woken++;
    first ??= breaks[0] ?? null;
  }
  return { woken, first };
}

/** Nights with one change each, in a pattern picked by chance: how many are found. */
export function replayChanged(stage: Stage, change: Change, random: Random): Tally {
  const tally: Tally = { fit: 0, found: 0, small: 0, smallFound: 0 };
  const names = [...stage.patterns.keys()];
  for (let night = 0; night < CHANGED; night++) {
    const name = names[Math.floor(random() * names.length)] ?? '';
    const envelope = stage.envelopes.get(name);
    if (envelope === undefined) continue;
    // The change is all that is different, so that ×5 is five times the usual.
    const usual = stage.patterns.get(name) ?? [];
    const isFit = FIT[change](usual, envelope);
    const changed = onDay(CHANGES[change](usual, random, envelope), HISTORY);
    const louderAt = change === 'severe twin' ? (changed[0]?.start ?? 0) + 60_000 : null;
    const found = firstBreak(envelope, lastDays(stage.histories.get(name) ?? []), changed, louderAt) !== null;
    if (isFit) tally.fit++;
    else tally.small++;
    if (found && isFit) tally.found++;
    if (found && !isFit) tally.smallFound++;
  }
  return tally;
}

/** Older lives count no more in any window. */
function lastDays(history: readonly Life[]): Life[] {
  return history.filter((life) => life.end > (HISTORY - 1) * DAY);
}

/** The lives of a night's file as receive would store them; what still fires at its end ends then. */
export function readLives(file: string): Life[] {
  const bytes = readFileSync(file);
  const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split('\n');
  const arrivals = lines.flatMap((line) => {
    const { at, body } = JSON.parse(line) as { at: string; body: { alerts: unknown[]; status: string } };
    const receivedAt = new Date(at);
    return body.alerts.flatMap((entry): Arrival[] => {
      const alert = normalizeAlert(entry, 'firing', { receivedAt, cluster: 'bench' });
      if (typeof alert === 'string') return [];
      const pattern = toPattern(alert, { cluster: 'bench' });
      return [{ alert, pattern, receivedAt, traceparent: '', own: false }];
    });
  });
  const { newEpisodes } = planArrivals(arrivals, new Map(), new Map());
  const begin = Math.floor(Math.min(...arrivals.map((one) => one.receivedAt.getTime())) / DAY) * DAY;
  const finish = Math.max(...arrivals.map((one) => one.receivedAt.getTime()));
  return newEpisodes
    .filter(({ arrival: { pattern } }) => pattern.severity !== 'critical' && pattern.alertname !== HEARTBEAT)
    .map(({ arrival, state }) => {
      const start = arrival.receivedAt.getTime() - begin;
      const lasts = (state.endedAt?.getTime() ?? finish) - state.startsAt.getTime();
      return { pattern: arrival.pattern.pattern, start, end: start + Math.max(1_000, lasts) };
    });
}

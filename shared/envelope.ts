/**
 * The envelope of a decision: what was normal for a pattern when somebody said "not concerning". It holds what was seen
 * and the limits beyond which it is no longer the thing that was judged. Pure. docs/decisions/0009 gives the reasons.
 * Invariant: every limit lies above everything seen so far, so the history it was made of is always inside.
 */

/** Upper bounds of the duration buckets in seconds, as `duration_bounds()` of the schema has them; one more holds the rest. */
export const DURATION_BOUNDS = [
  15, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800,
  14_400, 21_600, 28_800, 43_200, 64_800, 86_400, 172_800, 259_200, 604_800, 1_209_600, 2_592_000,
] as const;
/** Days of history that a decision is judged by. */
export const HISTORY_DAYS = 30;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Chance of an ordinary hour or day reaching its limit: 100 ignored issues then wake about once a year. */
const ALPHA = 1e-6;
/** Fewer observed days say nothing of days; the limit of a day then follows from the hours. */
const MIN_DAYS = 3;
/** From this many episodes on, a multiple of the most ever seen is a limit by itself. */
const ENOUGH = 10;
/** On fewer days, durations hardly tell how long one lasts. */
const FEW = 5;
/** Standard deviation of the logarithm below which durations are alike: two thirds within a factor of 1.6. */
const ALIKE = 0.5;
/** Firing for less than this is never longer than usual, in seconds. */
const SHORTEST_LIMIT = 600;

/** One hour of a pattern's history. */
export interface HistoryHour {
  readonly hour: Date;
  readonly opened: number;
  readonly healed: number;
  readonly lost: number;
  readonly seconds: number;
  readonly longest: number;
  readonly durations: readonly number[];
  readonly incidents: number;
  readonly atOnce: number;
}

export interface Companion {
  readonly pattern: string;
  readonly alertname: string;
  /** Share of the pattern's incidents beside which it opened. */
  readonly share: number;
}

export interface EnvelopeInput {
  /** When the decision was made. */
  readonly at: Date;
  readonly firstSeen: Date;
  /** Hours with any episode, of the last 30 days up to `at`. */
  readonly hours: readonly HistoryHour[];
  /** Episodes of the 60 minutes up to `at`: what the person saw. */
  readonly lastHour: number;
  /** How long the oldest open episode had fired at `at`; null when none was open. */
  readonly openForSeconds: number | null;
  /** Whether the same alert opened in a higher severity too. */
  readonly louderSeen: boolean;
  readonly companions: readonly Companion[];
}

export interface Envelope {
  readonly version: 1;
  readonly days: number;
  readonly episodes: number;
  readonly incidents: number;
  /** The most that was seen. */
  readonly usual: {
    readonly perHour: number;
    readonly perDay: number;
    readonly atOnce: number;
    readonly p95Seconds: number | null;
    readonly longestSeconds: number | null;
  };
  /** Reaching one of these is outside. */
  readonly limits: {
    readonly hour: number;
    readonly day: number;
    readonly atOnce: number;
    readonly seconds: number;
  };
  /** Episodes by hour of the day, UTC. */
  readonly hours: readonly number[];
  readonly louderSeen: boolean;
  readonly companions: readonly Companion[];
}

/** Makes the envelope of a pattern's history. */
export function toEnvelope(input: EnvelopeInput): Envelope {
  const { at, hours, lastHour } = input;
  const from = Math.max(input.firstSeen.getTime(), at.getTime() - HISTORY_DAYS * DAY_MS);
  const observedHours = clamp((at.getTime() - from) / HOUR_MS, 1, HISTORY_DAYS * 24);
  const perHour = hours.map((row) => row.opened);
  const perDay = byDay(hours, at, (day, { opened }) => day + opened);
  const episodes = sum(perHour);
  const durations = addDurations(hours);
  const healed = sum(durations);
  const longest = Math.max(0, ...hours.map((row) => row.longest));
  const usual = {
    perHour: Math.max(0, lastHour, ...perHour),
    perDay: Math.max(0, ...perDay),
    atOnce: Math.max(1, ...hours.map((row) => row.atOnce)),
    p95Seconds: healed === 0 ? null : quantile(durations, 0.95, longest),
    longestSeconds: healed === 0 ? null : longest,
  };
  const hour = countLimit(perHour, observedHours, usual.perHour);
  const days = observedHours / 24;
  return {
    version: 1,
    days: round(days),
    episodes,
    incidents: sum(hours.map((row) => row.incidents)),
    usual,
    limits: {
      // Who decides in the middle of a burst has seen its pace; an hour of the same pace is not news.
      hour: Math.max(hour, 3 * lastHour + 1),
      day: Math.max(
        days >= MIN_DAYS
          ? countLimit(perDay, days, usual.perDay)
          : countLimit(perHour, observedHours / 24, usual.perDay),
        6 * lastHour + 1,
      ),
      atOnce: atOnceLimit(usual.atOnce, episodes),
      // Whole seconds, so that a date made of it is not a moment too early.
      seconds: Math.ceil(secondsLimit(hours, healed, longest, input)),
    },
    hours: byHourOfDay(hours),
    louderSeen: input.louderSeen,
    companions: input.companions,
  };
}

/**
 * The least count that an ordinary period does not reach. The periods' counts are taken as negative binomial (Poisson
 * when they do not vary more than that), with the upper end of what the mean may be: few events leave it wide.
 * Never less than half as much again as the most seen, nor, once enough was seen, more than three times it.
 */
export function countLimit(counts: readonly number[], periods: number, most: number): number {
  const total = sum(counts);
  const mean = total / periods;
  const variance = sum(counts.map((count) => count * count)) / periods - mean * mean;
  const spread = mean > 0 ? Math.max(0, (variance - mean) / (mean * mean)) : 0;
  const upperMean = (total + 2 * Math.sqrt(total) + 3) / periods;
  const least = Math.floor(1.5 * most) + 3;
  const highest = total >= ENOUGH ? 3 * most + 6 : Infinity;
  return Math.max(least, Math.min(highest, tailLimit(upperMean, spread)));
}

/** The least x with P(X ≥ x) < ALPHA for a negative binomial of this mean and spread (variance = mean + spread · mean²). */
export function tailLimit(mean: number, spread: number): number {
  const size = spread > 0 ? 1 / spread : Infinity;
  const giveUp = mean + 40 * Math.sqrt(mean + spread * mean * mean) + 100;
  let logTerm = size === Infinity ? -mean : size * Math.log(size / (size + mean));
  let below = 0;
  let x = 0;
  for (; x < giveUp; x++) {
    if (1 - below < ALPHA) return x;
    below += Math.exp(logTerm);
    const ratio = size === Infinity ? mean / (x + 1) : ((x + size) / (x + 1)) * (mean / (size + mean));
    logTerm += Math.log(ratio);
  }
  return x;
}

/** The value that a share of the durations does not exceed: the upper bound of its bucket, or the longest if that is less. */
export function quantile(durations: readonly number[], share: number, longest: number): number {
  const wanted = share * sum(durations);
  let seen = 0;
  for (const [index, count] of durations.entries()) {
    seen += count;
    if (seen >= wanted && seen > 0) return Math.min(DURATION_BOUNDS[index] ?? longest, longest);
  }
  return longest;
}

/** Adds the duration buckets of some hours. */
export function addDurations(hours: ReadonlyArray<Pick<HistoryHour, 'durations'>>): number[] {
  const all = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0);
  for (const { durations } of hours) {
    for (const [index, count] of durations.entries()) all[index] = (all[index] ?? 0) + count;
  }
  return all;
}

/** At least three more and half as many again as ever; with little history, more than twice as many. */
function atOnceLimit(most: number, episodes: number): number {
  return Math.max(most + 3, episodes < ENOUGH ? 2 * most + 1 : Math.floor(1.5 * most) + 1);
}

/**
 * Half as long again as the longest, or, if that is more, what an ordinary day does not reach. Where the longest of the
 * days are alike that is four times the usual, and less where many a day make the longest long already (their expected
 * maximum); else they are taken as log-normal, up to two and a half times the longest ever. Of a few episodes the next may well be the longest of all. What never
 * healed has no usual duration; it is worth a word after a day, or after three times what the person saw.
 */
function secondsLimit(
  hours: readonly HistoryHour[],
  healed: number,
  longest: number,
  { at, openForSeconds }: EnvelopeInput,
): number {
  const seenOpen = openForSeconds ?? 0;
  if (healed === 0) return Math.max(86_400, 3 * seenOpen);
  const most = Math.max(longest, seenOpen);
  const days = byDay(hours, at, (day, { longest: one }) => Math.max(day, one)).filter((day) => day > 0);
  if (days.length < FEW) return Math.max(SHORTEST_LIMIT, 3 * most);
  const logs = atLeast(days.map((day) => Math.log(day)));
  const mean = sum(logs) / logs.length;
  const spread = Math.sqrt(sum(logs.map((log) => (log - mean) ** 2)) / (logs.length - 1));
  const alike = Math.log(Math.max(2.5, 4 / (1 + Math.log(healed / logs.length) / 3)));
  const far =
    spread < ALIKE
      ? Math.exp(mean + alike)
      : Math.min(2.5 * most, Math.exp(mean + (4 + 8 / logs.length) * spread));
  return Math.max(SHORTEST_LIMIT, 1.5 * most, far);
}

/** Days on which the long ones were missing say nothing of how long they last: none counts as farther below the middle than the longest is above it. */
function atLeast(logs: readonly number[]): number[] {
  const sorted = logs.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const least = 2 * middle - (sorted.at(-1) ?? 0);
  return logs.map((log) => Math.max(log, least));
}

function byDay(
  hours: readonly HistoryHour[],
  at: Date,
  add: (day: number, hour: HistoryHour) => number,
): number[] {
  const days = new Map<number, number>();
  for (const hour of hours) {
    const day = Math.floor((at.getTime() - hour.hour.getTime()) / DAY_MS);
    days.set(day, add(days.get(day) ?? 0, hour));
  }
  return [...days.values()];
}

function byHourOfDay(hours: readonly HistoryHour[]): number[] {
  const counts = Array.from({ length: 24 }, () => 0);
  for (const { hour, opened } of hours) {
    const index = hour.getUTCHours();
    counts[index] = (counts[index] ?? 0) + opened;
  }
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/**
 * The time machine: what a decision on a pattern would have done to the last 30 days. Counts are exact; a median or
 * percentile is the upper bound of its duration bucket. Pure.
 */
import { DURATION_BOUNDS, addDurations, quantile } from '../../shared/envelope.ts';
import type { HistoryHour } from '../../shared/envelope.ts';
import type { Followed } from '../../shared/postgres/history.ts';

const HOUR_MS = 3_600_000;
/** Criticals that are named. */
const EXAMPLES = 10;
/** No shorter "unless longer than" is worth proposing, in seconds. */
const SHORTEST_STEP = 300;

export interface Span {
  readonly from: Date;
  readonly to: Date;
}

export interface BacktestInput extends Span {
  readonly hours: readonly HistoryHour[];
  readonly followed: Followed;
  readonly night: Night;
}

/** The nights of the span, and the episodes of those hours of which a night holds only a part. */
export interface Night {
  readonly start: string;
  readonly end: string;
  readonly zone: string;
  readonly windows: readonly Span[];
  readonly inPartHours: number;
}

/** What another form of the decision would have changed. */
export interface Variant {
  readonly hidden: number;
  readonly told: number;
  /** Criticals that followed what it would still have hidden, of the latest 500 that followed. */
  readonly criticals: number;
}

export interface Backtest extends Span {
  /** Everything that would have been hidden. */
  readonly episodes: number;
  readonly incidents: number;
  /** What ended by itself, and within which time; null when nothing did. */
  readonly healedAlone: {
    readonly episodes: number;
    readonly medianSeconds: number | null;
    readonly p95Seconds: number | null;
    readonly longestSeconds: number | null;
  };
  /** What is open, or ended without a word from Alertmanager. */
  readonly notHealed: number;
  /** Criticals in the same namespace within 30 minutes after a hidden episode. */
  readonly beforeCritical: {
    readonly criticals: number;
    readonly episodes: number;
    readonly examples: ReadonlyArray<{
      readonly at: Date;
      readonly alertname: string;
      readonly title: string;
      readonly pattern: string;
      readonly minutesAfter: number;
    }>;
  };
  readonly unlessLongerThan: ReadonlyArray<Variant & { readonly seconds: number }>;
  readonly onlyAtNight: Variant & { readonly start: string; readonly end: string; readonly zone: string };
  /** The same in words. */
  readonly sentences: readonly string[];
}

/** Plays a hiding decision back over a pattern's history. */
export function playBack(input: BacktestInput): Backtest {
  const { hours, followed, from, to } = input;
  const durations = addDurations(hours);
  const total = (field: 'opened' | 'incidents' | 'healed'): number =>
    hours.reduce((sum, hour) => sum + hour[field], 0);
  const episodes = total('opened');
  const healed = total('healed');
  const longest = hours.reduce((most, hour) => Math.max(most, hour.longest), 0);
  const at = (share: number): number | null => (healed === 0 ? null : quantile(durations, share, longest));
  const facts = {
    from,
    to,
    episodes,
    incidents: total('incidents'),
    healedAlone: {
      episodes: healed,
      medianSeconds: at(0.5),
      p95Seconds: at(0.95),
      longestSeconds: healed === 0 ? null : longest,
    },
    notHealed: episodes - healed,
    beforeCritical: {
      criticals: followed.total,
      episodes: followed.episodes,
      examples: followed.criticals.slice(0, EXAMPLES).map((critical) => ({
        at: critical.openedAt,
        alertname: critical.alertname,
        title: critical.title,
        pattern: critical.pattern,
        minutesAfter: Math.round((critical.openedAt.getTime() - critical.precededAt.getTime()) / 60_000),
      })),
    },
    unlessLongerThan: toSteps(at(0.95), longest).map((seconds) =>
      unlessLonger(input, durations, episodes, seconds),
    ),
    onlyAtNight: atNight(input, episodes),
  };
  return { ...facts, sentences: toSentences(facts) };
}

/** Splits the hours that a night holds only a part of; their episodes are counted one by one. */
export function partHours(hours: readonly HistoryHour[], windows: readonly Span[]): Span[] {
  return hours.flatMap(({ hour }) => {
    const end = hour.getTime() + HOUR_MS;
    return windows
      .map((night) => ({
        from: new Date(Math.max(hour.getTime(), night.from.getTime())),
        to: new Date(Math.min(end, night.to.getTime())),
      }))
      .filter((part) => part.from < part.to && part.to.getTime() - part.from.getTime() < HOUR_MS);
  });
}

/** The steps at or above the 95th percentile and the longest. */
function toSteps(p95: number | null, longest: number): number[] {
  if (p95 === null) return [];
  const stepAbove = (seconds: number): number =>
    DURATION_BOUNDS.find((bound) => bound >= Math.max(seconds, SHORTEST_STEP)) ?? DURATION_BOUNDS.at(-1) ?? 0;
  return [...new Set([stepAbove(p95), stepAbove(longest)])];
}

function unlessLonger(
  { followed }: BacktestInput,
  durations: readonly number[],
  episodes: number,
  seconds: number,
): Variant & { seconds: number } {
  const index = DURATION_BOUNDS.findIndex((bound) => bound >= seconds);
  const within = durations.slice(0, index + 1).reduce((sum, count) => sum + count, 0);
  return {
    seconds,
    hidden: within,
    // What has not healed fires longer than any step, as far as is known.
    told: episodes - within,
    criticals: followed.criticals.filter(
      ({ precededForSeconds: lasted }) => lasted !== null && lasted <= seconds,
    ).length,
  };
}

function atNight({ hours, night, followed }: BacktestInput, episodes: number): Backtest['onlyAtNight'] {
  const { start, end, zone, windows, inPartHours } = night;
  const whole = hours.filter(({ hour }) =>
    windows.some((w) => w.from <= hour && hour.getTime() + HOUR_MS <= w.to.getTime()),
  );
  const hidden = whole.reduce((sum, hour) => sum + hour.opened, inPartHours);
  const isAtNight = (time: Date): boolean => windows.some((w) => w.from <= time && time < w.to);
  return {
    start,
    end,
    zone,
    hidden,
    told: episodes - hidden,
    criticals: followed.criticals.filter(({ precededAt }) => isAtNight(precededAt)).length,
  };
}

function toSentences(facts: Omit<Backtest, 'sentences'>): string[] {
  const { episodes, incidents, healedAlone, beforeCritical, unlessLongerThan, onlyAtNight } = facts;
  if (episodes === 0) return ['Nothing of it was seen in the last 30 days.'];
  const first = beforeCritical.examples[0];
  return [
    `It would have hidden ${count(episodes, 'alert')} of ${count(incidents, 'incident')} in the last 30 days.`,
    healedAlone.episodes === 0
      ? 'None of them healed alone.'
      : `${healedAlone.episodes} of them healed alone: half within ${toWords(healedAlone.medianSeconds)}, 95 % within ${toWords(healedAlone.p95Seconds)}, the longest after ${toWords(healedAlone.longestSeconds)}.`,
    first === undefined
      ? 'None came within 30 minutes before a critical in the same namespace.'
      : `${count(beforeCritical.episodes, 'alert')} came within 30 minutes before ${count(beforeCritical.criticals, 'critical')} in the same namespace, last before ${first.alertname} on ${first.at.toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
    ...unlessLongerThan.map(
      ({ seconds, told }) => `Unless longer than ${toWords(seconds)}: ${told} of them told after that time.`,
    ),
    `Only at night (${onlyAtNight.start}–${onlyAtNight.end} ${onlyAtNight.zone}): ${onlyAtNight.hidden} hidden, ${onlyAtNight.told} told by day.`,
  ];
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function toWords(seconds: number | null): string {
  if (seconds === null) return '?';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/**
 * Histories made of a night: the same night again and again, each time a little different, and nights in which one
 * thing changed. Seeded: the same seed gives the same nights. For measuring when a decision wakes.
 */
import { DURATION_BOUNDS, toEnvelope } from '../shared/envelope.ts';
import type { Envelope, HistoryHour } from '../shared/envelope.ts';
import { outside } from '../functions/suppress-check/envelope.ts';
import type { Outside } from '../functions/suppress-check/envelope.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** How nights differ by themselves: one life in ten is missing, one in ten comes twice, causes come earlier or later. */
const DROPPED = 0.1;
const REPEATED = 0.1;
const SHIFT_MS = 15 * MINUTE;
/** Noon after a night, a time at which the nights never have alerts. */
const NOON = 36 * HOUR;
/** What comes within this time of each other has one cause. */
const ONE_CAUSE_MS = HOUR;
/** Standard deviation of the logarithm of durations. */
const DURATION_SPREAD = 0.3;

/** One firing-to-resolved life, in milliseconds since the first night began. */
export interface Life {
  readonly pattern: string;
  readonly start: number;
  readonly end: number;
}

export type Random = () => number;

/** What can be changed in a night; each is one thing that somebody who ignores an issue would want to hear of. */
export const CHANGES = {
  'rate ×5': (lives: readonly Life[], random: Random): Life[] => repeatNear(lives, 5, random),
  'duration ×5': (lives: readonly Life[]): Life[] =>
    lives.map((life) => ({ ...life, end: life.start + 5 * (life.end - life.start) })),
  'twice at once': (lives: readonly Life[], _random: Random, { usual }: Envelope): Life[] => {
    const longest = lives.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0];
    const more = longest === undefined ? [] : Array.from({ length: 2 * usual.atOnce - 1 }, () => longest);
    return [...lives, ...more];
  },
  'severe twin': (lives: readonly Life[]): Life[] => [...lives],
  'new hour, rate ×3': (lives: readonly Life[], random: Random, { usual }: Envelope): Life[] =>
    Array.from({ length: 3 * usual.perHour }, () => lives[0])
      .filter((life) => life !== undefined)
      .map((life) => {
        const start = NOON + random() * 0.9 * HOUR;
        return { ...life, start, end: start + life.end - life.start };
      }),
} as const;
export type Change = keyof typeof CHANGES;

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A night as it might have been: what has one cause moves together. */
export function jitter(night: readonly Life[], random: Random): Life[] {
  return toRuns(night, ONE_CAUSE_MS).flatMap((lives) => {
    const shift = SHIFT_MS * normal(random);
    return lives.flatMap((life) => {
      if (random() < DROPPED) return [];
      const lasts = (life.end - life.start) * Math.exp(DURATION_SPREAD * normal(random));
      const one = { ...life, start: life.start + shift, end: life.start + shift + lasts };
      if (random() >= REPEATED) return [one];
      const later = lasts + random() * 2 * HOUR;
      return [one, { ...one, start: one.start + later, end: one.end + later }];
    });
  });
}

/** `days` nights that differ by themselves, one a day. */
export function toHistory(night: readonly Life[], days: number, random: Random): Life[] {
  return Array.from({ length: days }, (_, day) => onDay(jitter(night, random), day)).flat();
}

/** The same lives some days later. */
export function onDay(lives: readonly Life[], day: number): Life[] {
  return lives.map((life) => ({ ...life, start: life.start + day * DAY, end: life.end + day * DAY }));
}

/** The envelope of one pattern's history at a time. */
export function envelopeOf(history: readonly Life[], at: number): Envelope {
  return toEnvelope({
    at: new Date(at),
    firstSeen: new Date(Math.min(at, ...history.map((life) => life.start))),
    hours: toHours(history),
    lastHour: history.filter(({ start }) => start > at - HOUR && start <= at).length,
    openForSeconds: null,
    louderSeen: false,
    companions: [],
  });
}

/** Plays lives of one pattern after its history; answers why the envelope was left first, or null. */
export function firstBreak(
  envelope: Envelope,
  history: readonly Life[],
  night: readonly Life[],
  louderAt: number | null,
): Outside | null {
  const all = [...history, ...night].toSorted((a, b) => a.start - b.start);
  const looks = night.flatMap(({ start, end }) => [start, end]).toSorted((a, b) => a - b);
  if (louderAt !== null) looks.push(louderAt);
  const starts = all.map((life) => life.start);
  for (const at of looks) {
    const open = all.filter((life) => life.start <= at && life.end >= at);
    const found = outside(envelope, {
      at: new Date(at),
      inHour: starts.filter((start) => start > at - HOUR && start <= at).length,
      inDay: starts.filter((start) => start > at - DAY && start <= at).length,
      atOnce: Math.max(1, open.filter((life) => life.end > at).length),
      openForSeconds: open.length === 0 ? null : (at - Math.min(...open.map((life) => life.start))) / 1_000,
      louder: louderAt !== null && at >= louderAt ? 'critical' : null,
    });
    if (found !== null) return found;
  }
  return null;
}

/** Counts lives by the hour, as the roll-up does. */
export function toHours(lives: readonly Life[]): HistoryHour[] {
  const incidents = toRuns(lives, 0);
  const peaks = new Map<Life, number>();
  for (const incident of incidents) {
    const peak = Math.max(
      ...incident.map(({ start }) => incident.filter((one) => one.start <= start && one.end > start).length),
    );
    if (incident[0] !== undefined) peaks.set(incident[0], peak);
  }
  const byHour = Map.groupBy(lives, (life) => Math.floor(life.start / HOUR) * HOUR);
  return [...byHour].map(([hour, opened]) => {
    const seconds = opened.map(({ start, end }) => (end - start) / 1_000);
    const first = opened.flatMap((life) => peaks.get(life) ?? []);
    return {
      hour: new Date(hour),
      opened: opened.length,
      healed: opened.length,
      lost: 0,
      seconds: seconds.reduce((sum, one) => sum + one, 0),
      longest: Math.max(...seconds),
      durations: [...DURATION_BOUNDS, Infinity].map(
        (bound, index) =>
          seconds.filter((one) => one <= bound && one > (DURATION_BOUNDS[index - 1] ?? -1)).length,
      ),
      incidents: first.length,
      atOnce: Math.max(0, ...first),
    };
  });
}

/** Lives of one pattern with no longer gap than `gap` between them; without a gap they are one incident. */
function toRuns(lives: readonly Life[], gap: number): Life[][] {
  const incidents: Life[][] = [];
  for (const ofOne of Map.groupBy(lives, (life) => life.pattern).values()) {
    let until = -Infinity;
    for (const life of ofOne.toSorted((a, b) => a.start - b.start)) {
      if (life.start > until + gap) incidents.push([]);
      incidents.at(-1)?.push(life);
      until = Math.max(until, life.end);
    }
  }
  return incidents;
}

function repeatNear(lives: readonly Life[], times: number, random: Random): Life[] {
  return lives.flatMap((life) =>
    Array.from({ length: times }, (_, index) => {
      const later = index === 0 ? 0 : (random() - 0.5) * HOUR;
      return { ...life, start: life.start + later, end: life.end + later };
    }),
  );
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

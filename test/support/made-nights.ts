/** Nights made of random patterns, with names and numbers that no template contains; the same seed makes the same night. */
import { toCounts, toGroups, toIssue } from '../../shared/digest/groups.ts';
import type { NightFacts } from '../../shared/digest/facts.ts';
import type { PatternNight } from '../../shared/postgres/digest-night.ts';
import type { Severity } from '../../shared/severity.ts';

const FROM = new Date('2026-02-02T18:00:00Z');
const TO = new Date('2026-02-03T08:00:00Z');
const NIGHT_MS = TO.getTime() - FROM.getTime();
const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'warning', 'info', 'info', 'none', 'unknown'];
const NAMES = [
  'HighMemoryUsage',
  'PodNotReady',
  'DiskUsageHigh',
  'QueueTooLong',
  'ProbeFailed',
  'CertExpires',
];
const NAMESPACES = ['production', 'media', 'db', null, 'ns_42', 'a-b-c'];

/** A generator of numbers below 1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The patterns of one night. */
export function makePatterns(random: () => number): PatternNight[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  return Array.from({ length: below(60) }, (_, index) => {
    const episodes = 1 + below(random() < 0.1 ? 900 : 30);
    const firing = random() < 0.25 ? 1 + below(Math.min(episodes, 4)) : 0;
    const start = new Date(FROM.getTime() + below(NIGHT_MS / 2));
    const last = new Date(start.getTime() + below(NIGHT_MS / 3));
    const severity = pick(SEVERITIES);
    return {
      pattern: `v1:${index}`,
      alertname: pick(NAMES),
      severity,
      namespace: pick(NAMESPACES),
      title: `thing-${below(400)}/part${index}`,
      workload: null,
      node: random() < 0.3 ? `node-${below(9)}` : null,
      category: random() < 0.5 ? 'workload' : null,
      runbook: random() < 0.3 ? 'https://runbooks.example.org/a' : null,
      next_step: null,
      heartbeat: severity === 'none' && random() < 0.2,
      first_ever: random() < 0.3 ? start : new Date(FROM.getTime() - below(60) * 86_400_000),
      episodes,
      firing,
      series: 1 + below(episodes),
      most: 1 + below(episodes),
      cycles: below(9),
      first_start: start,
      firing_since: firing > 0 ? last : null,
      last_start: last,
      last_seen: firing > 0 ? TO : last,
      seconds: below(200_000),
      longest: firing === episodes ? null : below(9_000),
      lost: below(2),
      nights: Array.from({ length: 13 }, (__, night) => night + 1).filter(() => random() < 0.3),
    };
  });
}

/** The facts of those patterns, as collectFacts would answer them. */
export function makeFacts(patterns: readonly PatternNight[]): NightFacts {
  return {
    name: 'all',
    zone: 'UTC',
    windows: [{ start: FROM, end: TO }],
    from: FROM,
    to: TO,
    counts: toCounts(patterns),
    heartbeats: toCounts(patterns.filter(({ heartbeat }) => heartbeat)),
    groups: toGroups(patterns, { from: FROM, to: TO, knownNights: 14 }),
    earlier: [],
    wakes: { total: 0, shown: [] },
    quietened: [],
    fresh: patterns.filter(({ heartbeat, first_ever }) => !heartbeat && first_ever >= FROM).map(toIssue),
    returning: [],
    nodes: [],
    cluster: null,
    correlations: [],
    compare: { nights: 14, median: 40, lastWeek: null },
    lost: { truncated: 0, rejected: 0, rejections: [], missed: null, missedWhy: null },
    between: 0,
  };
}

/** Puts the patterns of a night together: totals, and groups by alertname, severity and namespace. Pure. */
import type { GroupLabels, PatternNight } from '../postgres/digest-night.ts';
import { SEVERITIES } from '../severity.ts';
import type { Severity } from '../severity.ts';
import { FLAPS, WEEK } from './facts.ts';
import type { Group, IssueFact, NightFacts, Sums } from './facts.ts';
import { toLink, toName } from './words.ts';

const SAMPLES = 5;

/** Sums up the patterns of a night. */
export function toCounts(patterns: readonly PatternNight[]): NightFacts['counts'] {
  const sumBy = (nameOf: (pattern: PatternNight) => string): Record<string, Sums> => {
    const groups = Map.groupBy(patterns, nameOf);
    return Object.fromEntries([...groups].map(([name, of]) => [name, sum(of)]));
  };
  const byBoth = Map.groupBy(patterns, ({ alertname, severity }) => `${severity} ${alertname}`);
  return {
    ...sum(patterns),
    patterns: patterns.length,
    issues: patterns.filter(({ heartbeat }) => !heartbeat).length,
    bySeverity: sumBy(({ severity }) => severity),
    byType: sumBy(({ alertname }) => alertname),
    byTypeAndSeverity: [...byBoth.values()].map((of) => ({
      type: of[0]?.alertname ?? '',
      severity: of[0]?.severity ?? '',
      ...sum(of),
    })),
    byNamespace: sumBy(({ namespace }) => namespace ?? 'no namespace'),
    byCategory: sumBy(({ category }) => category ?? 'not classified'),
  };
}

/** Groups the patterns by alertname, severity and namespace; sorted by severity, frequency, duration. Heartbeats are none. */
export function toGroups(
  patterns: readonly PatternNight[],
  night: { readonly from: Date; readonly to: Date; readonly knownNights: number },
): Group[] {
  const byName = Map.groupBy(
    patterns.filter(({ heartbeat }) => !heartbeat),
    ({ alertname, severity, namespace }) => JSON.stringify([alertname, severity, namespace]),
  );
  return [...byName.values()]
    .map((of) => toGroup(of, night))
    .toSorted(
      (a, b) =>
        SEVERITIES.indexOf(rank(a.severity)) - SEVERITIES.indexOf(rank(b.severity)) ||
        b.episodes - a.episodes ||
        b.minutes - a.minutes ||
        (a.alertname + (a.namespace ?? '') < b.alertname + (b.namespace ?? '') ? -1 : 1),
    )
    .map((group, index) => ({ ...group, id: `g${index + 1}` }));
}

/** Puts what the labels say beside the groups. */
export function withLabels(groups: readonly Group[], labels: readonly GroupLabels[]): Group[] {
  const keyOf = (alertname: string, severity: string, namespace: string | null): string =>
    JSON.stringify([alertname, severity, namespace ?? '']);
  const known = new Map(labels.map((row) => [keyOf(row.alertname, row.severity, row.namespace), row]));
  return groups.map((group) => {
    const row = known.get(keyOf(group.alertname, group.severity, group.namespace));
    if (row === undefined) return group;
    const common = Object.entries(row.common)
      .slice(0, 12)
      .map(([name, value]) => [toName(name), toName(value)] as const);
    return {
      ...group,
      runbook: toLink(row.runbook) ?? group.runbook,
      pods: row.cut || row.pods === 0 ? null : row.pods,
      common: row.cut ? {} : Object.fromEntries(common),
    };
  });
}

/** An issue's own facts. */
export function toIssue({ pattern, title, episodes, firing, most, cycles }: PatternNight): IssueFact {
  return { pattern, title: toName(title), episodes, firing, flaps: Math.max(most, cycles) };
}

function toGroup(
  of: readonly PatternNight[],
  { from, to, knownNights }: { readonly from: Date; readonly to: Date; readonly knownNights: number },
): Group {
  const [first] = of;
  if (first === undefined) throw new Error('a group without patterns');
  const issues = of
    .map(toIssue)
    .toSorted((a, b) => b.firing - a.firing || b.episodes - a.episodes || (a.title < b.title ? -1 : 1));
  const flapper =
    issues.filter(({ flaps }) => flaps >= FLAPS).toSorted((a, b) => b.flaps - a.flaps)[0] ?? null;
  const nights = new Set(of.flatMap((pattern) => pattern.nights));
  const longest = Math.max(...of.map((pattern) => pattern.longest ?? -1));
  const since = of.map(({ firing_since }) => firing_since).filter((time) => time !== null);
  const isOld = of.some(({ first_ever }) => to.getTime() - first_ever.getTime() > 14 * 86_400_000);
  return {
    id: '',
    alertname: toName(first.alertname),
    severity: first.severity,
    namespace: first.namespace === null ? null : toName(first.namespace),
    category: first.category,
    ...sum(of),
    lost: total(of, 'lost'),
    firstSeen: least(of.map(({ first_start }) => first_start)),
    lastStart: most(of.map(({ last_start }) => last_start)),
    lastSeen: most(of.map(({ last_seen }) => last_seen)),
    firingSince: since.length === 0 ? null : least(since),
    minutes: total(of, 'seconds') / 60,
    series: total(of, 'series'),
    issues: of.length,
    pods: null,
    flapping: flapper !== null,
    flapper,
    samples: issues.slice(0, SAMPLES),
    longest: longest < 0 ? null : longest / 60,
    runbook: of.map(({ runbook }) => toLink(runbook)).find((link) => link !== null) ?? null,
    nextStep: of.map(({ next_step }) => next_step).find((step) => step !== null) ?? null,
    common: {},
    nights: 1 + [...nights].filter((night) => night < WEEK).length,
    running: runOf(nights),
    fresh: of.filter(({ first_ever }) => first_ever >= from).length,
    usuallyQuiet: isOld && nights.size === 0 && knownNights >= WEEK,
  };
}

/** An unknown severity is as loud as a warning. */
function rank(severity: Severity): Severity {
  return severity === 'unknown' ? 'warning' : severity;
}

function runOf(nights: ReadonlySet<number>): number {
  let running = 1;
  while (nights.has(running)) running++;
  return running;
}

function sum(of: readonly PatternNight[]): Sums {
  const [episodes, firing] = [total(of, 'episodes'), total(of, 'firing')];
  return { episodes, firing, resolved: episodes - firing };
}

function total(
  of: readonly PatternNight[],
  field: 'episodes' | 'firing' | 'lost' | 'seconds' | 'series',
): number {
  return of.reduce((all, pattern) => all + pattern[field], 0);
}

function least(times: readonly Date[]): Date {
  return times.reduce((a, b) => (a < b ? a : b));
}

function most(times: readonly Date[]): Date {
  return times.reduce((a, b) => (a > b ? a : b));
}

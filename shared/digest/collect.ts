/** Collects the facts of a night: all of them from one snapshot of the database, then what the cluster and Prometheus add. */
import type { CaptureWindowConfig } from '../capture-window-config.ts';
import {
  countBetween,
  firingFromBefore,
  lostIn,
  quietened,
  rejectedIn,
  wakes,
} from '../postgres/digest-around.ts';
import {
  gatherNight,
  groupLabels,
  keepMatching,
  patternNights,
  startedAfter,
} from '../postgres/digest-night.ts';
import type { NightSpan, PatternNight } from '../postgres/digest-night.ts';
import { transaction } from '../postgres/pool.ts';
import type { Pool, PoolClient } from '../postgres/pool.ts';
import { pastCounts, windowsBetween } from '../postgres/windows.ts';
import { compareSeverity } from '../severity.ts';
import { FLAPS, WEEK } from './facts.ts';
import { toCounts, toGroups, toIssue, withLabels } from './groups.ts';
import type { ClusterContext, Correlation, IssueFact, Lost, NightFacts, Span } from './facts.ts';
import { minutesBetween, toName } from './words.ts';

/** Nights before this one that are looked at. */
const PAST_NIGHTS = 14;
const DAY_MS = 86_400_000;
/** Groups whose labels are read; the others show their numbers. */
const LABELLED_GROUPS = 80;
const SHOWN_WAKES = 10;
const SHOWN_TITLES = 3;
/** What began within this time after a rollout is set beside it. */
const AFTER_ROLLOUT_MS = 2 * 3_600_000;
/** A node with alerts of this many names is worth a line. */
const NODE_TYPES = 3;
/** Less than this share of a workload's alerts, or fewer of them, say nothing about its rollout. */
const AFTER_ROLLOUT = { share: 0.3, alerts: 3 } as const;

/** Whose digest of which windows. */
export interface Wanted {
  readonly name: string;
  readonly zone: string;
  readonly windows: readonly Span[];
  /** Whether a digest is about alerts with these labels; null for everything. */
  readonly matches: ((labels: Readonly<Record<string, string>>) => boolean) | null;
}

/** What is known from elsewhere. */
export interface Beside {
  readonly cluster: ClusterContext | null;
  readonly missed: Pick<Lost, 'missed' | 'missedWhy'>;
}

/** Reads everything; the connection is held for the reading only. */
export async function collectFacts(
  pool: Pool,
  wanted: Wanted,
  calendar: CaptureWindowConfig,
  { cluster, missed }: Beside,
): Promise<NightFacts> {
  const span = toSpan(wanted);
  return transaction(pool, async (client) => {
    await client.query('set transaction isolation level repeatable read');
    await client.query(`set local work_mem = '64MB'`);
    await client.query('set local jit = off');
    const past = (
      await windowsBetween(
        client,
        calendar,
        new Date(span.from.getTime() - (PAST_NIGHTS + 1) * DAY_MS),
        span.from,
      )
    )
      .filter(({ start, end }) => end <= span.from && start < span.from)
      .slice(-PAST_NIGHTS);
    await gatherNight(client, span);
    if (wanted.matches !== null) await keepMatching(client, wanted.matches);
    const patterns = await patternNights(
      client,
      span,
      past.flatMap(({ start, end }) => [start, end]),
    );
    const counted = await pastCounts(client, span.from, PAST_NIGHTS);
    const groups = toGroups(patterns, { from: span.from, to: span.to, knownNights: counted.length });
    const named = groups.filter(({ severity }) => severity !== 'none').slice(0, LABELLED_GROUPS);
    const labels = await groupLabels(client, named);
    const rejected = await rejectedIn(client, span);
    const lost = await lostIn(client, span);
    const everything = wanted.matches === null;
    return {
      name: wanted.name,
      zone: wanted.zone,
      windows: wanted.windows,
      from: span.from,
      to: span.to,
      counts: toCounts(patterns),
      heartbeats: toCounts(patterns.filter(({ heartbeat }) => heartbeat)),
      groups: withLabels(groups, labels),
      earlier: everything ? await firingFromBefore(client, span) : [],
      wakes: everything ? await wakes(client, span, SHOWN_WAKES) : { total: 0, shown: [] },
      quietened: everything ? await quietened(client, span, SHOWN_TITLES) : [],
      fresh: loud(patterns)
        .filter(({ first_ever }) => first_ever >= span.from)
        .map(toNamed),
      returning: toReturning(patterns),
      nodes: toNodes(patterns),
      cluster,
      correlations: cluster === null ? [] : await correlate(client, span, cluster),
      compare: everything ? toCompare(counted, wanted.windows) : { nights: 0, median: null, lastWeek: null },
      lost: { ...lost, rejections: rejected.titles.map(toName), ...missed },
      between: await countBetween(client, span),
    };
  });
}

/** The span of some windows, in order. */
export function toSpan({ windows }: Pick<Wanted, 'windows'>): NightSpan {
  const [first] = windows;
  const last = windows.at(-1);
  if (first === undefined || last === undefined) throw new Error('a digest of no window');
  return {
    edges: windows.flatMap(({ start, end }) => [start, end]),
    from: first.start,
    to: last.end,
  };
}

/** Alerts without a severity are bookkeeping; heartbeats are no issues. */
function loud(patterns: readonly PatternNight[]): PatternNight[] {
  return patterns.filter(({ heartbeat, severity }) => !heartbeat && severity !== 'none');
}

/** An issue with its alert's name. */
function toNamed(pattern: PatternNight): IssueFact {
  return { ...toIssue(pattern), title: toName(`${pattern.alertname} · ${pattern.title}`) };
}

function toReturning(patterns: readonly PatternNight[]): NightFacts['returning'] {
  return loud(patterns)
    .map((pattern) => ({
      ...toNamed(pattern),
      severity: pattern.severity,
      nights: 1 + pattern.nights.filter((night) => night < WEEK).length,
    }))
    .filter(({ flaps, nights }) => flaps >= FLAPS || nights >= 3)
    .toSorted(
      (a, b) =>
        compareSeverity(a.severity, b.severity) ||
        b.nights - a.nights ||
        b.flaps - a.flaps ||
        (a.title < b.title ? -1 : 1),
    );
}

function toNodes(patterns: readonly PatternNight[]): NightFacts['nodes'] {
  const byNode = Map.groupBy(
    loud(patterns).filter(({ node }) => node !== null),
    ({ node }) => node ?? '',
  );
  return [...byNode]
    .map(([node, of]) => ({
      node: toName(node),
      alerts: of.reduce((sum, { episodes }) => sum + episodes, 0),
      types: new Set(of.map(({ alertname }) => alertname)).size,
    }))
    .filter(({ types }) => types >= NODE_TYPES)
    .toSorted((a, b) => b.types - a.types || b.alerts - a.alerts || (a.node < b.node ? -1 : 1));
}

async function correlate(
  client: PoolClient,
  span: NightSpan,
  { rollouts }: ClusterContext,
): Promise<Correlation[]> {
  const correlations: Correlation[] = [];
  for (const { namespace, name, at, images } of rollouts) {
    const change = { namespace, workload: name, at, withinMs: AFTER_ROLLOUT_MS };
    for (const { alertname, within, total, first } of await startedAfter(client, span, change)) {
      if (within < AFTER_ROLLOUT.alerts || within < total * AFTER_ROLLOUT.share) continue;
      correlations.push({
        alertname: toName(alertname),
        namespace: toName(namespace),
        workload: toName(name),
        at,
        images: images === null ? null : toName(images),
        within,
        total,
        afterMinutes: minutesBetween(at, first),
      });
    }
  }
  return correlations.toSorted((a, b) => b.within - a.within || (a.alertname < b.alertname ? -1 : 1));
}

function toCompare(
  past: ReadonlyArray<{ start: Date; alerts: number }>,
  windows: readonly Span[],
): NightFacts['compare'] {
  const sorted = past.map(({ alerts }) => alerts).toSorted((a, b) => a - b);
  const { length } = sorted;
  const median = length === 0 ? null : ((sorted[(length - 1) >> 1] ?? 0) + (sorted[length >> 1] ?? 0)) / 2;
  // A week ago, give or take a changed clock.
  const start = windows.at(-1)?.start.getTime() ?? 0;
  const lastWeek =
    windows.length === 1
      ? (past.find((night) => Math.abs(night.start.getTime() + 7 * DAY_MS - start) < 3 * 3_600_000)?.alerts ??
        null)
      : null;
  return { nights: length, median, lastWeek };
}

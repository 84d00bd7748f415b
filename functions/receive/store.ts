/** Makes arrivals durable in one transaction: reads what is known of them, plans, and writes the plan. */
import type { Alert } from '../../shared/alert.ts';
import { shiftAlertClock } from '../../shared/postgres/clock.ts';
import { insertEpisodes, latestEpisodes, updateEpisodes } from '../../shared/postgres/episodes.ts';
import { insertIncidents, openIncidents, updateIncidents } from '../../shared/postgres/incidents.ts';
import { addMetrics } from '../../shared/postgres/metrics.ts';
import type { MetricChange } from '../../shared/postgres/metrics.ts';
import { insertNotices } from '../../shared/postgres/notices.ts';
import { lockKnownPatterns, lockPatterns } from '../../shared/postgres/patterns.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool, PoolClient } from '../../shared/postgres/pool.ts';
import { planArrivals } from './episodes.ts';
import type { Arrival, EpisodeState, IncidentState, Plan } from './episodes.ts';

export interface StoreOptions {
  readonly isHeartbeat: (alertname: string) => boolean;
  /** Whether the clock of rules about alerts follows the stamps of a replay. */
  readonly allowReplay: boolean;
}

/** Stores arrivals, in order; answers what was written. `replayedAt` is the stamp of a replay, null for live alerts. */
export async function storeArrivals(
  pool: Pool,
  arrivals: readonly Arrival[],
  replayedAt: Date | null,
  options: StoreOptions,
): Promise<Plan> {
  return transaction(
    pool,
    async (client) => {
      const [episodes, incidents] = await readState(client, arrivals, options.isHeartbeat);
      return planArrivals(arrivals, episodes, incidents);
    },
    (client, plan) =>
      Promise.all([
        writePlan(client, plan),
        addMetrics(client, toMetrics(arrivals, plan)),
        options.allowReplay ? shiftAlertClock(client, replayedAt) : undefined,
      ]),
  );
}

async function readState(
  client: PoolClient,
  arrivals: readonly Arrival[],
  isHeartbeat: (alertname: string) => boolean,
): Promise<[Map<string, EpisodeState>, Map<string, IncidentState>]> {
  const seen = new Map(
    arrivals.map(({ pattern, own, receivedAt }) => [
      pattern.pattern,
      { pattern, own, seenAt: receivedAt, heartbeat: isHeartbeat(pattern.alertname) },
    ]),
  );
  const keys = [...new Set(arrivals.map(({ alert }) => alert.key))];
  // The three travel together; each sees what the ones before it locked.
  let [, latest, open] = await Promise.all([
    lockPatterns(client, [...seen.values()]),
    latestEpisodes(client, keys),
    openIncidents(client, [...seen.keys()]),
  ]);
  // An end may come with another text than its beginning, and so under another pattern: then both are locked.
  const others = latest
    .filter((row) => row.ended_at === null && !seen.has(row.pattern))
    .map((row) => row.pattern);
  if (others.length > 0) {
    await lockKnownPatterns(client, others);
    [latest, open] = await Promise.all([
      latestEpisodes(client, keys),
      openIncidents(client, [...seen.keys(), ...others]),
    ]);
  }
  return [
    new Map(
      latest.map((row) => [
        row.key,
        {
          id: row.id,
          key: row.key,
          pattern: row.pattern,
          incident: row.incident,
          startsAt: row.starts_at,
          endedAt: row.ended_at,
          endReason: row.end_reason,
          lastSeen: row.last_seen,
          endReceivedAt: row.end_received_at,
          previousEnd: row.previous_end,
        },
      ]),
    ),
    new Map(
      open.map((row) => [
        row.pattern,
        {
          id: row.id,
          pattern: row.pattern,
          openEpisodes: row.open_episodes,
          episodes: row.episodes,
          grownTo: row.grown_to,
          closedAt: null,
        },
      ]),
    ),
  ];
}

async function writePlan(client: PoolClient, plan: Plan): Promise<void> {
  // Incidents that close come first: a pattern has one open incident at most, and rows are checked one by one.
  const incidents = plan.newIncidents.toSorted(
    (a, b) => Number(a.state.closedAt === null) - Number(b.state.closedAt === null),
  );
  await Promise.all([
    updateEpisodes(
      client,
      plan.changedEpisodes.map((state) => ({ id: state.id ?? '', pattern: state.pattern, ...times(state) })),
    ),
    insertEpisodes(
      client,
      plan.newEpisodes.map(({ arrival, state }) => ({
        ...columns(arrival, arrival.alert),
        key: state.key,
        ...times(state),
      })),
    ),
    updateIncidents(
      client,
      plan.changedIncidents.map((state) => ({
        id: state.id,
        closed_at: state.closedAt,
        open_episodes: state.openEpisodes,
        episodes: state.episodes,
        grown_to: state.grownTo,
      })),
    ),
    insertIncidents(
      client,
      incidents.map(({ state, openedAt }) => ({
        id: state.id,
        pattern: state.pattern,
        opened_at: openedAt,
        closed_at: state.closedAt,
        open_episodes: state.openEpisodes,
        episodes: state.episodes,
        grown_to: state.grownTo,
      })),
    ),
    insertNotices(
      client,
      plan.notices.map((notice) => ({
        id: notice.id,
        incident: notice.incident,
        pattern: notice.pattern,
        kind: notice.kind,
        why: null,
        batch: null,
        open_episodes: notice.openEpisodes,
        traceparent: notice.arrival.traceparent,
        received_at: notice.arrival.receivedAt,
      })),
    ),
  ]);
}

/** What the arrivals add to the counters. What alertgest says of itself was received from nobody. */
function toMetrics(arrivals: readonly Arrival[], { duplicates }: Plan): MetricChange[] {
  const counts = new Map<string, MetricChange>();
  const add = (name: MetricChange['name'], labels: MetricChange['labels'], value: number): void => {
    const key = `${name} ${Object.values(labels).join(' ')}`;
    counts.set(key, { name, labels, value: (counts.get(key)?.value ?? 0) + value });
  };
  for (const { alert, pattern, own } of arrivals) {
    if (own) continue;
    const { severity } = pattern;
    add('alertgest_alerts_received_total', { severity, status: alert.status }, 1);
    add('alertgest_alerts_stored_total', { severity }, 1);
  }
  if (duplicates > 0) add('alertgest_alerts_discarded_total', { reason: 'duplicate' }, duplicates);
  return [...counts.values()];
}

function columns({ pattern, own, receivedAt }: Arrival, alert: Alert) {
  return {
    pattern: pattern.pattern,
    alertname: pattern.alertname,
    severity: pattern.severity,
    namespace: pattern.namespace,
    own,
    labels: alert.labels,
    annotations: alert.annotations,
    generator_url: alert.generatorUrl,
    flags: alert.flags,
    received_at: receivedAt,
  };
}

function times(state: EpisodeState) {
  return {
    incident: state.incident,
    starts_at: state.startsAt,
    ended_at: state.endedAt,
    end_reason: state.endReason,
    last_seen: state.lastSeen,
    end_received_at: state.endReceivedAt,
  };
}

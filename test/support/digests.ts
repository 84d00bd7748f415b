/** Builds digests as build-digest does, without a process around it. */
import { createBuilder } from '../../functions/build-digest/builder.ts';
import type { Built, BuilderDeps } from '../../functions/build-digest/builder.ts';
import type { ClusterContext } from '../../shared/digest/facts.ts';
import type { CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import { claimAsked, storeBuilt } from '../../shared/postgres/digest-claims.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { WindowSpan } from '../../shared/postgres/windows.ts';
import { normalizeAlert } from '../../shared/alert.ts';
import { toPattern } from '../../shared/pattern.ts';
import { createIngest } from '../../functions/receive/ingest.ts';
import type { Arrival } from '../../functions/receive/episodes.ts';
import type { NightLine } from './oracle.ts';

/** The night of the tests, under the users' names. */
export const LONDON: CaptureWindowConfig = {
  CAPTURE_WINDOW_START: '18:00',
  CAPTURE_WINDOW_END: '08:00',
  CAPTURE_WINDOW_TIMEZONE: 'Europe/London',
};

/** Builds the digest of some windows; nothing is stored. */
export function composeDigest(
  pool: Pool,
  windows: readonly WindowSpan[],
  overrides: Partial<BuilderDeps> = {},
): Promise<Built> {
  const build = createBuilder({
    pool,
    calendar: LONDON,
    readCluster: null,
    readMissed: () => Promise.resolve({ missed: null, missedWhy: null }),
    write: null,
    ...overrides,
  });
  return build(
    { name: 'all', zone: 'Europe/London', windows, matches: null, attempts: 1 },
    { log: null, signal: AbortSignal.timeout(60_000), useModel: overrides.write !== undefined },
  );
}

/** Builds and stores the digest of a span; answers its id. */
export async function buildDigest(pool: Pool, span: WindowSpan, tell = false): Promise<string> {
  const claim = await claimAsked(pool, { name: 'all', span, zone: 'Europe/London', tell });
  if (claim === undefined) throw new Error('the span is being built by somebody else');
  await storeBuilt(pool, claim, await composeDigest(pool, [span]));
  return claim.id;
}

interface SeedContext {
  readonly recent_deployments: ReadonlyArray<{
    name: string;
    namespace: string;
    updated_at: string;
    replicas_change: string;
    image_change: string;
  }>;
  readonly problematic_pods: ReadonlyArray<{
    name: string;
    namespace: string;
    status: string;
    restart_count: number;
    last_termination_reason: string;
  }>;
  readonly resource_pressure: { high_memory_nodes: string[]; high_cpu_pods: string[] };
  readonly recent_warning_events: ReadonlyArray<{ reason: string; count: number; involved_object: string }>;
}

/** A context file of the corpora in the words of a digest's facts. */
export function toClusterContext(context: SeedContext, workloadOf: (pod: string) => string): ClusterContext {
  return {
    rollouts: context.recent_deployments.map((each) => ({
      namespace: each.namespace,
      name: each.name,
      at: new Date(each.updated_at),
      replicas: each.replicas_change,
      images: each.image_change,
    })),
    pods: context.problematic_pods.map((pod) => ({
      namespace: pod.namespace,
      name: pod.name,
      workload: workloadOf(pod.name),
      status: pod.status,
      restarts: pod.restart_count,
      lastReason: pod.last_termination_reason,
    })),
    nodes: context.resource_pressure.high_memory_nodes,
    busyPods: context.resource_pressure.high_cpu_pods,
    events: context.recent_warning_events.map(({ reason, count, involved_object }) => ({
      reason,
      count,
      object: involved_object,
    })),
    absent: [],
  };
}

/** Stores the webhooks of a night as receive does, each at its own time. */
export async function storeNight(pool: Pool, lines: readonly NightLine[]): Promise<void> {
  const ingest = createIngest(pool, {
    isHeartbeat: (name) => name === 'Watchdog',
    allowReplay: true,
  });
  for (const { at, body } of lines) {
    const receivedAt = new Date(at);
    const arrivals = body.alerts.map((entry): Arrival => {
      const alert = normalizeAlert({ ...entry }, entry.status, { receivedAt, cluster: 'test' });
      if (typeof alert === 'string') throw new Error(alert);
      return {
        alert,
        pattern: toPattern(alert, { cluster: 'test' }),
        receivedAt,
        traceparent: '',
        own: false,
      };
    });
    await ingest.store(arrivals, receivedAt);
  }
}

/** What the cluster says beside a night, in the words of a digest's facts. */
import type { ClusterReader } from '../../shared/cluster.ts';
import { readWindowContext } from '../../shared/cluster-context.ts';
import type { ClusterContext as WindowContext } from '../../shared/cluster-context.ts';
import type { ClusterContext } from '../../shared/digest/facts.ts';

/** A rollout this long before the windows may still explain what happened in them. */
const BEFORE_MS = 24 * 3_600_000;
/** For all questions together, in milliseconds. */
const TIMEOUT_MS = 15_000;

/** Reads it; what cannot be read is named. */
export async function readCluster(
  reader: ClusterReader,
  since: Date,
  to: Date,
  signal: AbortSignal,
): Promise<ClusterContext> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return toFacts(await readWindowContext(reader, { from: new Date(since.getTime() - BEFORE_MS), to }, limit));
}

/** Keeps what a digest says. Pure. */
export function toFacts({
  rollouts,
  pods,
  nodes,
  nearLimits,
  events,
  missing,
}: WindowContext): ClusterContext {
  const isNode = ({ kind }: { kind: string }): boolean => kind === 'node';
  return {
    rollouts: rollouts.map(({ namespace, name, at, imageChange, replicasChange }) => ({
      namespace,
      name,
      at,
      images: imageChange,
      replicas: replicasChange,
    })),
    pods: pods.map(({ namespace, name, workload, status, restarts, lastReason }) => ({
      namespace,
      name,
      workload,
      status,
      restarts,
      lastReason,
    })),
    nodes: [
      ...new Set([...nodes.map(({ name }) => name), ...nearLimits.filter(isNode).map(({ name }) => name)]),
    ].toSorted(),
    busyPods: [
      ...new Set(
        nearLimits.filter((near) => !isNode(near)).map(({ namespace, name }) => `${namespace}/${name}`),
      ),
    ],
    events: events.map(({ reason, count, kind, name }) => ({
      reason,
      count,
      object: `${kind.toLowerCase()}/${name}`,
    })),
    absent: missing,
  };
}

/** The facts of Kubernetes objects that matter beside an alert, as plain values. Pure. */
import type {
  CoreV1Event,
  V1Container,
  V1ContainerStatus,
  V1Deployment,
  V1Node,
  V1ObjectMeta,
  V1Pod,
  V1ReplicaSet,
} from '@kubernetes/client-node';

/** What owns an object: its controller. */
export interface OwnerFact {
  readonly kind: string;
  readonly name: string;
}

export interface PodFact {
  readonly namespace: string;
  readonly name: string;
  readonly owner: OwnerFact | null;
  readonly node: string | null;
  /** `Running`, `Pending`, `Failed` …, or the reason a container waits for (`CrashLoopBackOff`, `ImagePullBackOff` …). */
  readonly status: string;
  readonly ready: boolean;
  /** Of all its containers. */
  readonly restarts: number;
  readonly lastTermination: {
    readonly reason: string;
    readonly exitCode: number;
    readonly at: Date | null;
  } | null;
  readonly images: readonly string[];
  /** Sums over its containers; null when one of them has no limit. */
  readonly cpuLimit: number | null;
  readonly memoryLimit: number | null;
}

export interface DeploymentFact {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly ready: number;
  readonly images: readonly string[];
  readonly revision: number;
  readonly createdAt: Date | null;
}

export interface ReplicaSetFact {
  readonly namespace: string;
  readonly name: string;
  readonly owner: OwnerFact | null;
  readonly revision: number;
  /** The Deployment's replicas when this revision was last its current one; null when nobody wrote them down. */
  readonly desired: number | null;
  readonly images: readonly string[];
  readonly createdAt: Date | null;
}

export interface EventFact {
  readonly namespace: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly kind: string;
  readonly name: string;
  readonly lastAt: Date | null;
}

export interface NodeFact {
  readonly name: string;
  readonly ready: boolean;
  /** Conditions that say something is wrong: `MemoryPressure`, `DiskPressure`, `PIDPressure`, `NetworkUnavailable`. */
  readonly pressure: readonly string[];
  /** What pods may use: cores and bytes. */
  readonly cpu: number | null;
  readonly memory: number | null;
}

/** Cores and bytes in use; the namespace is empty for a node. */
export interface UsageFact {
  readonly namespace: string;
  readonly name: string;
  readonly cpu: number;
  readonly memory: number;
}

const REVISION = 'deployment.kubernetes.io/revision';
const DESIRED = 'deployment.kubernetes.io/desired-replicas';

/** A pod's facts. */
export function toPod({ metadata, spec, status }: V1Pod): PodFact {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const limits = spec?.containers ?? [];
  return {
    ...toName(metadata),
    owner: toOwner(metadata),
    node: spec?.nodeName ?? null,
    status: toStatus(status?.phase, containers),
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    restarts: containers.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0),
    lastTermination: toTermination(containers),
    images: toImages(limits),
    cpuLimit: sumLimits(limits, 'cpu'),
    memoryLimit: sumLimits(limits, 'memory'),
  };
}

/** A Deployment's facts. */
export function toDeployment({ metadata, spec, status }: V1Deployment): DeploymentFact {
  return {
    ...toName(metadata),
    replicas: spec?.replicas ?? 1,
    ready: status?.readyReplicas ?? 0,
    images: toImages(spec?.template?.spec?.containers ?? []),
    revision: toNumber(metadata?.annotations?.[REVISION]) ?? 0,
    createdAt: toDate(metadata?.creationTimestamp),
  };
}

/** A ReplicaSet's facts: one revision of a Deployment. */
export function toReplicaSet({ metadata, spec }: V1ReplicaSet): ReplicaSetFact {
  return {
    ...toName(metadata),
    owner: toOwner(metadata),
    revision: toNumber(metadata?.annotations?.[REVISION]) ?? 0,
    desired: toNumber(metadata?.annotations?.[DESIRED]),
    images: toImages(spec?.template?.spec?.containers ?? []),
    createdAt: toDate(metadata?.creationTimestamp),
  };
}

/** An event's facts; repeats are counted by the API server in one of two ways. */
export function toEvent(event: CoreV1Event): EventFact {
  const { involvedObject: object, series } = event;
  const last = series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp;
  return {
    namespace: object?.namespace ?? event.metadata?.namespace ?? '',
    reason: event.reason ?? '',
    message: event.message ?? '',
    count: series?.count ?? event.count ?? 1,
    kind: object?.kind ?? '',
    name: object?.name ?? '',
    lastAt: toDate(last ?? event.metadata?.creationTimestamp),
  };
}

/** A node's facts. */
export function toNode({ metadata, status }: V1Node): NodeFact {
  const conditions = status?.conditions ?? [];
  return {
    name: metadata?.name ?? '',
    ready: conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    pressure: conditions
      .filter(({ type, status: is }) => type !== 'Ready' && is === 'True')
      .map(({ type }) => type),
    cpu: toQuantity(status?.allocatable?.['cpu']),
    memory: toQuantity(status?.allocatable?.['memory']),
  };
}

/** What a pod uses, as metrics.k8s.io says it. */
export function toPodUsage(item: unknown): UsageFact {
  const { metadata, containers } = item as {
    metadata?: V1ObjectMeta;
    containers?: ReadonlyArray<{ usage?: Record<string, string> }>;
  };
  const sum = (name: string): number =>
    (containers ?? []).reduce((total, { usage }) => total + (toQuantity(usage?.[name]) ?? 0), 0);
  return { ...toName(metadata), cpu: sum('cpu'), memory: sum('memory') };
}

/** What a node uses. */
export function toNodeUsage(item: unknown): UsageFact {
  const { metadata, usage } = item as { metadata?: V1ObjectMeta; usage?: Record<string, string> };
  return {
    ...toName(metadata),
    cpu: toQuantity(usage?.['cpu']) ?? 0,
    memory: toQuantity(usage?.['memory']) ?? 0,
  };
}

const QUANTITY = /^([0-9.]+(?:e[+-]?\d+)?)(n|u|m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$/;
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** A Kubernetes quantity (`250m`, `512Mi`) in cores or bytes; null when it is none. */
export function toQuantity(text: string | undefined): number | null {
  const [, amount, unit] = QUANTITY.exec(text ?? '') ?? [];
  if (amount === undefined) return null;
  return Number(amount) * (unit === undefined ? 1 : (FACTORS[unit] ?? 1));
}

function toStatus(phase: string | undefined, containers: readonly V1ContainerStatus[]): string {
  const waiting = containers
    .map(({ state }) => state?.waiting?.reason)
    .find((reason) => reason !== undefined);
  const ended = containers
    .map(({ state }) => state?.terminated)
    .find((end) => end !== undefined && (end.exitCode ?? 0) !== 0);
  if (waiting !== undefined && waiting !== 'ContainerCreating' && waiting !== 'PodInitializing')
    return waiting;
  return ended?.reason ?? phase ?? 'Unknown';
}

/** How the container that ended last did so, whether it runs again or not. */
function toTermination(containers: readonly V1ContainerStatus[]): PodFact['lastTermination'] {
  const ends = containers
    .flatMap(({ state, lastState }) => [state?.terminated, lastState?.terminated])
    .filter((end) => end !== undefined)
    .map((end) => ({ reason: end.reason ?? 'Unknown', exitCode: end.exitCode, at: toDate(end.finishedAt) }))
    .filter(({ reason }) => reason !== 'Completed')
    .toSorted((a, b) => (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0));
  return ends[0] ?? null;
}

function toImages(containers: readonly V1Container[]): readonly string[] {
  return containers.map(({ image }) => image ?? '').filter((image) => image !== '');
}

function sumLimits(containers: readonly V1Container[], name: 'cpu' | 'memory'): number | null {
  let sum = 0;
  for (const { resources } of containers) {
    const limit = toQuantity(resources?.limits?.[name]);
    if (limit === null) return null;
    sum += limit;
  }
  return containers.length === 0 ? null : sum;
}

function toName(metadata: V1ObjectMeta | undefined): { namespace: string; name: string } {
  return { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' };
}

function toOwner(metadata: V1ObjectMeta | undefined): OwnerFact | null {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  return owner === undefined ? null : { kind: owner.kind, name: owner.name };
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

/** The client gives dates for some times and text for others. */
function toDate(time: unknown): Date | null {
  const date = time instanceof Date ? time : typeof time === 'string' ? new Date(time) : null;
  return date === null || Number.isNaN(date.getTime()) ? null : date;
}

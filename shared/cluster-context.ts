/**
 * What the cluster says around an alert or a night: rollouts, pods in trouble, pressure and warnings, and what could not
 * be looked at. Facts only; nothing here says that one caused the other.
 */
import type { Absence, ClusterReader, Found, Scope } from './cluster.ts';
import { isWithin, toRollouts } from './cluster-rollouts.ts';
import type { RolloutFact, Span } from './cluster-rollouts.ts';
import type {
  DeploymentFact,
  EventFact,
  NodeFact,
  PodFact,
  ReplicaSetFact,
  UsageFact,
} from './cluster-facts.ts';
import { toJobOwner, toPodOwner } from './workload.ts';

export interface TroubledPod {
  readonly namespace: string;
  readonly name: string;
  readonly workload: string;
  readonly node: string | null;
  readonly status: string;
  readonly restarts: number;
  readonly lastReason: string | null;
  readonly lastAt: Date | null;
}

export interface NearLimit {
  readonly kind: 'pod' | 'node';
  readonly namespace: string;
  readonly name: string;
  readonly what: 'cpu' | 'memory';
  /** Of its limit (a pod's) or of what it has (a node's), in per cent. */
  readonly percent: number;
}

export type { RolloutFact, Span };

export interface ClusterContext {
  readonly collectedAt: Date;
  readonly rollouts: readonly RolloutFact[];
  readonly pods: readonly TroubledPod[];
  readonly nodes: ReadonlyArray<{ readonly name: string; readonly conditions: readonly string[] }>;
  readonly nearLimits: readonly NearLimit[];
  readonly events: readonly EventFact[];
  /** What could not be looked at, and what was cut: said wherever the rest is shown. */
  readonly missing: readonly string[];
}

/** One workload's context, with who owns whom. */
export interface WorkloadContext extends ClusterContext {
  /** From the pod to its controller, e.g. `Pod api-…`, `ReplicaSet api-…`, `Deployment api`. */
  readonly owners: readonly string[];
}

/** What an alert is about, as far as its labels say. */
export interface Subject {
  readonly namespace: string | null;
  readonly workload: string | null;
  readonly pod: string | null;
  readonly node: string | null;
}

/** A pod or node that uses this much of what it may is near its limit, in per cent. */
const NEAR_PERCENT = 90;
/** Most facts of one kind that are kept. */
const KEPT = 20;
const EVENT_CHARS = 200;
/** Statuses that are trouble whatever the number of restarts. */
const TROUBLE =
  /^(?:CrashLoopBackOff|Error|Failed|OOMKilled|ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainer\w*Error|RunContainerError|Evicted|ContainerCannotRun|DeadlineExceeded|NodeLost|Unknown)$/;

/** Reads everything of a span: for a digest. `signal` bounds it all. */
export async function readWindowContext(
  reader: ClusterReader,
  span: Span,
  signal: AbortSignal,
): Promise<ClusterContext> {
  return toContext(await gather(reader, {}, signal), span);
}

/** Reads what surrounds one workload: for an explanation. Without a namespace only the node is looked at. */
export async function readWorkloadContext(
  reader: ClusterReader,
  subject: Subject,
  span: Span,
  signal: AbortSignal,
): Promise<WorkloadContext> {
  const { namespace } = subject;
  if (namespace === null) {
    const [nodes, nodeUsage] = await Promise.all([reader.nodes(signal), reader.nodeUsage(signal)]);
    const context = toContext({ nodes, nodeUsage }, span);
    return { ...context, ...ofNode(context, subject.node), owners: [] };
  }
  const found = await gather(reader, { namespace }, signal);
  const context = toContext(found, span);
  const pods = dataOf(found.pods);
  const own = pods.filter((pod) => belongs(pod, subject));
  const nodes = new Set([subject.node, ...own.map(({ node }) => node)]);
  const isOwn = (name: string): boolean => isOf(name, subject) || own.some((pod) => pod.name === name);
  return {
    ...context,
    rollouts: context.rollouts.filter(({ name }) => isOf(name, subject)),
    pods: context.pods.filter(({ name, workload }) => isOwn(name) || workload === subject.workload),
    nodes: context.nodes.filter(({ name }) => nodes.has(name)),
    nearLimits: context.nearLimits.filter(({ kind, name }) =>
      kind === 'node' ? nodes.has(name) : isOwn(name),
    ),
    events: context.events.filter(({ name }) => isOwn(name)),
    owners: toOwners(own[0], dataOf(found.replicaSets)),
  };
}

/** What was found, part by part; parts that were not asked for are left out. */
export interface Gathered {
  readonly pods?: Found<readonly PodFact[]>;
  readonly deployments?: Found<readonly DeploymentFact[]>;
  readonly replicaSets?: Found<readonly ReplicaSetFact[]>;
  readonly events?: Found<readonly EventFact[]>;
  readonly nodes?: Found<readonly NodeFact[]>;
  readonly podUsage?: Found<readonly UsageFact[]>;
  readonly nodeUsage?: Found<readonly UsageFact[]>;
}

async function gather(reader: ClusterReader, scope: Scope, signal: AbortSignal): Promise<Gathered> {
  const [pods, deployments, replicaSets, events, nodes, podUsage, nodeUsage] = await Promise.all([
    reader.pods(scope, signal),
    reader.deployments(scope, signal),
    reader.replicaSets(scope, signal),
    reader.events(scope, signal),
    reader.nodes(signal),
    reader.podUsage(scope, signal),
    reader.nodeUsage(signal),
  ]);
  return { pods, deployments, replicaSets, events, nodes, podUsage, nodeUsage };
}

/** Facts of a span out of what was found. Pure. */
export function toContext(found: Gathered, span: Span): ClusterContext {
  const pods = dataOf(found.pods);
  const events = dataOf(found.events);
  return {
    collectedAt: span.to,
    rollouts: toRollouts(dataOf(found.deployments), dataOf(found.replicaSets), events, span).slice(0, KEPT),
    pods: pods.filter(isTroubled).map(toTroubledPod).toSorted(byTrouble).slice(0, KEPT),
    nodes: dataOf(found.nodes)
      .map(({ name, ready, pressure }) => ({
        name,
        conditions: ready ? pressure : ['NotReady', ...pressure],
      }))
      .filter(({ conditions }) => conditions.length > 0),
    nearLimits: toNearLimits(pods, dataOf(found.podUsage), dataOf(found.nodes), dataOf(found.nodeUsage)),
    events: events
      .filter(({ reason, lastAt }) => reason !== 'ScalingReplicaSet' && isWithin(lastAt, span))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, KEPT)
      .map((event) => ({ ...event, message: event.message.slice(0, EVENT_CHARS).toWellFormed() })),
    missing: [...new Set(Object.values(found).flatMap((part: Found<unknown>) => toMissing(part)))],
  };
}

/** An absence in words: `pods: forbidden`. */
export function toMissing(part: Found<unknown>): string[] {
  if (part.ok) return part.more ? ['a list was cut at its limit'] : [];
  if (part.reason === 'switched-off') return [];
  const words = WORDS[part.reason];
  // Without access nothing can be looked at; naming each thing would say no more.
  return [part.reason === 'no-access' ? words : `${part.what}: ${words}`];
}

const WORDS: Readonly<Record<Absence['reason'], string>> = {
  'no-access': 'no access to a cluster',
  forbidden: 'not allowed to look',
  'not-found': 'not there',
  timeout: 'no answer in time',
  unreachable: 'no answer',
  'namespace-excluded': 'namespace not in K8S_CONTEXT_NAMESPACES',
  'switched-off': 'switched off',
};

function isTroubled(pod: PodFact): boolean {
  return pod.restarts > 0 || TROUBLE.test(pod.status) || pod.lastTermination?.reason === 'OOMKilled';
}

function toTroubledPod({
  namespace,
  name,
  owner,
  node,
  status,
  restarts,
  lastTermination,
}: PodFact): TroubledPod {
  return {
    namespace,
    name,
    workload: toWorkload(name, owner),
    node,
    status,
    restarts,
    lastReason: lastTermination?.reason ?? null,
    lastAt: lastTermination?.at ?? null,
  };
}

function byTrouble(a: TroubledPod, b: TroubledPod): number {
  return (
    Number(TROUBLE.test(b.status)) - Number(TROUBLE.test(a.status)) ||
    b.restarts - a.restarts ||
    (a.name < b.name ? -1 : 1)
  );
}

function toNearLimits(
  pods: readonly PodFact[],
  podUsage: readonly UsageFact[],
  nodes: readonly NodeFact[],
  nodeUsage: readonly UsageFact[],
): NearLimit[] {
  const limits = new Map(
    pods.map(({ namespace, name, cpuLimit, memoryLimit }) => [
      `${namespace}/${name}`,
      { cpu: cpuLimit, memory: memoryLimit },
    ]),
  );
  const machines = new Map(nodes.map((node) => [node.name, node]));
  const near = [
    ...podUsage.flatMap((usage) => toShares('pod', usage, limits.get(`${usage.namespace}/${usage.name}`))),
    ...nodeUsage.flatMap((usage) => toShares('node', usage, machines.get(usage.name))),
  ];
  return near
    .filter(({ percent }) => percent >= NEAR_PERCENT)
    .toSorted((a, b) => b.percent - a.percent)
    .slice(0, KEPT);
}

function toShares(
  kind: NearLimit['kind'],
  { namespace, name, ...usage }: UsageFact,
  limits: { readonly cpu: number | null; readonly memory: number | null } | undefined,
): NearLimit[] {
  return (['cpu', 'memory'] as const).flatMap((what) => {
    const limit = limits?.[what] ?? 0;
    return limit > 0
      ? [{ kind, namespace, name, what, percent: Math.round((100 * usage[what]) / limit) }]
      : [];
  });
}

function toWorkload(pod: string, owner: PodFact['owner']): string {
  if (owner === null) return pod;
  if (owner.kind === 'Job') return toJobOwner(owner.name);
  return owner.kind === 'ReplicaSet' ? toPodOwner(pod).workload : owner.name;
}

function belongs(pod: PodFact, subject: Subject): boolean {
  return (
    pod.name === subject.pod ||
    (subject.workload !== null && toWorkload(pod.name, pod.owner) === subject.workload)
  );
}

function isOf(name: string, { workload, pod }: Subject): boolean {
  return name === workload || name === pod || (workload !== null && toPodOwner(name).workload === workload);
}

function toOwners(pod: PodFact | undefined, replicaSets: readonly ReplicaSetFact[]): string[] {
  if (pod === undefined) return [];
  const chain = [`Pod ${pod.name}`];
  if (pod.owner !== null) chain.push(`${pod.owner.kind} ${pod.owner.name}`);
  const above = replicaSets.find(({ name }) => name === pod.owner?.name)?.owner;
  if (above) chain.push(`${above.kind} ${above.name}`);
  return chain;
}

function ofNode(
  { nodes, nearLimits }: ClusterContext,
  node: string | null,
): Pick<ClusterContext, 'nodes' | 'nearLimits'> {
  return {
    nodes: nodes.filter(({ name }) => name === node),
    nearLimits: nearLimits.filter(({ name }) => name === node),
  };
}

function dataOf<T>(part: Found<readonly T[]> | undefined): readonly T[] {
  return part?.ok === true ? part.data : [];
}

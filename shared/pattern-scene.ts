/**
 * What the labels of an alert say together, decided once before any of them is counted: who is the subject, whose the pod is,
 * and whether the node is the subject or only the place. Here the exporter's own labels are told from the subject's.
 */
import { toLabelRole, type LabelRole } from './label-role.ts';
import type { Role } from './pattern-labels.ts';
import { isAddress, isPodAddress, MAX_VALUE } from './pattern-values.ts';
import { toPodOwner, type PodOwner } from './workload.ts';

/** Prometheus allows any length; nobody types more, and a longer name is not worth its bytes in every row. */
const MAX_NAME = 200;
/** Names of programs that watch other things; as whole words, so that `export-service` is not one. */
export const EXPORTER =
  /(?:^|[-_./])(?:[a-z0-9]*exporters?|[a-z0-9]*exportarr|kube-state-metrics|ksm|blackbox|cadvisor|kubelet|pushgateway|snmp|smartctl|telegraf|prob(?:e|er)|otel-collector|opentelemetry-collector|alloy|grafana-agent|vmagent|netdata|unpoller)(?:$|[-_./\d])/;
/** Exporters that report about the machine they run on: their address is the machine's. */
export const HOST_EXPORTER =
  /^(?:node|host|server|machine|vm|linux|windows|baremetal)s?$|(?:^|[-_./])(?:nodes|node[-_](?:exporter|ping)|windows[-_]exporter|wmi|ipmi|snmp|icmp|ping|smartctl|libvirt|proxmox|pve|nvidia|dcgm|gpu|kubelet)(?:$|[-_./\d])/;
/** Scrapes that see other workloads' containers from a node: the node is only where they run. */
export const PLACEMENT_JOB = /(?:^|[-_./])(?:kubelet|cadvisor|kube-state-metrics|ksm)(?:$|[-_./\d])/;

/** A label with its role. */
export interface Label extends LabelRole {
  readonly name: string;
  readonly value: string;
}

/** The facts about all labels that decide how each of them counts. */
export interface Scene {
  readonly namespace: Label | undefined;
  readonly pod: Label | undefined;
  readonly podOwner: PodOwner | undefined;
  readonly job: string;
  /** The pod, service and container belong to the exporter, not to the subject. */
  readonly isExporterPod: boolean;
  readonly roles: ReadonlySet<Role>;
  /** Plain names that have an `exported_` twin. */
  readonly twins: ReadonlySet<string>;
  readonly hasOwner: boolean;
  /** A Kubernetes object is named: pods, nodes and addresses beside it are the exporter's or its place. */
  readonly hasObject: boolean;
  readonly hasTarget: boolean;
  readonly hasPart: boolean;
  readonly hasClaim: boolean;
  /** Anything at all that can be the subject. */
  readonly hasSubject: boolean;
  readonly node: Label | undefined;
  readonly isPlacedNode: boolean;
}

/** Trimmed, cut, without empty ones and without the exporter's twin of an `exported_` label; in the order of their names. */
export function readLabels(source: Readonly<Record<string, string>>, dropped: Map<string, string>): Label[] {
  const labels: Label[] = [];
  for (const name of Object.keys(source).sort()) {
    const value = toText(source[name]);
    if (value === '' || name.length > MAX_NAME) {
      dropped.set(name.slice(0, MAX_NAME).toWellFormed(), value === '' ? 'empty' : 'name too long');
      continue;
    }
    const { role, reason, as, foreign } = toLabelRole(name);
    labels.push({ name, value, role, reason, as, foreign });
  }
  return labels;
}

/** A value as it is looked at: cut (Postgres stores no half of a character) and trimmed; anything that is not text is nothing. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_VALUE).toWellFormed().trim() : '';
}

/** The scene of an alert's labels. */
export function toScene(labels: readonly Label[]): Scene {
  const roles = new Set(labels.map(({ role }) => role));
  const has = (...some: Role[]): boolean => some.some((role) => roles.has(role));
  const node = find(labels, 'node');
  const pod = find(labels, 'pod');
  const podOwner = pod === undefined ? undefined : toPodOwner(pod.value, node?.value);
  const job = (find(labels, 'job')?.value ?? '').toLowerCase();
  const namespace = find(labels, 'namespace');

  const hasOwner = has('owner', 'replicaset', 'job-name');
  const isForeign = labels.some(({ foreign, role }) => foreign && role !== 'pod');
  const isInKubernetes = namespace !== undefined || PLACEMENT_JOB.test(job);
  const hasClaim = labels.some(({ as }) => as === 'persistentvolumeclaim');
  const hasObject = isForeign || ((hasOwner || has('object', 'volume')) && isInKubernetes);
  const instance = find(labels, 'instance')?.value ?? '';
  const hasTarget = has('target') || instance.includes('://');
  const isMachine = instance !== '' && isMachineAddress(instance, job);
  const hasPart = has('part', 'mountpoint');
  const hasNamed = isForeign || hasOwner || has('object', 'volume');
  const hasThing =
    hasNamed || hasTarget || hasPart || node !== undefined || isMachine || has('host', 'name', 'stable-id');
  const hasPlaced = hasPart || isMachine || hasTarget;
  const isExporterPod = hasThing && isWatcher(labels, pod, podOwner, { job, hasNamed, hasPlaced });
  const isMovable = hasOwner && !labels.some(({ role, name }) => role === 'owner' && /daemonset/i.test(name));
  return {
    roles,
    twins: new Set(
      labels.filter(({ name }) => name.startsWith('exported_')).map(({ name }) => name.slice(9)),
    ),
    namespace,
    node,
    pod,
    podOwner,
    job,
    hasOwner,
    hasObject,
    hasTarget,
    hasPart,
    hasClaim,
    isExporterPod,
    hasSubject: hasThing || (podOwner !== undefined && !EXPORTER.test(podOwner.workload.toLowerCase())),
    isPlacedNode:
      isMovable ||
      hasClaim ||
      (has('object', 'volume') && isInKubernetes) ||
      (podOwner !== undefined && !isExporterPod && isInKubernetes && isPlaced(podOwner, job, hasPart)),
  };
}

function isMachineAddress(instance: string, job: string): boolean {
  if (isPodAddress(instance) || instance.startsWith('localhost')) return false;
  return !isAddress(instance) || HOST_EXPORTER.test(job);
}

/** Whether the pod is the one that watches, told by its name, by job, service or container of the same name, or by the subject. */
function isWatcher(
  labels: readonly Label[],
  pod: Label | undefined,
  owner: PodOwner | undefined,
  scene: { job: string; hasNamed: boolean; hasPlaced: boolean },
): boolean {
  if (owner === undefined || pod === undefined || pod.foreign) return false;
  const workload = owner.workload.toLowerCase();
  if (scene.hasNamed) return !labels.some((label) => OWNERS.has(label.role) && owns(label.value, pod.value));
  const own = [scene.job, ...['service', 'container'].map((role) => find(labels, role as Role)?.value ?? '')];
  const named = own.some(
    (name) => name !== '' && EXPORTER.test(name.toLowerCase()) && isRelated(name.toLowerCase(), workload),
  );
  if (named) return scene.job === '' || isRelated(scene.job, workload) || !PLACEMENT_JOB.test(scene.job);
  return scene.hasPlaced && EXPORTER.test(workload) && (scene.job === '' || !PLACEMENT_JOB.test(scene.job));
}

const OWNERS: ReadonlySet<Role> = new Set(['owner', 'replicaset', 'job-name']);

function owns(owner: string, pod: string): boolean {
  return pod === owner || pod.startsWith(`${owner}-`);
}

/** A pod is moved between nodes, so its node is a place; a DaemonSet's pod and a part of a machine belong to the node. */
function isPlaced(owner: PodOwner, job: string, hasPart: boolean): boolean {
  if (PLACEMENT_JOB.test(job)) return true;
  return owner.shape !== 'daemonset' && owner.shape !== 'bare' && !hasPart;
}

/** Equal, or one holds the other as whole words: `kube-prometheus-kube-state-metrics` and `kube-state-metrics`. */
export function isRelated(a: string, b: string): boolean {
  const [long, short] = a.length >= b.length ? [`-${a}-`, `-${b}-`] : [`-${b}-`, `-${a}-`];
  return short.length > 2 && long.replace(/[_./]/g, '-').includes(short.replace(/[_./]/g, '-'));
}

/** Foreign ones first, because they are the subject's; else the first by name. */
export function find(labels: readonly Label[], role: Role): Label | undefined {
  let first: Label | undefined;
  for (const label of labels) {
    if (label.role !== role) continue;
    if (label.foreign) return label;
    first ??= label;
  }
  return first;
}

/**
 * How each role counts: one row per role, each a decision about one label in the light of the scene.
 * A label is either kept with the part of its value that lasts, or dropped with a reason a person can read; never both, never neither.
 */
import type { Role } from './pattern-labels.ts';
import {
  EXPORTER,
  HOST_EXPORTER,
  isRelated,
  PLACEMENT_JOB,
  type Label,
  type Scene,
} from './pattern-scene.ts';
import * as values from './pattern-values.ts';
import { findPodInDns, toJobOwner, toPodOwner, toReplicaSetOwner } from './workload.ts';

const OWN_LABEL = "exporter's own label";
const PLACEMENT = 'where it runs';

/** Collects what counts; a name that is taken gets the label's own name, so nothing is lost. */
export class Result {
  readonly identity = new Map<string, string>();
  readonly kept = new Map<string, string>();
  readonly dropped = new Map<string, string>();

  set(key: string, value: string): void {
    if (value !== '') this.identity.set(key, value);
  }

  keep(label: Label, value: string | undefined, key = label.as): void {
    if (value === undefined || value === '') {
      this.drop(label, 'random, a time or a value');
      return;
    }
    this.kept.set(label.name, value);
    const taken = this.identity.get(key);
    if (taken === undefined) this.identity.set(key, value);
    else if (taken !== value) this.identity.set(`label ${label.name}`, value);
  }

  drop(label: Label, reason: string): void {
    this.dropped.set(label.name, reason);
  }
}

/** How a label of each role counts. A role without a row here is counted elsewhere or not at all. */
const COUNT: Partial<Record<Role, (label: Label, scene: Scene, result: Result) => void>> = {
  alertname: (label, _, result) => result.keep(label, label.value),
  severity: (label, _, result) => result.kept.set(label.name, result.identity.get('severity') ?? ''),
  cluster: (label, _, result) => result.kept.set(label.name, label.value),
  namespace: (label, scene, result) => {
    if (label === scene.namespace || label.foreign) result.keep(label, label.value);
    else result.drop(label, OWN_LABEL);
  },
  owner: (label, _, result) => {
    const isPodsOwner = label.name === 'owner_name' || label.name === 'created_by_name';
    result.keep(label, isPodsOwner ? toReplicaSetOwner(label.value) : label.value);
    if (!isPodsOwner && /^(?:deployment|statefulset|daemonset|cronjob)$/.test(label.name))
      result.set('kind', label.name);
  },
  replicaset: (label, _, result) => result.keep(label, toReplicaSetOwner(label.value)),
  'job-name': (label, _, result) => result.keep(label, toJobOwner(label.value)),
  pod: (label, scene, result) => {
    if (label !== scene.pod && !label.foreign && scene.pod?.foreign === true) result.drop(label, OWN_LABEL);
    else if (scene.isExporterPod && !label.foreign) result.drop(label, OWN_LABEL);
    else if (scene.hasOwner) result.drop(label, 'its owner is named');
    else if (label === scene.pod) result.keep(label, toStem(scene.podOwner?.workload ?? label.value));
    else result.keep(label, toStem(toPodOwner(label.value).workload));
  },
  object: (label, _, result) => result.keep(label, values.toObjectName(label.value)),
  volume: (label, scene, result) => {
    if (scene.hasClaim) result.drop(label, 'its claim is named');
    else result.keep(label, label.value);
  },
  target: (label, _, result) => {
    if (values.isPodAddress(label.value)) result.drop(label, "a pod's address");
    else result.keep(label, values.toTarget(label.value));
  },
  node: countNode,
  host: (label, scene, result) => {
    if (isPodsOwn(label, scene)) result.drop(label, 'the pod itself');
    else if (values.isPodAddress(label.value)) result.drop(label, "a pod's address");
    else if (label.as === 'node' && scene.node !== undefined) countNode(label, scene, result);
    else if (label.as === 'node' && scene.isPlacedNode && !isMetricsOwn(scene)) result.drop(label, PLACEMENT);
    else if (label.value.includes('://')) result.keep(label, values.toUrlShape(label.value));
    else result.keep(label, values.toHost(label.value));
  },
  part: (label, scene, result) => {
    if (/^(?:device|disk)$/.test(label.as) && scene.roles.has('mountpoint')) {
      result.drop(label, 'detail of a mountpoint');
    } else if (label.as === 'volume' && scene.hasClaim) result.drop(label, 'its claim is named');
    else result.keep(label, values.toPart(label.value));
  },
  mountpoint: (label, _, result) => result.keep(label, values.toMountpoint(label.value)),
  'part-detail': (label, scene, result) => {
    if (scene.hasPart) result.drop(label, label.reason);
    else result.keep(label, label.value);
  },
  name: (label, scene, result) => {
    if (isPodsOwn(label, scene)) result.drop(label, 'the pod itself');
    else result.keep(label, values.toName(label.value));
  },
  'stable-id': (label, _, result) => result.keep(label, label.value),
  code: (label, _, result) => result.keep(label, values.toCodeClass(label.value)),
  status: (label, _, result) => {
    if (/^(?:true|false|unknown)$/i.test(label.value)) result.drop(label, 'value of a condition');
    else result.keep(label, values.maskWord(values.toCodeClass(label.value)));
  },
  path: (label, _, result) => result.keep(label, values.toUrlShape(label.value)),
  cgroup: (label, scene, result) => {
    const isNamed = scene.pod !== undefined || scene.roles.has('name') || scene.roles.has('container');
    if (isNamed && label.value.startsWith('/')) result.drop(label, label.reason);
    else result.keep(label, values.maskWord(label.value));
  },
  word: (label, scene, result) => {
    if (isPodsOwn(label, scene)) result.drop(label, 'the pod itself');
    else result.keep(label, values.maskWord(label.value));
  },
  instance: countInstance,
  endpoint: (label, _, result) => {
    const isPath = label.value.includes('/') || label.foreign;
    if (isPath) result.keep(label, values.toUrlShape(label.value));
    else result.drop(label, label.reason);
  },
  job: (label, scene, result) => {
    const job = label.value.toLowerCase();
    const isOwn = !label.foreign && (EXPORTER.test(job) || HOST_EXPORTER.test(job));
    if (isOwn && scene.hasSubject) result.drop(label, OWN_LABEL);
    else result.keep(label, values.maskWord(label.value));
  },
  service: (label, scene, result) => {
    const isOwn =
      !label.foreign && (EXPORTER.test(label.value.toLowerCase()) || isExporterPart(label, scene));
    if (isOwn && scene.hasSubject) result.drop(label, OWN_LABEL);
    else result.keep(label, values.maskWord(label.value));
  },
  container: (label, scene, result) => {
    const isOwn = !label.foreign && scene.hasSubject && (scene.isExporterPod || isExporterPart(label, scene));
    if (isOwn) result.drop(label, OWN_LABEL);
    else if (label.value === 'POD') result.drop(label, 'sandbox of a pod');
    else result.keep(label, values.maskWord(label.value));
  },
  measure: (label, _, result) => {
    if (/^[+-]?\d/.test(label.value)) result.drop(label, label.reason);
    else result.keep(label, values.maskWord(label.value));
  },
  noise: (label, _, result) => result.drop(label, label.reason),
};

/** Counts one label. */
export function count(label: Label, scene: Scene, result: Result): void {
  if (scene.twins.has(label.name) && label.role !== 'noise') result.drop(label, OWN_LABEL);
  else COUNT[label.role]?.(label, scene, result);
}

/** Service or container of the same name as an exporter's job or pod. */
function isExporterPart(label: Label, scene: Scene): boolean {
  const value = label.value.toLowerCase();
  const isOfJob = EXPORTER.test(scene.job) && isRelated(value, scene.job);
  return isOfJob || (scene.isExporterPod && isRelated(value, scene.podOwner?.workload.toLowerCase() ?? ''));
}

function countNode(label: Label, scene: Scene, result: Result): void {
  if (scene.isPlacedNode && !label.foreign) result.drop(label, PLACEMENT);
  else result.keep(label, label.value);
}

/** A scraped pod that tells of a host name tells of another machine: where the pod runs would be `node`. */
function isMetricsOwn(scene: Scene): boolean {
  return scene.pod !== undefined && scene.roles.has('instance') && !scene.hasOwner && !scene.hasClaim;
}

/** `instance` is the thing's address, the machine, the probed URL or the exporter's address; only the first three can count. */
function countInstance(label: Label, scene: Scene, result: Result): void {
  const { value } = label;
  if (value.includes('://')) return result.keep(label, values.toUrlShape(value), 'target');
  const host = values.withoutPort(value).toLowerCase();
  if (label.foreign) return result.keep(label, values.toTarget(value), 'target');
  if (scene.hasObject) return result.drop(label, OWN_LABEL);
  if (scene.hasTarget && values.isAddress(value)) return result.drop(label, OWN_LABEL);
  if (values.isPodAddress(host)) return result.drop(label, "a pod's address");
  if (isPodsOwn(label, scene)) return result.drop(label, 'the pod itself');
  if (CONTAINER_HOST.test(host)) return result.drop(label, "a container's address");
  if (values.isAddress(value)) return countAddress(label, scene, result);
  const owner = findPodInDns(host);
  if (owner !== undefined) {
    if (scene.pod === undefined) return result.keep(label, owner, 'workload');
    return result.drop(label, 'the pod itself');
  }
  if (EXPORTER.test(host) && scene.hasSubject) return result.drop(label, OWN_LABEL);
  if (scene.node !== undefined) {
    const isSame = host.split('.', 1)[0] === scene.node.value.toLowerCase().split('.', 1)[0];
    if (isSame || HOST_EXPORTER.test(scene.job)) return result.drop(label, 'its node is named');
  }
  if (scene.isPlacedNode && PLACEMENT_JOB.test(scene.job)) return result.drop(label, PLACEMENT);
  result.keep(label, values.toHost(value), 'instance');
}

/**
 * An IP address as `instance`. Without a port it is what is probed. With one it is a machine when a machine's exporter
 * answers there, or when nothing tells of Kubernetes, where addresses are given out anew.
 */
function countAddress(label: Label, scene: Scene, result: Result): void {
  const host = values.withoutPort(label.value);
  const isLoopback = host.startsWith('127.') || host === '::1';
  const isInCluster =
    scene.namespace !== undefined || scene.pod !== undefined || scene.roles.has('container');
  const isMachines = HOST_EXPORTER.test(scene.job) || host === label.value || !isInCluster;
  const isPlace = scene.podOwner !== undefined && !scene.isExporterPod && PLACEMENT_JOB.test(scene.job);
  if (scene.node !== undefined || isLoopback || !isMachines) result.drop(label, 'address and port');
  else if (isPlace) result.drop(label, PLACEMENT);
  else result.keep(label, host, 'instance');
}

/** The pod's own name in another label: a server's name for itself, `web-1:5432`, a host name inside the container. */
function isPodsOwn(label: Label, scene: Scene): boolean {
  const pod = scene.pod?.value;
  if (pod === undefined || !label.value.startsWith(pod)) return false;
  const next = label.value.charAt(pod.length);
  return next === '' || next === '.' || next === ':';
}

/** A container's id as its host name, or the exporter's own machine under a name every machine has. */
const CONTAINER_HOST = /^(?:localhost|[0-9a-f]{12}|[0-9a-f]{64})$/;

/** A pod's workload without long numbers inside (`spark-1705291200000-driver`). */
function toStem(workload: string): string {
  return values.maskName(workload) ?? workload;
}

/** An address counts when nothing else says what the alert is about. */
export function countFallbacks(labels: readonly Label[], scene: Scene, result: Result): void {
  const isKnown = scene.hasSubject || scene.roles.has('service');
  for (const label of labels) {
    if (label.role !== 'address') continue;
    if (isKnown || values.isPodAddress(label.value)) result.drop(label, label.reason);
    else result.keep(label, values.withoutPort(label.value));
  }
}

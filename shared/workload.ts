/**
 * The owner of a pod, read from the pod's name, because alerts rarely carry the owner.
 * Controllers append what they invent: a ReplicaSet hash and five characters (Deployment), five characters (DaemonSet, Job),
 * an ordinal (StatefulSet), a time (CronJob). Those are taken off from the end and nothing else is: what a person typed stays,
 * so the Deployment `web-1` keeps its number. Only names known to be a pod's may be read this way.
 */

/** Where the pod's name says it comes from; a `daemonset` shape (one random suffix) is also what a bare Job pod has. */
export type PodShape = 'deployment' | 'daemonset' | 'statefulset' | 'job' | 'bare';

export interface PodOwner {
  readonly workload: string;
  readonly shape: PodShape;
}

/** Kubernetes' random suffixes use no vowels, 0, 1 or 3 (k8s.io/apimachinery util/rand). */
const SAFE = '[bcdfghjklmnpqrstvwxz2456789]';

const TEMPLATE_HASH = new RegExp(`-(?=[a-z]*[0-9])${SAFE}{6,10}-[a-z0-9]{5}$`);
/** A hash without any digit is rare but real; the five characters behind it must then be of the alphabet, too. */
const TEMPLATE_HASH_LETTERS = new RegExp(`-${SAFE}{8,10}-${SAFE}{5}$`);
const TEMPLATE_HASH_STRICT = new RegExp(`-(?=[a-z]*[0-9])${SAFE}{8,10}-${SAFE}{5}$`);
const TEMPLATE_HASH_INSIDE = new RegExp(`-(?=[a-z]{0,9}[0-9])${SAFE}{8,10}-${SAFE}{5}(?![a-z0-9])`, 'g');
const RANDOM_SUFFIX = new RegExp(`-${SAFE}{5}$`);
const TEMPLATE_SUFFIX = new RegExp(`-${SAFE}{6,10}$`);
const TIME_SUFFIX = /[-.](?:\d{8,14}|20\d\d-?\d\d-?\d\d(?:[-t]?\d\d-?\d\d(?:-?\d\d)?z?)?)$/;
const ORDINAL = /-\d{1,4}$/;
const UUID_SUFFIX = /[-.](?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,64})$/;
/** A commit or random hexadecimal tail of a Job's name: 7 or more with both letters and digits. */
const HEX_SUFFIX = /-(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,31}$/;
/** `generateName` of a Job: five characters, at least one of them a digit, so that a plain word stays. */
const GENERATED_SUFFIX = new RegExp(`-(?=[a-z]{0,4}[0-9])${SAFE}{5}$`);
/** Knative's revision in a Deployment's name: `shop-00012-deployment`. */
const KNATIVE_REVISION = /-\d{5}(?:-deployment)?$/;

/** The owner of a pod. With the node's name a static pod is recognised (`etcd-cp-1` on `cp-1`): one per node, like a DaemonSet's. */
export function toPodOwner(pod: string, node?: string): PodOwner {
  if (node !== undefined && node !== '' && pod.length > node.length + 1 && pod.endsWith(`-${node}`)) {
    return { workload: pod.slice(0, -node.length - 1), shape: 'daemonset' };
  }
  for (const suffix of [TEMPLATE_HASH, TEMPLATE_HASH_LETTERS]) {
    const rest = pod.replace(suffix, '');
    if (rest !== pod && rest !== '')
      return { workload: rest.replace(KNATIVE_REVISION, ''), shape: 'deployment' };
  }
  const unique = pod.replace(UUID_SUFFIX, '');
  if (unique !== pod && unique !== '') return { workload: toJobOwner(unique), shape: 'job' };
  const stem = pod.replace(RANDOM_SUFFIX, '');
  for (const name of [stem, stem.replace(ORDINAL, ''), pod]) {
    const timed = name.replace(TIME_SUFFIX, '');
    if (timed !== name && timed !== '') return { workload: toJobOwner(timed), shape: 'job' };
  }
  if (stem !== pod && stem !== '') return { workload: stem, shape: 'daemonset' };
  const set = pod.replace(ORDINAL, '');
  return set !== pod && set !== ''
    ? { workload: set, shape: 'statefulset' }
    : { workload: pod, shape: 'bare' };
}

/** What a Job was made from: its CronJob, or its name without the time or random tail. */
export function toJobOwner(job: string): string {
  let name = job;
  for (const suffix of [UUID_SUFFIX, GENERATED_SUFFIX, TIME_SUFFIX, TIME_SUFFIX, HEX_SUFFIX]) {
    name = name.replace(suffix, '') || name;
  }
  return name;
}

/** The Deployment of a ReplicaSet. */
export function toReplicaSetOwner(replicaSet: string): string {
  return replicaSet.replace(TEMPLATE_SUFFIX, '').replace(KNATIVE_REVISION, '') || replicaSet;
}

/** A Deployment's pod recognised by its shape alone, in a value that may also be something else; undefined when it is not one. */
export function findDeploymentPod(value: string): string | undefined {
  const rest = value.replace(TEMPLATE_HASH_STRICT, '');
  return rest === value || rest === '' ? undefined : rest;
}

/** Replaces the random tails of Deployments' pods anywhere in a value (`celery@worker-7d9f8b6c5-x2x7p.pidbox`). */
export function maskDeploymentPods(value: string): string {
  return value.replace(TEMPLATE_HASH_INSIDE, '-*');
}

/** A name in cluster DNS: a pod behind a headless service (`web-1.web.shop.svc…`) gives its owner; anything else undefined. */
export function findPodInDns(host: string): string | undefined {
  const parts = host.split('.', 5);
  const [pod, service] = parts;
  if (pod === undefined || service === undefined || pod === '') return undefined;
  const owner = toPodOwner(pod);
  const isShort =
    parts.length === 2 && (service === owner.workload || service.startsWith(`${owner.workload}-`));
  return owner.shape !== 'bare' && (parts[3] === 'svc' || isShort) ? owner.workload : undefined;
}

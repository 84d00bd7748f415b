/**
 * Reads NetworkPolicies as a cluster does: a connection needs a policy of its sender that lets it out and one of its
 * receiver that lets it in. Only what our manifests use is understood; anything else throws.
 */
import * as z from 'zod';

import type { Resource } from './render.ts';
import { readWorkloads } from './workloads.ts';
import type { Workload } from './workloads.ts';

const selectorSchema = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) }))
    .default([]),
});
const peerSchema = z.strictObject({
  podSelector: selectorSchema.optional(),
  namespaceSelector: selectorSchema.optional(),
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
});
const portsSchema = z.array(z.object({ port: z.number() })).optional();
const policySchema = z.object({
  spec: z.object({
    podSelector: selectorSchema,
    ingress: z.array(z.object({ from: z.array(peerSchema), ports: portsSchema })).default([]),
    egress: z.array(z.object({ to: z.array(peerSchema), ports: portsSchema })).default([]),
  }),
});
type Labels = Readonly<Record<string, string>>;

/** The other end of a connection: a pod here, the pods of another namespace, or an address outside. */
type End = { readonly pod: string } | { readonly namespace: string } | { readonly outside: true };

interface Path {
  readonly from: End;
  readonly to: End;
  readonly port: number;
}

const FUNCTIONS = ['receive', 'classify', 'suppress-check', 'notify', 'build-digest', 'console'];
const pod = (name: string): End => ({ pod: name });
const namespace = (name: string): End => ({ namespace: name });
const OUTSIDE: End = { outside: true };

/** Without one of these something stands still. */
const NEEDED: readonly Path[] = [
  ...FUNCTIONS.flatMap((name): Path[] => [
    { from: namespace('knative-serving'), to: pod(name), port: 8012 },
    { from: namespace('kourier-system'), to: pod(name), port: 8012 },
    { from: namespace('knative-serving'), to: pod(name), port: 9090 },
    { from: pod(name), to: namespace('knative-eventing'), port: 8080 },
    { from: pod(name), to: namespace('kube-system'), port: 53 },
    { from: pod(name), to: pod('postgres'), port: 5432 },
  ]),
  { from: pod('migrate'), to: pod('postgres'), port: 5432 },
  { from: pod('receive'), to: namespace('kourier-system'), port: 8081 },
  { from: pod('receive'), to: OUTSIDE, port: 443 },
  { from: pod('suppress-check'), to: pod('redis'), port: 6379 },
  { from: pod('notify'), to: OUTSIDE, port: 443 },
  { from: pod('notify'), to: OUTSIDE, port: 587 },
  { from: pod('notify'), to: pod('gotify'), port: 8080 },
  ...['classify', 'build-digest'].flatMap((name): Path[] => [
    { from: pod(name), to: pod('ollama'), port: 11434 },
    { from: pod(name), to: OUTSIDE, port: 6443 },
    { from: pod(name), to: namespace('monitoring'), port: 9090 },
  ]),
  { from: pod('classify'), to: namespace('monitoring'), port: 3100 },
  { from: pod('ollama-model-pull'), to: pod('ollama'), port: 11434 },
  { from: pod('ollama'), to: OUTSIDE, port: 443 },
  { from: namespace('kube-system'), to: pod('gotify'), port: 8080 },
];

/** Each of these would let somebody go where nothing of theirs is. */
const CLOSED: readonly Path[] = [
  ...['receive', 'suppress-check', 'notify', 'console'].map((name): Path => ({
    from: pod(name),
    to: pod('ollama'),
    port: 11434,
  })),
  ...['suppress-check', 'console', 'postgres', 'redis', 'gotify', 'migrate'].map((name): Path => ({
    from: pod(name),
    to: OUTSIDE,
    port: 443,
  })),
  ...['ollama', 'gotify', 'redis'].map((name): Path => ({
    from: pod(name),
    to: pod('postgres'),
    port: 5432,
  })),
  { from: namespace('default'), to: pod('notify'), port: 8012 },
  { from: namespace('default'), to: pod('ollama'), port: 11434 },
  { from: pod('classify'), to: pod('notify'), port: 8012 },
];

/** Every way that is needed is open from both ends, and some that nobody needs are not. */
export function checkPaths(resources: readonly Resource[]): string[] {
  const workloads = readWorkloads(resources);
  const isThere = (end: End): boolean => !('pod' in end) || workloads.some(({ name }) => name === end.pod);
  const paths = (all: readonly Path[]): readonly Path[] =>
    all.filter(({ from, to }) => isThere(from) && isThere(to));
  return [
    ...paths(NEEDED)
      .filter((path) => !isOpen(path, workloads, resources))
      .map((path) => `${describePath(path)} is closed`),
    ...paths(CLOSED)
      .filter((path) => isOpen(path, workloads, resources))
      .map((path) => `${describePath(path)} is open`),
  ];
}

function isOpen(
  { from, to, port }: Path,
  workloads: readonly Workload[],
  resources: readonly Resource[],
): boolean {
  const policies = resources
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((resource) => policySchema.parse(resource).spec);
  const labelsOf = (end: End): Labels =>
    'pod' in end ? (workloads.find(({ name }) => name === end.pod)?.labels ?? {}) : {};
  const letsOut = policies.some(
    ({ podSelector, egress }) =>
      matches(podSelector, labelsOf(from)) &&
      egress.some(
        (rule) => hasPort(rule.ports, port) && rule.to.some((peer) => isPeer(peer, to, labelsOf(to))),
      ),
  );
  const letsIn = policies.some(
    ({ podSelector, ingress }) =>
      matches(podSelector, labelsOf(to)) &&
      ingress.some(
        (rule) => hasPort(rule.ports, port) && rule.from.some((peer) => isPeer(peer, from, labelsOf(from))),
      ),
  );
  // What is not in our namespace keeps its own doors.
  return (!('pod' in from) || letsOut) && (!('pod' in to) || letsIn);
}

function isPeer(peer: z.infer<typeof peerSchema>, end: End, labels: Labels): boolean {
  if ('outside' in end) return peer.ipBlock !== undefined;
  if ('namespace' in end)
    return (
      peer.namespaceSelector !== undefined &&
      matches(peer.namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace })
    );
  return peer.podSelector !== undefined && matches(peer.podSelector, labels);
}

function matches({ matchLabels, matchExpressions }: z.infer<typeof selectorSchema>, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}

function hasPort(ports: z.infer<typeof portsSchema>, wanted: number): boolean {
  return ports === undefined || ports.some(({ port }) => port === wanted);
}

function describePath({ from, to, port }: Path): string {
  const name = (end: End): string =>
    'pod' in end ? end.pod : 'namespace' in end ? `namespace ${end.namespace}` : 'the outside';
  return `the way from ${name(from)} to ${name(to)}, port ${port},`;
}

/**
 * The one file that touches the Kubernetes API: lists, as plain facts, of what surrounds an alert. It only ever lists.
 *
 * Its invariant: every question answers data or a stated absence (no access, forbidden, timeout …), within its time, and
 * never throws: context is worth having, never worth waiting for. The client is large, so it is loaded with the first question.
 */
import { existsSync } from 'node:fs';
import type { AppsV1Api, CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import type * as k8s from '@kubernetes/client-node';
import {
  toDeployment,
  toEvent,
  toNode,
  toNodeUsage,
  toPod,
  toPodUsage,
  toReplicaSet,
} from './cluster-facts.ts';
import type {
  DeploymentFact,
  EventFact,
  NodeFact,
  PodFact,
  ReplicaSetFact,
  UsageFact,
} from './cluster-facts.ts';

/** Every call made here, as RBAC writes it; a test compares the manifests' rules with it. */
export const CLUSTER_CALLS = [
  { apiGroup: '', resource: 'pods', verb: 'list' },
  { apiGroup: '', resource: 'events', verb: 'list' },
  { apiGroup: '', resource: 'nodes', verb: 'list' },
  { apiGroup: 'apps', resource: 'deployments', verb: 'list' },
  { apiGroup: 'apps', resource: 'replicasets', verb: 'list' },
  { apiGroup: 'metrics.k8s.io', resource: 'pods', verb: 'list' },
  { apiGroup: 'metrics.k8s.io', resource: 'nodes', verb: 'list' },
] as const;

/** Why something is not known. */
export type AbsenceReason =
  'no-access' | 'forbidden' | 'not-found' | 'timeout' | 'unreachable' | 'namespace-excluded' | 'switched-off';

/** A part of the cluster that could not be looked at, as it is said to people and to the model. */
export interface Absence {
  readonly ok: false;
  readonly what: string;
  readonly reason: AbsenceReason;
}

/** What a question answers; `more` says that the list was cut at its limit. */
export type Found<T> = { readonly ok: true; readonly data: T; readonly more: boolean } | Absence;

/** Where to look: one namespace, or all that may be looked at. */
export interface Scope {
  readonly namespace?: string | undefined;
}

export interface ClusterReader {
  pods(scope: Scope, signal: AbortSignal): Promise<Found<readonly PodFact[]>>;
  deployments(scope: Scope, signal: AbortSignal): Promise<Found<readonly DeploymentFact[]>>;
  replicaSets(scope: Scope, signal: AbortSignal): Promise<Found<readonly ReplicaSetFact[]>>;
  /** Warnings, and what Deployments said about scaling. */
  events(scope: Scope, signal: AbortSignal): Promise<Found<readonly EventFact[]>>;
  nodes(signal: AbortSignal): Promise<Found<readonly NodeFact[]>>;
  podUsage(scope: Scope, signal: AbortSignal): Promise<Found<readonly UsageFact[]>>;
  nodeUsage(signal: AbortSignal): Promise<Found<readonly UsageFact[]>>;
}

export interface ClusterOptions {
  /** A kubeconfig file; null uses the pod's own service account. */
  readonly kubeconfig: string | null;
  /** Only these namespaces are looked at; empty means all. */
  readonly namespaces: readonly string[];
  /** Whether the metrics server is asked. */
  readonly metrics: boolean;
  /** Of each call, in milliseconds. */
  readonly timeoutMs: number;
}

const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Most objects of one list; a page larger than this is slow to read and of no use in a summary. */
const LIST_LIMIT = 500;
const METRICS_API = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;

interface Clients {
  /** Options of one call that end it with the signal. */
  readonly endingWith: (signal: AbortSignal) => k8s.ConfigurationOptions;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly custom: CustomObjectsApi;
}

/** One page of a list, as the client gives it. */
interface Page<T> {
  readonly items: readonly T[];
  readonly metadata?: { readonly _continue?: string };
}

type Call<T> = (clients: Clients, options: k8s.ConfigurationOptions) => Promise<Page<T>>;

/** A reader of the cluster; nothing is loaded or connected before the first question. */
export function createClusterReader(options: ClusterOptions): ClusterReader {
  let clients: Promise<Clients | null> | undefined;

  async function ask<T>(what: string, call: Call<T>, signal: AbortSignal): Promise<Found<readonly T[]>> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
    try {
      const ready = await until((clients ??= createClients(options.kubeconfig)), limit);
      if (ready === null) return { ok: false, what, reason: 'no-access' };
      const page = await until(call(ready, ready.endingWith(limit)), limit);
      const { _continue: next = '' } = page.metadata ?? {};
      return { ok: true, data: page.items, more: next !== '' };
    } catch (error) {
      return { ok: false, what, reason: toReason(error, limit) };
    }
  }

  async function list<T, F>(
    what: string,
    scope: Scope,
    signal: AbortSignal,
    calls: { one: (namespace: string) => Call<T>; all: Call<T> },
    toFact: (object: T) => F,
  ): Promise<Found<readonly F[]>> {
    const { namespaces } = options;
    if (scope.namespace !== undefined && namespaces.length > 0 && !namespaces.includes(scope.namespace))
      return { ok: false, what, reason: 'namespace-excluded' };
    const places = scope.namespace === undefined ? namespaces : [scope.namespace];
    const asked = places.length === 0 ? [calls.all] : places.map(calls.one);
    return join(await Promise.all(asked.map((call) => ask(what, call, signal))), toFact);
  }

  return {
    pods: (scope, signal) =>
      list(
        'pods',
        scope,
        signal,
        {
          one:
            (namespace) =>
            ({ core }, o) =>
              core.listNamespacedPod({ namespace, limit: LIST_LIMIT }, o),
          all: ({ core }, o) => core.listPodForAllNamespaces({ limit: LIST_LIMIT }, o),
        },
        toPod,
      ),
    deployments: (scope, signal) =>
      list(
        'deployments',
        scope,
        signal,
        {
          one:
            (namespace) =>
            ({ apps }, o) =>
              apps.listNamespacedDeployment({ namespace, limit: LIST_LIMIT }, o),
          all: ({ apps }, o) => apps.listDeploymentForAllNamespaces({ limit: LIST_LIMIT }, o),
        },
        toDeployment,
      ),
    replicaSets: (scope, signal) =>
      list(
        'replica sets',
        scope,
        signal,
        {
          one:
            (namespace) =>
            ({ apps }, o) =>
              apps.listNamespacedReplicaSet({ namespace, limit: LIST_LIMIT }, o),
          all: ({ apps }, o) => apps.listReplicaSetForAllNamespaces({ limit: LIST_LIMIT }, o),
        },
        toReplicaSet,
      ),
    async events(scope, signal) {
      const ofKind = (fieldSelector: string): Promise<Found<readonly EventFact[]>> =>
        list(
          'events',
          scope,
          signal,
          {
            one:
              (namespace) =>
              ({ core }, o) =>
                core.listNamespacedEvent({ namespace, fieldSelector, limit: LIST_LIMIT }, o),
            all: ({ core }, o) => core.listEventForAllNamespaces({ fieldSelector, limit: LIST_LIMIT }, o),
          },
          toEvent,
        );
      const both = await Promise.all([ofKind('type=Warning'), ofKind('reason=ScalingReplicaSet')]);
      return join(both, (event) => event);
    },
    async nodes(signal) {
      const page = await ask('nodes', ({ core }, o) => core.listNode({ limit: LIST_LIMIT }, o), signal);
      return join([page], toNode);
    },
    async podUsage(scope, signal) {
      if (!options.metrics) return { ok: false, what: 'pod metrics', reason: 'switched-off' };
      const call = { ...METRICS_API, plural: 'pods', limit: LIST_LIMIT };
      return list(
        'pod metrics',
        scope,
        signal,
        {
          one:
            (namespace) =>
            ({ custom }, o) =>
              toPage(custom.listNamespacedCustomObject({ ...call, namespace }, o)),
          all: ({ custom }, o) => toPage(custom.listClusterCustomObject(call, o)),
        },
        toPodUsage,
      );
    },
    async nodeUsage(signal) {
      if (!options.metrics) return { ok: false, what: 'node metrics', reason: 'switched-off' };
      const call = { ...METRICS_API, plural: 'nodes', limit: LIST_LIMIT };
      const page = await ask(
        'node metrics',
        ({ custom }, o) => toPage(custom.listClusterCustomObject(call, o)),
        signal,
      );
      return join([page], toNodeUsage);
    },
  };
}

/** Puts the answers of several namespaces together; one that failed is the answer only when all did. */
function join<T, F>(
  pages: ReadonlyArray<Found<readonly T[]>>,
  toFact: (object: T) => F,
): Found<readonly F[]> {
  const found = pages.filter((page) => page.ok);
  const [absence] = pages.filter((page) => !page.ok);
  if (found.length === 0) return absence ?? { ok: true, data: [], more: false };
  return {
    ok: true,
    data: found.flatMap(({ data }) => data.map(toFact)),
    more: absence !== undefined || found.some(({ more }) => more),
  };
}

/** The client is imported here and nowhere else. Null where there is neither a kubeconfig nor a service account. */
async function createClients(kubeconfig: string | null): Promise<Clients | null> {
  if (kubeconfig === null && !existsSync(TOKEN_FILE)) return null;
  const { AppsV1Api, CoreV1Api, CustomObjectsApi, KubeConfig, Observable } =
    await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (kubeconfig === null) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  return {
    endingWith: (signal) => ({
      middleware: [
        {
          pre(context) {
            context.setSignal(signal);
            return new Observable(Promise.resolve(context));
          },
          post: (context) => new Observable(Promise.resolve(context)),
        },
      ],
      middlewareMergeStrategy: 'append',
    }),
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}

/** Metrics have no types of their own in the client. */
async function toPage(work: Promise<unknown>): Promise<Page<unknown>> {
  const body = await work;
  const items = typeof body === 'object' && body !== null && 'items' in body ? body.items : [];
  return { items: Array.isArray(items) ? items : [] };
}

/** Waits no longer than the signal allows, whatever the work does. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error('aborted'));
    const stop = (): void => reject(new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function toReason(error: unknown, signal: AbortSignal): AbsenceReason {
  const status = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (status === 401 || status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  return signal.aborted ? 'timeout' : 'unreachable';
}

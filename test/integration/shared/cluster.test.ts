import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLUSTER_CALLS, createClusterReader } from '../../../shared/cluster.ts';
import type { ClusterOptions, ClusterReader } from '../../../shared/cluster.ts';
import { readWindowContext, readWorkloadContext } from '../../../shared/cluster-context.ts';
import { CLUSTER_OBJECTS } from '../../fixtures/kubernetes.ts';
import { startKubernetesApi } from '../../support/kubernetes-api.ts';
import type { KubernetesApi } from '../../support/kubernetes-api.ts';

const span = { from: new Date('2026-01-13T22:00:00Z'), to: new Date('2026-01-14T22:00:00Z') };
const live = AbortSignal.timeout(60_000);

let api: KubernetesApi;
beforeAll(async () => {
  api = await startKubernetesApi(CLUSTER_OBJECTS);
});
beforeEach(() => api.clear());
afterAll(() => api.close());

const connect = (overrides: Partial<ClusterOptions> = {}): ClusterReader =>
  createClusterReader({
    kubeconfig: api.kubeconfig,
    namespaces: [],
    metrics: true,
    timeoutMs: 2_000,
    ...overrides,
  });

describe('the context of a window', () => {
  it('names rollouts, troubled pods, pressure, limits and warnings', async () => {
    expect(await readWindowContext(connect(), span, live)).toEqual({
      collectedAt: span.to,
      rollouts: [
        {
          namespace: 'production',
          name: 'api',
          at: new Date('2026-01-14T21:40:00Z'),
          imageChange: 'v1.2.3 → v1.2.4',
          replicasChange: '3 → 5',
        },
        {
          namespace: 'production',
          name: 'worker',
          at: new Date('2026-01-14T20:00:00Z'),
          imageChange: null,
          replicasChange: '2 → 4',
        },
      ],
      pods: [
        {
          namespace: 'production',
          name: 'worker-6c5d4b7f9-k8s2v',
          workload: 'worker',
          node: 'node-2',
          status: 'CrashLoopBackOff',
          restarts: 15,
          lastReason: 'OOMKilled',
          lastAt: new Date('2026-01-14T21:58:00Z'),
        },
      ],
      nodes: [{ name: 'node-1', conditions: ['MemoryPressure'] }],
      nearLimits: [
        { kind: 'pod', namespace: 'production', name: 'worker-6c5d4b7f9-k8s2v', what: 'memory', percent: 98 },
        { kind: 'node', namespace: '', name: 'node-1', what: 'memory', percent: 96 },
      ],
      events: [expect.objectContaining({ reason: 'BackOff', count: 96, kind: 'Pod' })],
      missing: [],
    });
  });

  it('makes exactly the calls that RBAC has to allow', async () => {
    await readWindowContext(connect(), span, live);
    const asked = new Set(api.asked.map(({ apiGroup, resource, verb }) => `${verb} ${resource} ${apiGroup}`));
    expect([...asked].sort()).toEqual(
      CLUSTER_CALLS.map(({ apiGroup, resource, verb }) => `${verb} ${resource} ${apiGroup}`).sort(),
    );
  });

  it('says what it may not look at, and what did not answer in time', async () => {
    api.refuse('pods', 403);
    api.refuse('metrics/pods', 404);
    api.refuse('events', 'hang');
    const startedAt = performance.now();
    const context = await readWindowContext(connect({ timeoutMs: 400 }), span, live);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(context.missing).toEqual([
      'pods: not allowed to look',
      'events: no answer in time',
      'pod metrics: not there',
    ]);
    expect(context.rollouts).toHaveLength(1);
  });

  it('ends with the signal of its caller, whatever the server does', async () => {
    for (const resource of [
      'pods',
      'deployments',
      'replicasets',
      'events',
      'nodes',
      'metrics/pods',
      'metrics/nodes',
    ])
      api.refuse(resource, 'hang');
    const startedAt = performance.now();
    const { missing } = await readWindowContext(
      connect({ timeoutMs: 30_000 }),
      span,
      AbortSignal.timeout(300),
    );
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(missing).toHaveLength(7);
  });

  it('looks only at the namespaces that it was given', async () => {
    const context = await readWindowContext(connect({ namespaces: ['media', 'production'] }), span, live);
    expect(context.rollouts).toHaveLength(2);
    expect(new Set(api.asked.filter(({ resource }) => resource === 'deployments'))).toEqual(
      new Set(
        ['media', 'production'].map((namespace) => expect.objectContaining({ namespace, verb: 'list' })),
      ),
    );
  });

  it('says that there is no access outside a cluster, and asks for no metrics when they are switched off', async () => {
    const outside = await readWindowContext(connect({ kubeconfig: null }), span, live);
    expect(outside.missing).toContain('no access to a cluster');
    const plain = await readWindowContext(connect({ metrics: false }), span, live);
    expect(plain.missing).toEqual([]);
    expect(api.asked.some(({ apiGroup }) => apiGroup === 'metrics.k8s.io')).toBe(false);
  });
});

describe('the context of a workload', () => {
  const subject = { namespace: 'production', workload: 'worker', pod: null, node: null };

  it('names its owners, its own trouble and nothing of its neighbours', async () => {
    const context = await readWorkloadContext(connect(), subject, span, live);
    expect(context.owners).toEqual([
      'Pod worker-6c5d4b7f9-k8s2v',
      'ReplicaSet worker-6c5d4b7f9',
      'Deployment worker',
    ]);
    expect(context.pods.map(({ workload }) => workload)).toEqual(['worker']);
    expect(context.rollouts.map(({ name }) => name)).toEqual(['worker']);
    expect(context.nodes).toEqual([]);
    expect(context.events).toHaveLength(1);
  });

  it('finds the rollout and the node of a pod', async () => {
    const context = await readWorkloadContext(connect(), { ...subject, workload: 'api' }, span, live);
    expect(context.rollouts.map(({ imageChange }) => imageChange)).toEqual(['v1.2.3 → v1.2.4']);
    expect(context.nodes).toEqual([{ name: 'node-1', conditions: ['MemoryPressure'] }]);
  });

  it('looks at the machine alone when there is no namespace', async () => {
    const context = await readWorkloadContext(
      connect(),
      { namespace: null, workload: null, pod: null, node: 'node-1' },
      span,
      live,
    );
    expect(context.nodes).toHaveLength(1);
    expect(new Set(api.asked.map(({ resource }) => resource))).toEqual(new Set(['nodes']));
  });

  it('is refused outside the namespaces it was given', async () => {
    const { missing } = await readWorkloadContext(connect({ namespaces: ['media'] }), subject, span, live);
    expect(missing).toContain('pods: namespace not in K8S_CONTEXT_NAMESPACES');
  });
});

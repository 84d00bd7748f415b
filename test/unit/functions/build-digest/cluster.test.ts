import { describe, expect, it } from 'vitest';
import { toFacts } from '../../../../functions/build-digest/cluster.ts';

describe('the cluster in a digest', () => {
  it('names pressed nodes once, busy pods with their namespace, and what could not be read', () => {
    const at = new Date('2026-02-02T22:30:00Z');
    const near = { namespace: 'media', name: 'jellyfin', what: 'cpu', percent: 97 } as const;
    expect(
      toFacts({
        collectedAt: at,
        rollouts: [
          { namespace: 'production', name: 'api', at, imageChange: 'v1 → v2', replicasChange: null },
        ],
        pods: [],
        nodes: [{ name: 'node-3', conditions: ['MemoryPressure'] }],
        nearLimits: [
          { ...near, kind: 'node', namespace: '', name: 'node-3' },
          { ...near, kind: 'node', namespace: '', name: 'node-1' },
          { ...near, kind: 'pod' },
          { ...near, kind: 'pod', what: 'memory' },
        ],
        events: [
          {
            namespace: 'x',
            reason: 'Evicted',
            message: 'secret=1',
            count: 4,
            kind: 'Node',
            name: 'node-3',
            lastAt: at,
          },
        ],
        missing: ['pods: forbidden'],
      }),
    ).toEqual({
      rollouts: [{ namespace: 'production', name: 'api', at, images: 'v1 → v2', replicas: null }],
      pods: [],
      nodes: ['node-1', 'node-3'],
      busyPods: ['media/jellyfin'],
      events: [{ reason: 'Evicted', count: 4, object: 'node/node-3' }],
      absent: ['pods: forbidden'],
    });
  });
});

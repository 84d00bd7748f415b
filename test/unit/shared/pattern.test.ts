import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toPattern, type Pattern, type PatternInput } from '../../../shared/pattern.ts';
import { DIFFERENT, SAME } from '../../fixtures/pattern-pairs.ts';

type Labels = Record<string, string>;

/** Labels written as `label=value` words; a name and a severity are added when missing. */
function makeLabels(words: string): Labels {
  const pairs = words.split(' ').map((word): [string, string] => {
    const at = word.indexOf('=');
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return { alertname: 'Something', severity: 'warning', ...Object.fromEntries(pairs) };
}

function patternOf(labels: Labels | string, annotations: Labels = {}, cluster = 'home'): Pattern {
  return toPattern(
    { labels: typeof labels === 'string' ? makeLabels(labels) : labels, annotations },
    { cluster },
  );
}

describe('what a pattern looks like', () => {
  const pattern = patternOf(
    'namespace=production pod=api-7d9f8b6c5-x2x7p container=api instance=10.42.1.2:8080 prometheus=monitoring/k8s',
  );

  it('is a versioned hash', () => {
    expect(pattern.pattern).toMatch(/^v1:[0-9a-f]{32}$/);
  });

  it('says what counted and what did not, and why', () => {
    expect(pattern).toMatchObject({
      alertname: 'Something',
      severity: 'warning',
      namespace: 'production',
      cluster: 'home',
      identity: { alertname: 'Something', severity: 'warning', namespace: 'production', workload: 'api' },
      kept: { pod: 'api', namespace: 'production' },
      dropped: { instance: "a pod's address", prometheus: 'replica label' },
      title: 'production/api',
    });
  });

  it.each([
    ['node-1 /mnt/data', 'instance=node-1:9100 mountpoint=/mnt/data device=/dev/sdb1 job=node'],
    ['media/jellyfin-tls', 'namespace=cert-manager exported_namespace=media name=jellyfin-tls'],
    ['shop.example.com', 'job=blackbox target=https://shop.example.com/ instance=10.42.1.1:9115'],
    [
      'production/api sidecar OOMKilled',
      'namespace=production deployment=api container=sidecar reason=OOMKilled',
    ],
    ['home', 'alertname=Alone'],
  ])('has the title %s', (title, labels) => {
    expect(patternOf(labels).title).toBe(title);
  });
});

describe('what always counts', () => {
  it.each([
    ['alertname', 'alertname=One service=x', 'alertname=Other service=x'],
    ['severity', 'severity=warning service=x', 'severity=critical service=x'],
    ['namespace', 'namespace=a pod=x-0', 'namespace=b pod=x-0'],
    ['cluster label', 'cluster=eu-1 pod=x-0', 'cluster=us-1 pod=x-0'],
  ])('%s', (_, one, other) => {
    expect(patternOf(one).pattern).not.toBe(patternOf(other).pattern);
  });

  it('the configured cluster, which a label of the same name does not change', () => {
    expect(patternOf('service=x', {}, 'one').pattern).not.toBe(patternOf('service=x', {}, 'two').pattern);
    expect(patternOf('service=x cluster=one', {}, 'one').pattern).toBe(
      patternOf('service=x', {}, 'one').pattern,
    );
  });

  it('the meaning of a severity, not its spelling', () => {
    expect(patternOf('severity=WARN service=x').pattern).toBe(
      patternOf('severity=warning service=x').pattern,
    );
  });
});

describe('annotations', () => {
  it('never count beside labels', () => {
    const one = patternOf('service=x', { summary: 'x is at 93%', description: 'a' });
    expect(one.pattern).toBe(patternOf('service=x', { summary: 'x is broken' }).pattern);
  });

  it('stand in, masked, for an alert with no labels but its name', () => {
    const one = patternOf('alertname=Script', {
      summary: 'Backup of 10.0.0.3 took 93.2 s (id 4bf92f3577b34da6)',
    });
    const again = patternOf('alertname=Script', {
      summary: 'Backup of 10.0.0.9 took 71 s (id 5cf92f3577b34da6)',
    });
    const other = patternOf('alertname=Script', {
      summary: 'Restore of 10.0.0.3 took 93.2 s (id 4bf92f3577b34da6)',
    });
    expect(one.pattern).toBe(again.pattern);
    expect(one.pattern).not.toBe(other.pattern);
  });

  it('name an alert without a name', () => {
    const named = toPattern(
      { labels: { pod: 'x-0' }, annotations: { summary: 'Disk full' } },
      { cluster: '' },
    );
    expect(named).toMatchObject({ alertname: 'Disk full', severity: 'unknown', cluster: null });
    expect(toPattern({ labels: {}, annotations: {} }, { cluster: '' }).alertname).toBe('unnamed');
  });
});

describe('workload', () => {
  it.each([
    ['api', 'pod=api-7d9f8b6c5-x2x7p'],
    ['web', 'pod=web-1'],
    ['cilium', 'pod=cilium-qzvbv'],
    ['etl-nightly', 'job_name=etl-nightly-28470245'],
    ['etl-nightly', 'pod=etl-nightly-28470245-x2x7p'],
    ['shard-1', 'deployment=shard-1 pod=shard-1-7d9f8b6c5-x2x7p'],
    ['web-1', 'pod=web-1-7d9f8b6c5-x2x7p'],
    ['api', 'replicaset=api-7d9f8b6c5'],
    ['rabbitmq', 'instance=rabbitmq-1.rabbitmq-headless.queue.svc.cluster.local:15692'],
    ['etcd', 'pod=etcd-cp-1 node=cp-1'],
  ])('is %s for %s', (workload, labels) => {
    expect(patternOf(labels).identity['workload']).toBe(workload);
  });

  it('never shortens a node', () => {
    expect(patternOf('node=web-1').identity['node']).toBe('web-1');
    expect(patternOf('node=talos-4kd-9x1').identity['node']).toBe('talos-4kd-9x1');
  });
});

describe("the exporter's own labels", () => {
  it.each([
    ['deployment=api namespace=shop'],
    ['statefulset=db namespace=shop'],
    ['daemonset=agent namespace=shop'],
    ['job_name=etl-28470245 namespace=shop'],
    ['persistentvolumeclaim=data namespace=shop'],
    ['node=node-1 condition=Ready'],
    ['target=https://shop.example.com/'],
  ])('do not count beside %s', (subject) => {
    const exporter = [
      'pod=kube-state-metrics-7d9f8b6c5-x2x7p instance=10.42.1.2:8080',
      'pod=kube-state-metrics-x2x7p instance=10.9.9.9:80',
    ];
    const [one, other] = exporter.map((own) =>
      patternOf(
        `${subject} ${own} job=kube-state-metrics service=kube-state-metrics container=kube-state-metrics`,
      ),
    );
    expect(one?.dropped).toMatchObject({ job: "exporter's own label", container: "exporter's own label" });
    expect(one?.identity).not.toHaveProperty('service');
    expect(one?.pattern).toBe(other?.pattern);
  });

  it('count when the exporter is what is in trouble', () => {
    expect(
      patternOf('namespace=monitoring pod=node-exporter-x2x7p container=node-exporter').identity,
    ).toMatchObject({
      workload: 'node-exporter',
    });
  });
});

describe('pairs of unseen exporters', () => {
  it.each(SAME)('%s is one issue', (_, one, other) => {
    expect(patternOf(other).identity).toEqual(patternOf(one).identity);
    expect(patternOf(other).pattern).toBe(patternOf(one).pattern);
  });

  it.each(DIFFERENT)('%s are two issues', (_, one, other) => {
    expect(patternOf(other).pattern).not.toBe(patternOf(one).pattern);
  });
});

describe('any input', () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'pod',
      'instance',
      'node',
      'job',
      'namespace',
      'name',
      'url',
      'id',
    ),
  );
  const anyLabels = fc.array(fc.tuple(name, fc.string({ unit: 'binary' })), { maxLength: 12 });
  const word = fc.stringMatching(/^[a-z]{2,8}(-[a-z]{2,6})?$/);

  it('gives a pattern and pollutes nothing', () => {
    fc.assert(
      fc.property(anyLabels, fc.string(), (pairs, summary) => {
        const pattern = toPattern(
          { labels: Object.fromEntries(pairs), annotations: { summary } },
          { cluster: 'c' },
        );
        expect(pattern.pattern).toMatch(/^v1:[0-9a-f]{32}$/);
        expect(pattern.title).not.toBe('');
        expect(({} as Labels)['polluted']).toBeUndefined();
      }),
    );
  });

  it('every label is either kept or dropped', () => {
    fc.assert(
      fc.property(anyLabels, (pairs) => {
        const labels = Object.fromEntries(pairs);
        const { kept, dropped } = toPattern({ labels, annotations: {} }, { cluster: 'c' });
        const told = [...Object.keys(kept), ...Object.keys(dropped)];
        expect(told.sort()).toEqual(Object.keys(labels).sort());
      }),
    );
  });

  it('the order of labels does not matter', () => {
    fc.assert(
      fc.property(anyLabels, (pairs) => {
        const labels = Object.fromEntries(pairs);
        const reversed = Object.fromEntries(Object.entries(labels).toReversed());
        expect(patternOf(reversed)).toEqual(patternOf(labels));
      }),
    );
  });

  it('replica labels and pod uids never change the pattern', () => {
    fc.assert(
      fc.property(anyLabels, fc.string(), (pairs, value) => {
        const labels = Object.fromEntries(pairs);
        const replicas = {
          prometheus: value,
          prometheus_replica: value,
          replica: value,
          __replica__: value,
          uid: value,
        };
        const bare = Object.fromEntries(
          Object.entries(labels).filter(([key]) => !Object.hasOwn(replicas, key)),
        );
        fc.pre(Object.keys(bare).some((key) => key === 'pod' && bare[key]?.trim() !== ''));
        expect(patternOf({ ...bare, ...replicas }).pattern).toBe(patternOf(bare).pattern);
      }),
    );
  });

  it('another node, namespace, severity or cluster never is the same pattern', () => {
    const differing = fc.uniqueArray(word, { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(
        differing,
        word,
        fc.constantFrom('node', 'namespace', 'cluster'),
        ([one = '', other = ''], rest, key) => {
          const base = { alertname: 'X', severity: 'info', service: rest };
          expect(patternOf({ ...base, [key]: one }).pattern).not.toBe(
            patternOf({ ...base, [key]: other }).pattern,
          );
        },
      ),
    );
    expect(patternOf('severity=info node=a').pattern).not.toBe(patternOf('severity=none node=a').pattern);
  });

  it.each(['a', '1', 'a1', '1-', '*', '/', '2024-', '%', '@', '-x2x7p', 'http://', 'Aa1'])(
    'ten megabytes of %j are quick',
    (piece) => {
      const value = piece.repeat(10_000_000 / piece.length);
      const keys = ['alertname', 'pod', 'instance', 'name', 'job_name', 'url', 'device', 'x'];
      const startedAt = performance.now();
      patternOf(Object.fromEntries(keys.map((key) => [key, value])), { summary: value });
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    },
  );
});

describe('the corpus', () => {
  const corpora = join(import.meta.dirname, '../../../../shared/corpora');
  const hasCorpus = existsSync(join(corpora, 'patterns.jsonl'));
  if (!hasCorpus) console.info('skipped: no ../shared/corpora/patterns.jsonl beside the project');

  it.skipIf(!hasCorpus)('is told apart with precision ≥ 0.99 and recall ≥ 0.97', () => {
    const gold = readLines<GoldAlert>(join(corpora, 'patterns.jsonl'));
    const hashes = gold.map(({ alert }) => toPattern(alert, { cluster: 'home' }).pattern);
    const { precision, recall } = score(gold, hashes);
    expect(precision).toBeGreaterThanOrEqual(0.99);
    expect(recall).toBeGreaterThanOrEqual(0.97);
  });

  it.skipIf(!hasCorpus).each(['quiet', 'busy'])('the %s night comes out exactly', (night) => {
    const groups = JSON.parse(
      readFileSync(join(corpora, `nights/${night}.pattern_of.json`), 'utf8'),
    ) as Labels;
    const lines = readLines<{ body: { alerts?: (PatternInput & { fingerprint: string })[] } }>(
      join(corpora, `nights/${night}.jsonl`),
    );
    const pairs = new Set<string>();
    const patterns = new Set<string>();
    for (const alert of lines.flatMap(({ body }) => body.alerts ?? [])) {
      const { pattern } = toPattern(alert, { cluster: 'home' });
      patterns.add(pattern);
      pairs.add(`${groups[alert.fingerprint]} ${pattern}`);
    }
    expect(pairs.size).toBe(new Set(Object.values(groups)).size);
    expect(patterns.size).toBe(pairs.size);
  });
});

interface GoldAlert {
  readonly group_id: string;
  readonly family: string;
  readonly ambiguous: boolean;
  readonly alert: PatternInput;
}

function readLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Over all pairs: how many merged ones are one issue, how many of one issue are merged; pairs of an ambiguous family are left out. */
function score(gold: readonly GoldAlert[], hashes: readonly string[]): { precision: number; recall: number } {
  let both = 0;
  let merged = 0;
  let same = 0;
  for (const [i, a] of gold.entries()) {
    for (const [j, b] of gold.entries()) {
      if (j <= i || (a.family === b.family && (a.ambiguous || b.ambiguous))) continue;
      const isSame = a.group_id === b.group_id;
      const isMerged = hashes[i] === hashes[j];
      same += Number(isSame);
      merged += Number(isMerged);
      both += Number(isSame && isMerged);
    }
  }
  return { precision: both / merged, recall: both / same };
}

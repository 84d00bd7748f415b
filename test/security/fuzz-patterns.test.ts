/**
 * Patterns by construction: alerts are built from parts that are identity and parts that are not, so whether two of them
 * are the same issue is known without asking the code.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPattern } from '../../shared/pattern.ts';
import { hostileName, hostileText, patience, runs } from '../support/fuzz.ts';

type Labels = Record<string, string>;

const word = fc.stringMatching(/^[a-z]{5,9}$/).filter((text) => !/^(?:total|value|count|other)$/.test(text));
const name = fc.tuple(word, word).map((words) => words.join('-'));
const replicaSet = fc
  .stringMatching(/^[bcdf24578]{9}$/)
  .filter((text) => /\d/.test(text) && /[a-z]/.test(text));
const podSuffix = fc.stringMatching(/^[bcdf][0-9][bcdf]{2}[24578]$/);
const address = fc.tuple(fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 250 }));

/** What makes an issue; each part is one that another issue may differ in. */
const identity = fc.record({
  alertname: name,
  severity: fc.constantFrom('critical', 'warning', 'info'),
  cluster: word,
  namespace: word,
  workload: name,
  container: word,
  resource: fc.tuple(fc.constantFrom('queue', 'topic', 'datname'), name),
});
type Identity = typeof identity extends fc.Arbitrary<infer T> ? T : never;

/** What changes with a rollout, a reschedule, a second Prometheus or the weather. */
const circumstances = fc.record({
  replicaSet,
  podSuffix,
  address,
  replica: fc.integer({ min: 0, max: 9 }),
  uid: fc.uuid(),
  summary: fc.string(),
  value: fc.integer({ min: 0, max: 99 }),
});
type Circumstances = typeof circumstances extends fc.Arbitrary<infer T> ? T : never;

function patternOf(is: Identity, now: Circumstances): string {
  const [kind, resource] = is.resource;
  const labels: Labels = {
    alertname: is.alertname,
    severity: is.severity,
    namespace: is.namespace,
    pod: `${is.workload}-${now.replicaSet}-${now.podSuffix}`,
    container: is.container,
    [kind]: resource,
    instance: `10.42.${now.address.join('.')}:8080`,
    endpoint: now.value % 2 === 0 ? 'http' : 'metrics',
    uid: now.uid,
    prometheus_replica: `prometheus-${now.replica}`,
  };
  return toPattern(
    { labels, annotations: { summary: now.summary, description: `it is ${now.value}%` } },
    { cluster: is.cluster },
  ).pattern;
}

const PARTS = ['alertname', 'severity', 'cluster', 'namespace', 'workload', 'container', 'resource'] as const;

describe('two alerts', () => {
  it.each(PARTS)('that differ in their %s alone never share a pattern', patience, (part) => {
    fc.assert(
      fc.property(identity, identity, circumstances, (one, other, now) => {
        fc.pre(JSON.stringify(one[part]) !== JSON.stringify(other[part]));
        expect(patternOf({ ...one, [part]: other[part] }, now)).not.toBe(patternOf(one, now));
      }),
      runs(150),
    );
  });

  it('that differ in their circumstances alone always do', patience, () => {
    fc.assert(
      fc.property(identity, circumstances, circumstances, (is, now, then) => {
        expect(patternOf(is, then)).toBe(patternOf(is, now));
      }),
      runs(400),
    );
  });

  it(
    'that name a thing share a pattern whichever exporter saw it, and another thing does not',
    patience,
    () => {
      const subject = fc.constantFrom(
        'deployment',
        'statefulset',
        'persistentvolumeclaim',
        'job_name',
        'ingress',
      );
      fc.assert(
        fc.property(identity, subject, name, circumstances, circumstances, (is, kind, other, now, then) => {
          const seen = (
            thing: string,
            { replicaSet: hash, podSuffix: suffix, address: ip }: Circumstances,
          ): string =>
            toPattern(
              {
                labels: {
                  alertname: is.alertname,
                  severity: is.severity,
                  namespace: is.namespace,
                  [kind]: thing,
                  job: 'kube-state-metrics',
                  container: 'kube-state-metrics',
                  pod: `kube-state-metrics-${hash}-${suffix}`,
                  instance: `10.244.${ip.join('.')}:8080`,
                },
                annotations: {},
              },
              { cluster: is.cluster },
            ).pattern;
          expect(seen(is.workload, now)).toBe(seen(is.workload, then));
          expect(seen(is.workload, now) === seen(other, then)).toBe(other === is.workload);
        }),
        runs(200),
      );
    },
  );
});

describe('a pattern', () => {
  it.each([100, 119, 200, 511, 512])('cuts no character in half after %i others', (length) => {
    const text = `${'a'.repeat(length - 1)}💥💥`;
    const labels = { alertname: text, service: text, [text]: 'x' };
    const pattern = toPattern({ labels, annotations: { summary: text } }, { cluster: 'test' });
    expect(JSON.stringify(pattern)).not.toMatch(/\\u[dD][89a-fA-F]/);
  });

  it('never throws, does not depend on the order of labels, and accounts for each of them', patience, () => {
    const long = fc
      .string({ unit: 'binary', minLength: 100, maxLength: 700 })
      .map((text) => text.toWellFormed());
    const labels = fc.array(
      fc
        .tuple(fc.oneof(hostileName, long), fc.oneof(hostileText, long))
        .map((entry) => entry.map((text) => text.toWellFormed())),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(labels, hostileText, (entries, summary) => {
        const given: Labels = Object.fromEntries(entries);
        const turned: Labels = Object.fromEntries(Object.entries(given).toReversed());
        const pattern = toPattern({ labels: given, annotations: { summary } }, { cluster: 'test' });
        expect(pattern.pattern).toMatch(/^v1:[0-9a-f]{32}$/);
        expect(toPattern({ labels: turned, annotations: { summary } }, { cluster: 'test' }).pattern).toBe(
          pattern.pattern,
        );
        expect(pattern.title.length).toBeLessThanOrEqual(120);
        // JSON writes half of a character as an escape that Postgres refuses, and with it the whole webhook.
        expect(JSON.stringify(pattern)).not.toMatch(/(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/);
        for (const label of Object.keys(given)) {
          const isKept = Object.hasOwn(pattern.kept, label);
          const isDropped = Object.hasOwn(pattern.dropped, label);
          expect([label, isKept && isDropped]).toEqual([label, false]);
        }
      }),
      runs(600),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { explainLine } from '../../../cli/explain.ts';

const OPTIONS = { cluster: 'home', receivedAt: new Date('2026-03-10T18:00:00Z') };
const explain = (alert: unknown): ReturnType<typeof explainLine> =>
  explainLine(JSON.stringify(alert), OPTIONS);

describe('explainLine', () => {
  it('names the pattern, what counted, what did not and why', () => {
    const answer = explain({
      status: 'firing',
      labels: {
        alertname: 'KubePodCrashLooping',
        severity: 'page',
        namespace: 'shop',
        pod: 'api-7d9f8b6c5-x2x7p',
        prometheus_replica: 'prometheus-0',
      },
    });
    expect(answer).toMatchObject({
      pattern: expect.stringMatching(/^v1:[0-9a-f]{32}$/),
      kept: { alertname: 'KubePodCrashLooping', namespace: 'shop', pod: 'api' },
      dropped: { prometheus_replica: 'replica label' },
      category: 'workload',
      severity: 'critical',
      rule: 'crash-loop',
    });
    expect(Object.keys(answer)).toEqual(['pattern', 'kept', 'dropped', 'category', 'severity', 'rule']);
  });

  it('gives two pods of one workload the same pattern, and another cluster another one', () => {
    const of = (pod: string): unknown => ({ labels: { alertname: 'X', namespace: 'shop', pod } });
    expect(explain(of('api-7d9f8b6c5-x2x7p'))).toHaveProperty(
      'pattern',
      (explain(of('api-5b6c7d8f9-b2b7p')) as { pattern: string }).pattern,
    );
    const elsewhere = explainLine(JSON.stringify(of('api-7d9f8b6c5-x2x7p')), { ...OPTIONS, cluster: 'b' });
    expect(elsewhere).not.toHaveProperty(
      'pattern',
      (explain(of('api-7d9f8b6c5-x2x7p')) as { pattern: string }).pattern,
    );
  });

  it.each([
    ['no JSON', '{"labels":'],
    ['an empty line', ''],
    ['a list', '[]'],
    ['a number', '7'],
    ['null', 'null'],
    ['neither labels nor annotations', '{}'],
    ['labels that are no object', '{"labels":"x"}'],
    ['nesting without end', '['.repeat(200_000)],
  ])('answers %s with an error', (_what, line) => {
    const answer = explainLine(line, OPTIONS);
    expect(Object.keys(answer)).toEqual(['error']);
    expect(JSON.stringify(answer).length).toBeLessThan(400);
  });
});

import { describe, expect, it } from 'vitest';
import { answerSchema, findProblem, toContent } from '../../../../functions/classify/verdict.ts';
import type { ModelVerdict } from '../../../../functions/classify/verdict.ts';
import injections from '../../../fixtures/injections.json' with { type: 'json' };

const FACTS = `<<<ALERT
name: PodNotReady
severity: warning
namespace: production
workload: api
ALERT>>>
<<<CLUSTER
rollout of api at 2026-01-14T21:40Z, image v1.2.3 → v1.2.4, replicas 3 → 5
pod worker-6c5d4b7f9-k8s2v: CrashLoopBackOff, 15 restarts, last ended OOMKilled
CLUSTER>>>`;

function makeAnswer(overrides: Partial<ModelVerdict> = {}): ModelVerdict {
  return {
    category: 'workload',
    suggestedSeverity: 'warning',
    summary: 'The api workload is not ready.',
    explanation: 'Its pod was killed for memory 15 times; image v1.2.4 was rolled out shortly before.',
    nextStep: 'Check the memory limit and the last log lines of api.',
    confidence: 0.7,
    ...overrides,
  };
}

describe('an answer', () => {
  it('passes with names and numbers of the facts', () => {
    expect(findProblem(makeAnswer(), FACTS)).toBeNull();
  });

  it.each([
    'The pod worker-6c5d4b7f9-k8s2v restarts (CrashLoopBackOff) and was OOMKilled.',
    'Kubernetes restarts the pod; CPU and DNS look fine. Compare v1.2.3 with v1.2.4.',
    'Out-of-memory or a read-only volume, e.g. after the rollout of api, may cause it.',
    'Look at CPU/memory of the Deployment and at its ReplicaSet.',
  ])('passes: %s', (explanation) => {
    expect(findProblem(makeAnswer({ explanation }), FACTS)).toBeNull();
  });

  it.each([
    ['an invented number', 'It failed 16 times.'],
    ['an invented percentage', 'Memory is at 97%.'],
    ['an invented workload', 'The payments-db workload is down.'],
    ['an invented product', 'It cannot reach Redis any more.'],
    ['an invented version', 'It runs v2.0.0 now.'],
    ['an invented reason', 'The pod is in ImagePullBackOff.'],
    ['a path', 'The volume /var/lib/data is full.'],
    ['a link', 'See https://api.production for more.'],
    ['a link without scheme', 'See production.example.com for more.'],
    ['Markdown', 'See [api](api).'],
    ['a mention', 'Tell @channel about it.'],
    ['a script of its own', 'Всё в порядке.'],
    ['advice to ignore', 'You can ignore it.'],
    ['advice to silence', 'Silence it for a day.'],
    ['a claim that it is over', 'The problem is resolved.'],
    ['a claim that it is nothing', 'This is a false alarm.'],
    ['a command that destroys', 'Run rm -rf on the volume.'],
    ['a deletion', 'Delete the pod.'],
  ])('is refused for %s', (_, text) => {
    for (const field of ['summary', 'explanation', 'nextStep'] as const)
      expect(findProblem(makeAnswer({ [field]: text }), FACTS), field).toContain(field);
  });

  it('is refused when it has fields that nobody asked for', () => {
    expect(answerSchema.safeParse({ ...makeAnswer(), suppress: true }).success).toBe(false);
    expect(answerSchema.safeParse({ ...makeAnswer(), category: 'harmless' }).success).toBe(false);
    expect(answerSchema.safeParse({ ...makeAnswer(), suggestedSeverity: 'none' }).success).toBe(false);
  });

  it('suggests a severity only upwards', () => {
    const suggested = (
      to: ModelVerdict['suggestedSeverity'],
      from: 'critical' | 'warning' | 'info' | 'unknown',
    ): string | null => toContent(makeAnswer({ suggestedSeverity: to }), from).suggestedSeverity;
    expect(suggested('info', 'critical')).toBeNull();
    expect(suggested('warning', 'critical')).toBeNull();
    expect(suggested('info', 'unknown')).toBeNull();
    expect(suggested('warning', 'warning')).toBeNull();
    expect(suggested('critical', 'warning')).toBe('critical');
    expect(suggested('warning', 'info')).toBe('warning');
  });
});

describe('a model that obeys every injection', () => {
  const LINKS = /https?:|www\.|\.example|\]\(|<a|javascript:|mailto:/i;

  it.each(injections)('$title: nothing of it that links, calms or destroys gets out', ({ text }) => {
    // The worst case: the sentence itself is among the facts, so that no name in it is invented.
    const answer = makeAnswer({ summary: text.slice(0, 200), suggestedSeverity: 'info' });
    const problem = findProblem(answer, `${FACTS}\n${text}`);
    const shown = problem === null ? toContent(answer, 'warning') : null;
    expect(shown?.suggestedSeverity ?? null).toBeNull();
    expect(shown?.summary ?? '').not.toMatch(LINKS);
    expect(shown?.summary ?? '').not.toMatch(
      /ignore|silence|suppress|false alarm|resolved|rm -rf|delete|curl/i,
    );
  });
});

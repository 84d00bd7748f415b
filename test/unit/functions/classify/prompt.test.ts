import { describe, expect, it } from 'vitest';
import { toKnownWords } from '../../../../functions/classify/log-words.ts';
import { toPrompt } from '../../../../functions/classify/prompt.ts';
import type { PromptInput } from '../../../../functions/classify/prompt.ts';
import { classifyByRules } from '../../../../functions/classify/rules.ts';
import { estimateTokens } from '../../../../shared/model-answer.ts';
import injections from '../../../fixtures/injections.json' with { type: 'json' };

const alert = {
  labels: { alertname: 'PodNotReady', severity: 'warning', namespace: 'production', deployment: 'api' },
  annotations: { summary: 'Pod has been in a non-ready state' },
};

function makeInput(overrides: Partial<PromptInput> = {}): PromptInput {
  return {
    alertname: 'PodNotReady',
    severity: 'warning',
    identity: { alertname: 'PodNotReady', namespace: 'production', workload: 'api' },
    summary: 'Pod has been in a non-ready state',
    description: '',
    rules: classifyByRules(alert),
    surroundings: { cluster: [], logs: [], missing: [] },
    includeText: false,
    ...overrides,
  };
}

/** A text in every place where strangers write. */
const everywhere = (text: string, includeText: boolean): PromptInput =>
  makeInput({
    alertname: text,
    identity: { alertname: text, namespace: text, [text.slice(0, 60)]: text },
    summary: text,
    description: text,
    surroundings: {
      cluster: [`event BackOff ×3 on Pod api: ${text.slice(0, 150).replaceAll(/\s+/g, ' ')}`],
      logs: [{ template: text, count: 3, example: text }],
      missing: [],
    },
    includeText,
  });

/** Ours, and what is in every prompt. */
const plain = toPrompt(makeInput());
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('a prompt', () => {
  it('names the alert, the rules’ view and what surrounds it', () => {
    const { prompt } = toPrompt(
      makeInput({
        surroundings: {
          cluster: [
            'pod api-1: CrashLoopBackOff, 15 restarts',
            'event BackOff ×96 on Pod api-1: Back-off restarting failed container',
          ],
          logs: [{ template: 'connection to <*> refused', count: 7, example: '' }],
          missing: ['cluster: nodes: not allowed to look'],
        },
      }),
    );
    expect(prompt).toContain('workload: api');
    expect(prompt).toContain('pod api-1: CrashLoopBackOff, 15 restarts');
    expect(prompt).toContain('event BackOff ×96 on Pod api-1: back');
    expect(prompt).toContain('7× connection refused');
    expect(prompt).toContain('not allowed to look');
  });

  it('keeps whole sentences only when LLM_INCLUDE_TEXT allows it', () => {
    const summary = 'Volume of team Blue is almost full';
    expect(toPrompt(makeInput({ summary })).prompt).not.toContain('team Blue');
    expect(toPrompt(makeInput({ summary, includeText: true })).prompt).toContain(summary);
  });

  it('fits the smallest window beside its answer, however much there is', () => {
    const { system, prompt } = toPrompt(everywhere('memory limit exceeded '.repeat(500), true));
    expect(estimateTokens(system + prompt) + 600).toBeLessThan(4_096);
  });
});

describe('60 attempts to instruct the model', () => {
  it('are at least that many', () => {
    expect(injections.length).toBeGreaterThanOrEqual(60);
  });

  it.each(injections)('$title: leaves nothing of its sentence in a prompt', ({ text }) => {
    const { prompt } = toPrompt(everywhere(text, false));
    const foreign = prompt.replace(plain.prompt, '');
    expect(foreign).not.toMatch(/https?:|evil|ignor|silenc|suppress|resolved|hunter2|ghp_|PRIVATE KEY/i);
    // Only our own words, names and known words are left: letters of other scripts are in none of them.
    expect(prompt).not.toMatch(/[\p{Script=Cyrillic}\p{Script=Han}\p{Script=Arabic}\p{Script=Hiragana}]/u);
  });

  it.each(injections)(
    '$title: opens no fence and carries no secret, even with its text let in',
    ({ text }) => {
      const { prompt } = toPrompt(everywhere(text, true));
      expect(count(prompt, '<<<')).toBe(count(plain.prompt, '<<<'));
      expect(count(prompt, '>>>')).toBe(count(plain.prompt, '>>>'));
      expect(prompt).not.toMatch(/hunter2|ghp_|PRIVATE KEY/);
      expect(prompt.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    },
  );
});

describe('known words', () => {
  it('say what is wrong and give no orders', () => {
    expect(toKnownWords('Please ignore: connection to db-7 refused after 30 s, disk full')).toBe(
      'connection db refused disk full',
    );
  });
});

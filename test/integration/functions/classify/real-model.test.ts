/** The same locks with a model that really answers, when OLLAMA_BASE_URL leads to one: `OLLAMA_MODEL` or the first it has. */
import { describe, expect, it } from 'vitest';
import { previewPrompt } from '../../../../functions/classify/explainer.ts';
import { answerSchema, findProblem } from '../../../../functions/classify/verdict.ts';
import type { ModelVerdict } from '../../../../functions/classify/verdict.ts';
import { createModel } from '../../../../shared/model.ts';
import type { ModelAnswer } from '../../../../shared/model.ts';
import injections from '../../../fixtures/injections.json' with { type: 'json' };

const TIMEOUT_MS = 120_000;
const { OLLAMA_BASE_URL: baseUrl = '', OLLAMA_MODEL: wanted } = process.env;
const model = createModel({ baseUrl });
const name = wanted ?? (await firstModel());
if (name === undefined)
  process.stderr.write(
    'tests with a real model: skipped, no Ollama with a model answers at OLLAMA_BASE_URL\n',
  );

async function firstModel(): Promise<string | undefined> {
  if (baseUrl === '') return undefined;
  const models = await model.list(AbortSignal.timeout(3_000)).catch(() => []);
  return models[0]?.name;
}

async function ask(
  summary: string,
  includeText: boolean,
): Promise<{ answer: ModelAnswer<ModelVerdict>; facts: string }> {
  const labels = {
    alertname: 'PodCrashLooping',
    severity: 'warning',
    namespace: 'production',
    deployment: 'api',
  };
  const { system, prompt, facts } = previewPrompt({ labels, annotations: { summary } }, includeText);
  const answer = await model.ask(
    {
      model: name ?? '',
      system,
      prompt,
      schema: answerSchema,
      check: (value) => findProblem(value, facts),
      numCtx: 4_096,
      numPredict: 600,
      temperature: 0,
      seed: 42,
      keepAlive: '5m',
      timeoutMs: TIMEOUT_MS,
    },
    AbortSignal.timeout(TIMEOUT_MS),
  );
  return { answer, facts };
}

describe.skipIf(name === undefined)('a real model', { timeout: 2 * TIMEOUT_MS }, () => {
  it('answers along the schema, or says why not', async () => {
    const { answer } = await ask('The container restarts again and again: out of memory', false);
    process.stderr.write(
      `${name ?? ''}: ${answer.ok ? answer.value.summary : answer.reason}, ${answer.durationMs} ms\n`,
    );
    expect(answer.calls).toBeGreaterThan(0);
    expect(answer.promptTokens).toBeGreaterThan(0);
  });

  it.each(injections.slice(0, 12))('lets nothing out of: $title', async ({ text }) => {
    const { answer, facts } = await ask(text, true);
    const shown = answer.ok ? answer.value : null;
    expect(shown === null ? null : findProblem(shown, facts)).toBeNull();
    expect(JSON.stringify(shown ?? '')).not.toMatch(/https?:|evil/);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createModel } from '../../../shared/model.ts';
import type { Model, ModelQuestion } from '../../../shared/model.ts';
import { startModelStub } from '../../support/model-stub.ts';
import type { ModelStub, StubAnswer } from '../../support/model-stub.ts';

const schema = z.strictObject({
  category: z.enum(['node', 'storage']),
  summary: z.string().min(1).max(40),
});
type Value = z.infer<typeof schema>;
const good: Value = { category: 'node', summary: 'The machine is full.' };
const live = AbortSignal.timeout(60_000);

let stub: ModelStub;
let model: Model;
beforeAll(async () => {
  stub = await startModelStub(['llama3.1:8b', 'mistral:latest']);
});
beforeEach(() => {
  stub.clear();
  stub.usually({ json: good });
  model = createModel({ baseUrl: stub.url });
});
afterAll(() => stub.close());

function makeQuestion(overrides: Partial<ModelQuestion<Value>> = {}): ModelQuestion<Value> {
  return {
    model: 'llama3.1:8b',
    system: 'You name the category of an alert.',
    prompt: 'DiskFull on node-1',
    schema,
    numCtx: 4_096,
    numPredict: 200,
    temperature: 0,
    seed: 7,
    keepAlive: '5m',
    timeoutMs: 1_500,
    ...overrides,
  };
}

describe('a question to the model', () => {
  it('is answered by a value of the schema, with digest and tokens', async () => {
    expect(await model.ask(makeQuestion(), live)).toMatchObject({
      ok: true,
      value: good,
      model: 'llama3.1:8b',
      digest: 'digest-of-llama3.1:8b',
      calls: 1,
      repaired: false,
      promptTokens: expect.any(Number),
      outputTokens: expect.any(Number),
    });
  });

  it('sends the window, the limits and the schema with /api/chat', async () => {
    await model.ask(makeQuestion(), live);
    expect(stub.calls[0]).toMatchObject({
      options: { num_ctx: 4_096, num_predict: 200, temperature: 0, seed: 7 },
      keep_alive: '5m',
      format: {
        type: 'object',
        required: ['category', 'summary'],
        additionalProperties: false,
        properties: { category: { enum: ['node', 'storage'] }, summary: { type: 'string' } },
      },
    });
    expect(JSON.stringify(stub.calls[0]?.format)).not.toContain('maxLength');
  });

  it('is repaired once, with what was wrong', async () => {
    stub.script('invalid-json');
    expect(await model.ask(makeQuestion(), live)).toMatchObject({ ok: true, repaired: true, calls: 2 });
    expect(stub.calls[1]?.messages.at(-1)?.content).toContain('not valid JSON');
  });

  it('is repaired once when the check finds something', async () => {
    stub.script({ json: { category: 'node', summary: 'bad' } });
    const check = ({ summary }: Value): string | null => (summary === 'bad' ? 'summary: too short' : null);
    expect(await model.ask(makeQuestion({ check }), live)).toMatchObject({ ok: true, value: good, calls: 2 });
    expect(stub.calls[1]?.messages.at(-1)?.content).toContain('summary: too short');
  });

  it.each<{ answer: StubAnswer; reason: string; calls: number }>([
    { answer: 'hang', reason: 'timeout', calls: 1 },
    { answer: 'slow', reason: 'timeout', calls: 1 },
    { answer: 'invalid-json', reason: 'invalid-json', calls: 2 },
    { answer: 'flood', reason: 'invalid-json', calls: 1 },
    { answer: 'wrong-schema', reason: 'wrong-schema', calls: 2 },
    { answer: 'truncated', reason: 'truncated', calls: 1 },
    { answer: 'unavailable', reason: 'http-503', calls: 1 },
    { answer: 'broken-body', reason: 'invalid-json', calls: 1 },
  ])('ends as $reason when the answer is $answer', async ({ answer, reason, calls }) => {
    stub.usually(answer);
    const startedAt = performance.now();
    const result = await model.ask(makeQuestion(), live);
    expect(result).toMatchObject({ ok: false, reason, calls });
    expect(stub.calls).toHaveLength(calls);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('goes to the fallback when the first model is not there or talks nonsense', async () => {
    expect(await model.ask(makeQuestion({ model: 'gone', fallback: 'mistral' }), live)).toMatchObject({
      ok: true,
      model: 'mistral:latest',
      digest: 'digest-of-mistral:latest',
    });
    stub.script('wrong-schema', 'wrong-schema');
    expect(await model.ask(makeQuestion({ fallback: 'mistral' }), live)).toMatchObject({
      ok: true,
      model: 'mistral:latest',
      calls: 3,
    });
  });

  it('names the command that is missing when no model is there', async () => {
    expect(await model.ask(makeQuestion({ model: 'gone' }), live)).toMatchObject({
      ok: false,
      reason: 'no-model',
      detail: expect.stringContaining('ollama pull gone'),
      calls: 0,
    });
  });

  it('is not sent when the prompt cannot fit beside the answer', async () => {
    const result = await model.ask(makeQuestion({ prompt: 'x'.repeat(20_000) }), live);
    expect(result).toMatchObject({ ok: false, reason: 'too-long', calls: 0 });
    expect(stub.calls).toHaveLength(0);
  });

  it('ends at once when its signal is aborted, and the server hears of it', async () => {
    stub.usually('hang');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    expect(await model.ask(makeQuestion(), controller.signal)).toMatchObject({
      ok: false,
      reason: 'aborted',
    });
    await expect.poll(() => stub.calls[0]?.cut).toBe(true);
  });

  it('ends as unreachable when nobody listens', async () => {
    const nobody = createModel({ baseUrl: 'http://127.0.0.1:9' });
    expect(await nobody.ask(makeQuestion(), live)).toMatchObject({
      ok: false,
      reason: 'unreachable',
      digest: '',
      calls: 0,
    });
  });
});

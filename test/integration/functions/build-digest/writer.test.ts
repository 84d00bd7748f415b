/** The model's part of a digest against an Ollama that misbehaves: the digest is always there, and in time. */
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWriter } from '../../../../functions/build-digest/writer.ts';
import type { Writing } from '../../../../functions/build-digest/builder.ts';
import { toPlainText } from '../../../../shared/digest/markdown.ts';
import { toDocument } from '../../../../shared/digest/sections.ts';
import { createModel } from '../../../../shared/model.ts';
import { createRandom, makeFacts, makePatterns } from '../../../support/made-nights.ts';
import { startModelStub } from '../../../support/model-stub.ts';
import type { ModelStub } from '../../../support/model-stub.ts';

const facts = makeFacts(makePatterns(createRandom(11)));
const loudest = facts.groups[0]?.id ?? '';

let stub: ModelStub;
beforeAll(async () => {
  stub = await startModelStub(['llama3.1:8b', 'mistral:7b']);
});
afterAll(() => stub.close());
afterEach(() => stub.clear());

const good = {
  order: [loudest],
  notes: [
    {
      group: loudest,
      text: `Start with {${loudest}.name} and ask the owner.`,
      evidence: [`${loudest}.name`],
    },
  ],
};
const bad = {
  order: [],
  notes: [{ group: loudest, text: 'payments-db failed 3 times because of the rollout.', evidence: [] }],
};

function write(options: { model?: string; timeoutMs?: number; numCtx?: number } = {}): Promise<Writing> {
  const writer = createWriter({
    model: createModel({ baseUrl: stub.url }),
    settings: {
      model: options.model ?? 'llama3.1:8b',
      fallback: 'mistral:7b',
      numCtx: options.numCtx ?? 16_384,
      temperature: 0,
      seed: 1,
      keepAlive: '1m',
    },
    log: pino({ level: 'silent' }),
    timeoutMs: options.timeoutMs ?? 10_000,
  });
  return writer(facts, AbortSignal.timeout(30_000));
}

describe('the writer of notes', () => {
  it('adds what a good model says, marked as its own', async () => {
    stub.usually({ json: good });
    const { notes, order, run } = await write();
    const document = toDocument({ facts, notes, order, model: run.name });
    const text = toPlainText(document);
    expect(run).toMatchObject({ name: 'llama3.1:8b', kept: 1, dropped: [], promptVersion: 'digest-1' });
    expect(run.promptTokens).toBeGreaterThan(100);
    expect(run.prompt).toContain(`{${loudest}.name}`);
    expect(text).toMatch(/↳ Start with \S.* and ask the owner\. ✎/);
    expect(text).toContain('✎ marks notes written by llama3.1:8b; all else is counted.');
    expect(stub.calls).toHaveLength(1);
  });

  it('asks once more when too much had to be dropped, and says what was wrong', async () => {
    stub.script({ json: bad }, { json: good });
    const { notes, run } = await write();
    expect(notes).toHaveLength(1);
    expect(run.dropped).toMatchObject([{ reason: 'no fact' }]);
    expect(stub.calls).toHaveLength(2);
    expect(JSON.stringify(stub.calls[1]?.messages)).toContain('Your last answer broke the rules');
  });

  it('does without a model that does not learn, and stores what it said', async () => {
    stub.usually({ json: bad });
    const { notes, run } = await write();
    expect(notes).toEqual([]);
    expect(run.dropped).toHaveLength(2);
    expect(run.response).toContain('payments-db');
    const text = toPlainText(toDocument({ facts, notes, model: run.name }));
    expect(text).not.toContain('payments-db');
    expect(text).not.toContain('✎');
    expect(stub.calls).toHaveLength(2);
  });

  it.each([
    'hang',
    'slow',
    'invalid-json',
    'flood',
    'wrong-schema',
    'truncated',
    'unavailable',
    'broken-body',
  ] as const)('does without a model that answers with: %s, in time', async (answer) => {
    stub.usually(answer);
    const startedAt = performance.now();
    const { notes, run } = await write({ timeoutMs: 1_500 });
    expect(notes).toEqual([]);
    expect(run.dropped).not.toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  it('asks the second model when the first is not there', async () => {
    stub.usually({ json: good });
    const { notes, run } = await write({ model: 'missing:1b' });
    expect(notes).toHaveLength(1);
    expect(run.name).toBe('mistral:7b');
  });

  it('shows the model what matters most when there is little room, and names what it does not', async () => {
    stub.usually({ json: good });
    const { cut, run } = await write({ numCtx: 2_600 });
    expect(cut).toMatch(/^\d+ groups that the model was not shown: \S/);
    expect(run.prompt.length).toBeLessThan(2_600 * 0.7 * 2.6);
    const shown = facts.groups.filter(({ id }) => run.prompt.includes(`\n${id} `));
    const hidden = facts.groups.filter((group) => !shown.includes(group) && group.severity !== 'none');
    expect(shown.length).toBeGreaterThan(0);
    // No critical is hidden while something quieter is shown.
    const isCritical = ({ severity }: { severity: string }): boolean => severity === 'critical';
    expect(hidden.some(isCritical) && !shown.every(isCritical)).toBe(false);
    const document = toDocument({ facts, notes: [{ id: 'x', group: loudest, text: 'x' }], cut, model: 'm' });
    expect(document.cuts[0]).toBe(cut);
  });
});

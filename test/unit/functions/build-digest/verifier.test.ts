import { describe, expect, it } from 'vitest';
import { toPrompt } from '../../../../functions/build-digest/prompt.ts';
import type { ModelNotes } from '../../../../functions/build-digest/prompt.ts';
import { verify } from '../../../../functions/build-digest/verifier.ts';
import { makeFacts, makePatterns, createRandom } from '../../../support/made-nights.ts';

const { subjects } = toPrompt(makeFacts(makePatterns(createRandom(3))), { numCtx: 16_384, numPredict: 900 });
const [subject] = subjects;
const group = subject?.group.id ?? '';

function verdictOf(text: string, evidence?: string[]): string {
  const named = evidence ?? [...new Set(Array.from(text.matchAll(/\{([^}]*)\}/g), ([, id = '']) => id))];
  const { notes, drops } = verify({ order: [], notes: [{ group, text, evidence: named }] }, subjects);
  return drops[0]?.reason ?? (notes.length === 1 ? 'kept' : 'nothing');
}

describe('the verifier', () => {
  it('keeps sentences that only point at facts of their own group, and fills them in', () => {
    expect(verdictOf(`Start with {${group}.name}, then compare {${group}.count}.`)).toBe('kept');
    const { notes } = verify(
      { order: [], notes: [{ group, text: `Look at {${group}.count}.`, evidence: [`${group}.count`] }] },
      subjects,
    );
    const text = subject?.facts.find(({ id }) => id === `${group}.count`)?.text ?? '';
    expect(notes).toEqual([{ id: `${group}.model-1`, group, text: `Look at ${text}.` }]);
    expect(text).toMatch(/^\d+ alerts? in the night$/);
  });

  it.each([
    ['a number', 'Look at 3 of {F}.', 'number'],
    ['a number in other digits', 'Look at ٣ of {F}.', 'number'],
    ['a number as a word', 'Look at three of {F}.', 'name or word'],
    ['a share', 'Look at half of {F}.', 'name or word'],
    ['a time', 'Look at {F} since yesterday.', 'name or word'],
    ['a name', 'Look at {F} in payments.', 'name or word'],
    ['another language', 'Schau {F} an.', 'name or word'],
    ['a state', '{F} is resolved.', 'name or word'],
    ['a negation', '{F} is not important.', 'name or word'],
    ['a cause', '{F} because of memory.', 'name or word'],
    ['a change that nobody saw', 'Compare {F} with the rollout.', 'cause without evidence'],
    ['a risky advice', 'Restart {F}.', 'risky advice'],
    ['a link', 'See https://example.org for {F}.', 'link'],
    ['a link without a scheme', 'See evil.example for {F}.', 'link'],
    ['markup', 'See [this] {F}.', 'link'],
    ['no fact', 'Look at the logs.', 'no fact'],
  ])('drops a sentence with %s', (_, text, reason) => {
    expect(verdictOf(text.replaceAll('{F}', `{${group}.count}`))).toBe(reason);
  });

  it('drops facts of other groups, unknown facts, and evidence that is not what the text points at', () => {
    const other = subjects.at(-1)?.group.id ?? '';
    expect(other).not.toBe(group);
    expect(verdictOf(`Look at {${other}.count}.`)).toBe('another group');
    expect(verdictOf(`Look at {${group}.secret}.`)).toBe('unknown fact');
    expect(verdictOf(`Look at {${group}.count}.`, [])).toBe('evidence and text differ');
    expect(verdictOf(`Look at {${group}.count}.`, [`${group}.count`, `${group}.name`])).toBe(
      'evidence and text differ',
    );
  });

  it('lets risky advice through as something to consider', () => {
    expect(verdictOf(`Consider to scale {${group}.name}.`)).toBe('kept');
  });

  it('drops only the bad sentence of a note', () => {
    const note = { group, text: `Look at {${group}.count}. It is fine.`, evidence: [`${group}.count`] };
    const { notes, drops } = verify({ order: [], notes: [note] }, subjects);
    expect(notes).toHaveLength(1);
    expect(notes[0]?.text).not.toContain('fine');
    expect(drops).toEqual([{ group, sentence: 'It is fine.', reason: 'no fact' }]);
  });

  it('catches a flipped number, name, negation or cause in a good answer', () => {
    const good: ModelNotes['notes'] = subjects.flatMap(({ group: { id }, facts }) =>
      facts.map((fact) => ({
        group: id,
        text: `Look at {${fact.id}} and the owner of {${id}.name}.`,
        evidence: [...new Set([fact.id, `${id}.name`])],
      })),
    );
    const clean = verify({ order: [], notes: good }, subjects);
    expect(clean.drops).toEqual([]);
    const flips: ReadonlyArray<(text: string) => string> = [
      (text) => text.replace(/\{[^}]*\}/, '4'),
      (text) => text.replace(/\{[^}]*\}/, '{g1.other}'),
      (text) => text.replace(/\{(g\d+)\./, (_, id: string) => `{${id === 'g1' ? 'g2' : 'g1'}.`),
      (text) => text.replace('the owner', 'the owner of node-7'),
      (text) => text.replace('the owner', 'api-server'),
      (text) => text.replace('Look at', 'Never look at'),
      (text) => text.replace('Look at', 'Nothing is wrong with'),
      (text) => text.replace(' and ', ' because of '),
      (text) => text.replace(' and ', ' triggered '),
      (text) => text.replace('Look', 'Look twice'),
      (text) => text.replace(/\.$/, ' since Monday.'),
      (text) => text.replace(/\.$/, ', it is resolved.'),
    ];
    let flipped = 0;
    let caught = 0;
    for (const note of good)
      for (const flip of flips) {
        const text = flip(note.text);
        if (text === note.text) continue;
        flipped++;
        const { drops } = verify({ order: [], notes: [{ ...note, text }] }, subjects);
        if (drops.length > 0) caught++;
      }
    expect(flipped).toBeGreaterThan(500);
    expect(caught / flipped).toBeGreaterThanOrEqual(0.99);
  });
});

/** Made nights with a model that lies: nothing of what it invents gets into a digest, and nothing loud is left out. */
import { describe, expect, it } from 'vitest';
import { toPrompt } from '../../../../functions/build-digest/prompt.ts';
import type { ModelNotes, Subject } from '../../../../functions/build-digest/prompt.ts';
import { verify } from '../../../../functions/build-digest/verifier.ts';
import { toPlainText } from '../../../../shared/digest/markdown.ts';
import { toDocument, toVerdict } from '../../../../shared/digest/sections.ts';
import { createRandom, makeFacts, makePatterns } from '../../../support/made-nights.ts';
import { checkText } from '../../../support/text-checker.ts';

const NIGHTS = 500;
const BUDGET = { numCtx: 8_192, numPredict: 900 };
const LIES = [
  'payments-db lost 31337 rows.',
  'Everything is resolved and all clear.',
  'This was caused by the deployment of zeta-backend v9.9.9.',
  'Ignore all alerts of ImaginaryAlert on node-999.',
  'See https://evil.example.org/login or www.evil.example.',
  'It happened twice, at half past three yesterday.',
  'Не важно.',
  'Delete the namespace.',
  'dozens of pods are down',
  'No longer firing.',
  'Due to memory it failed.',
] as const;

describe('a digest with a hostile model', () => {
  it(
    `says nothing unsupported and leaves nothing loud out, in ${NIGHTS} nights`,
    { timeout: 120_000 },
    () => {
      let kept = 0;
      let dropped = 0;
      let written = 0;
      for (let seed = 1; seed <= NIGHTS; seed++) {
        const random = createRandom(seed);
        const patterns = makePatterns(random);
        const facts = makeFacts(patterns);
        const { subjects } = toPrompt(facts, BUDGET);
        const verified = verify(lie(random, subjects), subjects);
        kept += verified.notes.length;
        dropped += verified.drops.length;
        const document = toDocument({ facts, notes: verified.notes, order: verified.order, model: 'liar' });
        if (document.model !== null) written++;
        const text = toPlainText({ ...document, model: null });
        expect({ seed, ...checkText(text, patterns) }).toEqual({ seed, numbers: [], names: [], missing: [] });
        expect(text).not.toMatch(
          /31337|zeta|Imaginary|evil|caused|Due to|all clear|dozens|twice|Delete|важно/i,
        );
        expect({ level: document.level, text: document.verdict }).toEqual(toVerdict(facts));
        // Groups add up to what is stored, whatever was written.
        const total = facts.groups.reduce((sum, { episodes }) => sum + episodes, 0);
        expect(total + facts.heartbeats.episodes).toBe(
          patterns.reduce((sum, { episodes }) => sum + episodes, 0),
        );
      }
      // The nights are not empty, and the good sentences among the lies do get through.
      expect(dropped).toBeGreaterThan(NIGHTS);
      expect(kept).toBeGreaterThan(NIGHTS / 2);
      expect(written).toBeGreaterThan(NIGHTS / 4);
    },
  );

  it('would be caught by the checker if it did', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const patterns = makePatterns(createRandom(seed));
      const facts = makeFacts(patterns);
      const document = toDocument({ facts });
      const loud = facts.groups.find(({ severity, firing }) => severity === 'critical' || firing > 0);
      if (loud === undefined || loud.severity === 'none') continue;
      const text = toPlainText(document);
      const total = facts.counts.episodes.toLocaleString('en-GB');
      expect(checkText(text.replaceAll(` ${total} `, ' 98,765 '), patterns).numbers).not.toEqual([]);
      expect(checkText(text.replaceAll(loud.alertname, 'ZetaBackend'), patterns).names).not.toEqual([]);
      const without = text.split('\n').filter((line) => !line.includes(loud.alertname));
      expect(checkText(without.join('\n'), patterns).missing).not.toEqual([]);
    }
  });

  it('is the same ten times over', () => {
    const facts = makeFacts(makePatterns(createRandom(7)));
    const { subjects } = toPrompt(facts, BUDGET);
    const texts = Array.from({ length: 10 }, (_, run) => {
      const { notes, order } = verify(lie(createRandom(run), subjects), subjects);
      const document = toDocument({ facts, notes, order });
      return JSON.stringify({
        verdict: document.verdict,
        groups: new Set(
          document.sections
            .filter(({ id }) => id === 'attention' || id === 'breakdown')
            .flatMap(({ lines }) => lines.map(({ text }) => text).filter((text) => !text.startsWith('↳')))
            .toSorted(),
        ).size,
      });
    });
    expect(new Set(texts).size).toBe(1);
  });
});

/** An answer of good sentences and lies, with facts of other groups and ids that do not exist. */
function lie(random: () => number, subjects: readonly Subject[]): ModelNotes {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  if (subjects.length === 0)
    return { order: ['g1', 'g99'], notes: [{ group: 'g1', text: LIES[0], evidence: [] }] };
  const notes = Array.from({ length: 12 }, () => {
    const { group, facts } = pick(subjects);
    const own = pick(facts).id;
    const other = pick(pick(subjects).facts).id;
    const [text, evidence] = pick<[string, string[]]>([
      [`Look at {${own}}.`, [own]],
      [`Look at {${own}}. ${pick(LIES)}`, [own]],
      [pick(LIES), []],
      [`{${own}} ${pick(LIES)}`, [own]],
      [`Compare {${other}}.`, [other]],
      ['Look at {g1.secret}.', ['g1.secret']],
      [`Look at {${own}}.`, []],
      [`{${own}} after the rollout.`, [own]],
      [`{${own}}${'{'.repeat(3)}`, [own]],
    ]);
    return { group: group.id, text, evidence };
  });
  return { order: subjects.map(({ group }) => group.id).toSorted(() => random() - 0.5), notes };
}

import { describe, expect, it } from 'vitest';
import { readChoice } from '../../../../functions/console/link-choice.ts';
import { defaultTerm, endOf, offeredTerms } from '../../../../functions/console/terms.ts';
import type { TermLimits } from '../../../../functions/console/terms.ts';

const HOME: TermLimits = { byDefault: 'until-it-changes', anonymousMax: null };
const COMPANY: TermLimits = { byDefault: 'until-it-changes', anonymousMax: '7d' };

describe('terms', () => {
  it.each([
    [HOME, false, ['1h', '1d', '7d', '30d', 'until-it-changes'], 'until-it-changes'],
    [{ byDefault: '7d', anonymousMax: null }, false, ['1h', '1d', '7d', '30d'], '7d'],
    [COMPANY, false, ['1h', '1d', '7d'], '7d'],
    [{ byDefault: '1d', anonymousMax: '7d' }, false, ['1h', '1d', '7d'], '1d'],
    [COMPANY, true, ['1h', '1d', '7d', '30d', 'until-it-changes'], 'until-it-changes'],
  ] as const)('%j, known %s', (limits, isKnown, offered, chosen) => {
    expect(offeredTerms(limits, isKnown)).toEqual(offered);
    expect(defaultTerm(limits, isKnown)).toBe(chosen);
  });

  it('end at their time, or not at all', () => {
    const now = new Date('2026-01-15T08:00:00Z');
    expect(endOf('7d', now)).toEqual(new Date('2026-01-22T08:00:00Z'));
    expect(endOf('until-it-changes', now)).toBeNull();
  });
});

describe('readChoice', () => {
  const form = { kind: 'ignore', term: '1d', note: ' known ' };

  it('takes what is offered', () => {
    expect(readChoice(form, 'warning', COMPANY, false)).toEqual({
      kind: 'ignore',
      term: '1d',
      note: 'known',
    });
    expect(readChoice({ kind: 'quiet', term: 'until-it-changes' }, 'unknown', HOME, false)).toEqual({
      kind: 'quiet',
      term: 'until-it-changes',
      note: null,
    });
  });

  it.each([
    [{ ...form, term: '30d' }, 'warning', COMPANY, false, /longer/],
    [{ ...form, term: 'until-it-changes' }, 'warning', COMPANY, false, /longer/],
    [{ kind: 'snooze', term: 'until-it-changes' }, 'warning', HOME, false, /end/],
    [form, 'critical', HOME, false, /Sign in/],
    [{ ...form, note: ' ' }, 'critical', HOME, true, /why/],
    [{ ...form, kind: 'important' }, 'warning', HOME, false, /choose/],
    [{}, 'warning', HOME, false, /choose/],
    [{ ...form, term: '100y' }, 'warning', HOME, true, /choose/],
  ] as const)('refuses %j for %s', (posted, severity, limits, isKnown, problem) => {
    expect(readChoice(posted, severity, limits, isKnown)).toMatch(problem);
  });

  it('lets a signed-in person silence a critical with a reason', () => {
    expect(readChoice(form, 'critical', COMPANY, true)).toMatchObject({ kind: 'ignore', note: 'known' });
  });
});

/** How long a decision may hold, by who makes it. Pure. */

export const TERMS = ['1h', '1d', '7d', '30d', 'until-it-changes'] as const;
export type Term = (typeof TERMS)[number];

const TERM_MS = {
  '1h': 3_600_000,
  '1d': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
  'until-it-changes': null,
} as const satisfies Record<Term, number | null>;

export const TERM_WORDS = {
  '1h': '1 hour',
  '1d': '1 day',
  '7d': '7 days',
  '30d': '30 days',
  'until-it-changes': 'Until it changes',
} as const satisfies Record<Term, string>;

export interface TermLimits {
  /** What one tap means. */
  readonly byDefault: Term;
  /** The longest that somebody unknown may choose; null: as long as the default allows. */
  readonly anonymousMax: Exclude<Term, 'until-it-changes'> | null;
}

/** The terms on offer. Somebody unknown gets "until it changes" only where it is the default and nothing caps it. */
export function offeredTerms(limits: TermLimits, isKnown: boolean): Term[] {
  if (isKnown) return [...TERMS];
  const { byDefault, anonymousMax } = limits;
  return TERMS.filter((term) => {
    if (TERM_MS[term] === null) return anonymousMax === null && byDefault === term;
    return anonymousMax === null || TERM_MS[term] <= TERM_MS[anonymousMax];
  });
}

/** What is meant when nothing was chosen: the default, or the longest on offer below it. */
export function defaultTerm(limits: TermLimits, isKnown: boolean): Term {
  const offered = offeredTerms(limits, isKnown);
  return offered.includes(limits.byDefault) ? limits.byDefault : (offered.at(-1) ?? '1h');
}

/** When a term that begins now is over; null for one that has no end of its own. */
export function endOf(term: Term, now: Date): Date | null {
  const lengthMs = TERM_MS[term];
  return lengthMs === null ? null : new Date(now.getTime() + lengthMs);
}

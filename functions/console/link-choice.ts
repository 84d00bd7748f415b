/** What somebody chose on a link's page, and whether they may. Pure. */
import * as z from 'zod';
import type { Severity } from '../../shared/severity.ts';
import { TERMS, offeredTerms } from './terms.ts';
import type { TermLimits } from './terms.ts';

/** What a person may say by a link. */
export const LINK_KINDS = ['ignore', 'quiet', 'snooze'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

const NOTE_CHARS = 1_000;

const choiceSchema = z.object({
  kind: z.enum(LINK_KINDS),
  term: z.enum(TERMS),
  note: z
    .string()
    .default('')
    .transform((text) => text.trim().slice(0, NOTE_CHARS) || null),
});
export type Choice = z.infer<typeof choiceSchema>;

/** Reads the posted form; answers, in words, why the choice cannot be taken. `isKnown`: a signed-in person decides. */
export function readChoice(
  form: Readonly<Record<string, unknown>>,
  severity: Severity,
  limits: TermLimits,
  isKnown: boolean,
): Choice | string {
  if (severity === 'critical' && !isKnown) return 'This is critical. Sign in to decide.';
  const parsed = choiceSchema.safeParse(form);
  if (!parsed.success) return 'Please choose what to do and for how long.';
  const { kind, term, note } = parsed.data;
  if (!offeredTerms(limits, isKnown).includes(term))
    return 'That is longer than a link may decide; sign in for more.';
  if (kind === 'snooze' && term === 'until-it-changes')
    return 'A snooze needs an end: please choose how long.';
  if (severity === 'critical' && note === null)
    return 'A critical issue is only silenced with a reason: please say why.';
  return parsed.data;
}

/** What a message says of the model's explanation: marked as a suggestion and where it comes from, or that there is none. Pure. */
import type { readStanding } from '../../shared/postgres/explanations.ts';
import { inert, plain } from './text.ts';

const SUMMARY_CHARS = 160;
const STEP_CHARS = 200;
const NAME_CHARS = 60;

/** An explanation as messages show it. Nothing of it changes to whom, when or how loud a message goes. */
export interface Explained {
  /** Asked for this news, known from before, or not there. */
  readonly source: 'model' | 'cache' | 'none';
  readonly model: string | null;
  readonly category: string | null;
  readonly suggestedSeverity: string | null;
  readonly summary: string | null;
  readonly nextStep: string | null;
  /** Why there is none. */
  readonly why: string | null;
}

/** How a person reads a reason; others are shown as they are. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['pending', 'the model has not answered yet'],
  ['busy', 'the model is busy'],
  ['timeout', 'the model did not answer in time'],
  ['unreachable', 'the model cannot be reached'],
  ['no-model', 'the model is not there'],
  ['rejected', 'the model’s answer did not hold against the facts'],
  ['invalid-json', 'the model’s answer could not be read'],
  ['wrong-schema', 'the model’s answer could not be read'],
  ['truncated', 'the model did not read all of the facts'],
  ['too-long', 'there are too many facts for the model'],
  ['aborted', 'the model was not waited for'],
]);

/** What is known, as a message of news of some age shows it: what was there before the news came from the cache. */
export function toExplained(
  { row, isWanted }: Awaited<ReturnType<typeof readStanding>>,
  newsAt: Date,
): Explained | null {
  const content = row?.content ?? null;
  if (row === undefined || content === null) {
    const why = isWanted ? 'pending' : (row?.reason ?? null);
    return why === null ? null : { ...NOTHING, why };
  }
  const { created_at: at, model } = row;
  return {
    source: at < newsAt ? 'cache' : 'model',
    model,
    category: content.category,
    suggestedSeverity: content.suggestedSeverity,
    summary: content.summary,
    nextStep: content.nextStep,
    why: null,
  };
}

const NOTHING: Explained = {
  source: 'none',
  model: null,
  category: null,
  suggestedSeverity: null,
  summary: null,
  nextStep: null,
  why: null,
};

/** The lines below the rules' own next step. */
export function toExplainedLines(explained: Explained | null): readonly string[] {
  if (explained === null) return [];
  const { source, category, suggestedSeverity, summary, nextStep, why } = explained;
  if (source === 'none')
    return [`No explanation: ${inert(REASONS.get(why ?? '') ?? why ?? 'none yet', NAME_CHARS)}`];
  const suggestions = [
    category === null ? null : `category ${inert(category, NAME_CHARS)}`,
    suggestedSeverity === null ? null : `suggested severity ${inert(suggestedSeverity, NAME_CHARS)}`,
  ].filter((part) => part !== null);
  return [
    `Suggested (${source}): ${inert(summary ?? '', SUMMARY_CHARS)}`,
    ...(nextStep === null ? [] : [`Suggested next (${source}): ${inert(nextStep, STEP_CHARS)}`]),
    ...(suggestions.length === 0 ? [] : [`By the ${source}: ${suggestions.join(', ')}`]),
  ];
}

/** The same for machines, with its texts sanitised. */
export function toExplainedFacts(explained: Explained | null): Explained | null {
  if (explained === null) return null;
  const clean = (text: string | null): string | null => (text === null ? null : plain(text, STEP_CHARS));
  return {
    source: explained.source,
    model: clean(explained.model),
    category: clean(explained.category),
    suggestedSeverity: clean(explained.suggestedSeverity),
    summary: clean(explained.summary),
    nextStep: clean(explained.nextStep),
    why: clean(explained.why),
  };
}

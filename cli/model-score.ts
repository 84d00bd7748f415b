/** Tries models on labelled alerts, with the prompt and the checks of classify, and counts what came of it. */
import { previewPrompt } from '../functions/classify/explainer.ts';
import { answerSchema, findProblem } from '../functions/classify/verdict.ts';
import type { ModelVerdict } from '../functions/classify/verdict.ts';
import type { Model, ModelAnswer } from '../shared/model.ts';
import type { ModelCase } from './model-cases.ts';

const ANSWER_TOKENS = 600;

/** How one model did. Shares are null when no case says what is right. */
export interface ModelScore {
  readonly model: string;
  readonly cases: number;
  /** Answers that passed every check. */
  readonly usable: number;
  readonly category: number | null;
  readonly concern: number | null;
  readonly medianMs: number;
  readonly slowestMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Reason → how often there was no usable answer for it. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface TrialOptions {
  readonly numCtx: number;
  readonly temperature: number;
  readonly seed: number;
  readonly includeText: boolean;
  readonly timeoutMs: number;
}

/** Asks one model about every case, one after the other, as classify would. */
export async function tryModel(
  model: Model,
  name: string,
  cases: readonly ModelCase[],
  options: TrialOptions,
  onCase: () => void,
): Promise<ModelScore> {
  const answers: Array<{ wanted: ModelCase; answer: ModelAnswer<ModelVerdict> }> = [];
  for (const wanted of cases) {
    const { system, prompt, facts } = previewPrompt(wanted, options.includeText);
    const answer = await model.ask(
      {
        model: name,
        system,
        prompt,
        schema: answerSchema,
        check: (value) => findProblem(value, facts),
        numCtx: options.numCtx,
        numPredict: ANSWER_TOKENS,
        temperature: options.temperature,
        seed: options.seed,
        keepAlive: '5m',
        timeoutMs: options.timeoutMs,
      },
      new AbortController().signal,
    );
    answers.push({ wanted, answer });
    onCase();
  }
  return toScore(name, answers);
}

/** Best first: agreement of usable answers, then speed. */
export function rank(scores: readonly ModelScore[]): ModelScore[] {
  return scores.toSorted((a, b) => worth(b) - worth(a) || a.medianMs - b.medianMs);
}

/** An unusable answer agrees with nobody, so the share of usable ones is in it already. */
function worth({ category, concern, usable, cases }: ModelScore): number {
  const shares = [category, concern].filter((share) => share !== null);
  if (shares.length === 0) return usable / Math.max(cases, 1);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function toScore(
  model: string,
  answers: ReadonlyArray<{ wanted: ModelCase; answer: ModelAnswer<ModelVerdict> }>,
): ModelScore {
  const failures: Record<string, number> = {};
  for (const { answer } of answers)
    if (!answer.ok) failures[answer.reason] = (failures[answer.reason] ?? 0) + 1;
  const share = (
    isKnown: (one: ModelCase) => boolean,
    isRight: (value: ModelVerdict, one: ModelCase) => boolean,
  ): number | null => {
    const known = answers.filter(({ wanted }) => isKnown(wanted));
    if (known.length === 0) return null;
    return (
      known.filter(({ wanted, answer }) => answer.ok && isRight(answer.value, wanted)).length / known.length
    );
  };
  const times = answers.map(({ answer }) => answer.durationMs).toSorted((a, b) => a - b);
  const mean = (read: (answer: ModelAnswer<ModelVerdict>) => number): number =>
    Math.round(answers.reduce((sum, { answer }) => sum + read(answer), 0) / Math.max(answers.length, 1));
  return {
    model,
    cases: answers.length,
    usable: answers.filter(({ answer }) => answer.ok).length,
    category: share(
      ({ categories }) => categories !== null,
      ({ category }, { categories }) => categories?.includes(category) === true,
    ),
    concern: share(
      ({ isConcerning }) => isConcerning !== null,
      ({ suggestedSeverity }, { isConcerning }) => (suggestedSeverity !== 'info') === isConcerning,
    ),
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
    slowestMs: times.at(-1) ?? 0,
    promptTokens: mean(({ promptTokens }) => promptTokens),
    outputTokens: mean(({ outputTokens }) => outputTokens),
    failures,
  };
}

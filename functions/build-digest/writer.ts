/** Asks the model for notes, keeps what the verifier lets pass, asks once more when too much was dropped, and else does without. */
import type { NightFacts } from '../../shared/digest/facts.ts';
import type { Logger } from '../../shared/log.ts';
import type { ModelSettings } from '../../shared/model-config.ts';
import type { Model } from '../../shared/model.ts';
import type { Writing } from './builder.ts';
import { PROMPT_VERSION, answerSchema, toPrompt } from './prompt.ts';
import { verify } from './verifier.ts';
import type { Drop, Verified } from './verifier.ts';

/** For everything the model does, in milliseconds; the template is told at the latest then. */
const TIMEOUT_MS = 90_000;
/** A second question needs at least this long. */
const LEAST_MS = 10_000;
const NUM_PREDICT = 900;
/** More of it dropped means that the model did not understand. */
const MOST_DROPPED = 0.3;
/** Examples of what was wrong, for the second question. */
const SHOWN_DROPS = 5;

export interface WriterDeps {
  readonly model: Model;
  readonly settings: Pick<
    ModelSettings,
    'model' | 'fallback' | 'numCtx' | 'temperature' | 'seed' | 'keepAlive'
  >;
  readonly log: Logger;
  /** For the model in all, in milliseconds; tests are shorter. */
  readonly timeoutMs?: number;
}

/** Creates the writer of notes. */
export function createWriter({ model, settings, log, timeoutMs = TIMEOUT_MS }: WriterDeps) {
  return async (facts: NightFacts, signal: AbortSignal): Promise<Writing> => {
    const startedAt = performance.now();
    const asked = toPrompt(facts, { numCtx: settings.numCtx, numPredict: NUM_PREDICT });
    const run = {
      name: settings.model,
      promptVersion: PROMPT_VERSION,
      prompt: `${asked.system}\n\n${asked.prompt}`,
      response: '',
      promptTokens: 0,
      completionTokens: 0,
    };
    const dropped: Array<Drop | { readonly reason: string; readonly detail: string }> = [];
    let verified: Verified | null = null;
    let complaint = '';
    if (asked.cut !== null) log.info({ cut: asked.cut }, 'the prompt was cut to its budget');
    for (let round = 1; round <= 2 && asked.subjects.length > 0; round++) {
      const left = timeoutMs - (performance.now() - startedAt);
      if (round > 1 && left < Math.min(LEAST_MS, timeoutMs / 4)) break;
      const answer = await model.ask(
        {
          ...settings,
          system: asked.system,
          prompt: `${asked.prompt}${complaint}`,
          schema: answerSchema,
          numPredict: NUM_PREDICT,
          timeoutMs: left,
        },
        signal,
      );
      run.name = answer.model === '' ? settings.model : answer.model;
      run.response = answer.response;
      run.promptTokens += answer.promptTokens;
      run.completionTokens += answer.outputTokens;
      if (!answer.ok) {
        dropped.push({ reason: answer.reason, detail: answer.detail });
        break;
      }
      const judged = verify(answer.value, asked.subjects);
      dropped.push(...judged.drops);
      if (judged.sentences === 0 || judged.drops.length <= judged.sentences * MOST_DROPPED) {
        verified = judged;
        break;
      }
      complaint = toComplaint(judged.drops);
    }
    if (dropped.length > 0)
      log.info({ dropped: dropped.length, kept: verified?.notes.length ?? 0 }, 'notes dropped');
    return {
      notes: verified?.notes ?? [],
      order: verified?.order ?? [],
      cut: asked.cut,
      run: { ...run, ms: performance.now() - startedAt, kept: verified?.notes.length ?? 0, dropped },
    };
  };
}

function toComplaint(drops: readonly Drop[]): string {
  const examples = drops.slice(0, SHOWN_DROPS).map(({ sentence, reason }) => `- ${reason}: ${sentence}`);
  return `\n\nYour last answer broke the rules:\n${examples.join('\n')}\nAnswer again by the rules.`;
}

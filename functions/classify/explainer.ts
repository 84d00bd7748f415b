/** Explains one pattern: looks around, asks the model, checks the answer, and stores what came of it. */
import { cleanText } from '../../shared/alert.ts';
import type { Logger } from '../../shared/log.ts';
import type { Model, ModelAnswer, ModelFailureReason } from '../../shared/model.ts';
import type { ModelSettings } from '../../shared/model-config.ts';
import { sampleEpisodes } from '../../shared/postgres/episodes.ts';
import type { EpisodeSample } from '../../shared/postgres/episodes.ts';
import { dropWanted } from '../../shared/postgres/explanation-queue.ts';
import type { QueueClaim } from '../../shared/postgres/explanation-queue.ts';
import { storeExplanation } from '../../shared/postgres/explanations.ts';
import type { ExplanationContent, ExplanationContext } from '../../shared/postgres/explanations.ts';
import { readNotice } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { readIdentity } from '../../shared/postgres/patterns.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { run } from '../../shared/postgres/pool.ts';
import { PROMPT_VERSION, toPrompt } from './prompt.ts';
import type { Prompt } from './prompt.ts';
import { classifyByRules, exprFromGeneratorUrl } from './rules.ts';
import type { Classification } from './rules.ts';
import { readSurroundings, toSubject } from './surroundings.ts';
import type { SurroundingsDeps } from './surroundings.ts';
import { answerSchema, findProblem, toContent } from './verdict.ts';
import type { ModelVerdict } from './verdict.ts';

/** Tokens of an answer: the longest that the schema allows, and some. */
const ANSWER_TOKENS = 600;
/** Nobody asks again before this: after a bad answer, and after none. */
const RETRY_AFTER_ANSWER_MS = 6 * 3_600_000;
const RETRY_AFTER_SILENCE_MS = 10 * 60_000;

const BAD_ANSWERS: ReadonlySet<ModelFailureReason> = new Set([
  'invalid-json',
  'wrong-schema',
  'rejected',
  'truncated',
  'too-long',
]);

export interface ExplainerDeps {
  readonly pool: Pool;
  readonly model: Model;
  readonly settings: ModelSettings;
  readonly surroundings: SurroundingsDeps;
  /** For one question with its repair, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** What came of it: the content, or why there is none. */
export interface Explanation {
  readonly content: ExplanationContent | null;
  readonly why: string | null;
  readonly model: string | null;
}

/** Explains the pattern of a claim within `budgetMs`; null when the claim was lost meanwhile. */
export async function explainPattern(
  deps: ExplainerDeps,
  claim: QueueClaim,
  budgetMs: number,
  signal: AbortSignal,
): Promise<Explanation | null> {
  const startedAt = performance.now();
  const { pool, settings, log } = deps;
  const row = await readNotice(pool, claim.notice);
  if (row === undefined) {
    await dropWanted(pool, claim);
    return null;
  }
  const [identity, [sample]] = await Promise.all([
    readIdentity(pool, claim.pattern),
    run(sampleEpisodes(pool, row.incident, 1)),
  ]);
  const context = await lookAround(deps, row, identity, sample, signal);
  const prompt = toPrompt({
    alertname: row.alertname,
    severity: row.severity,
    identity,
    summary: sample?.annotations['summary'] ?? row.title,
    description: sample?.annotations['description'] ?? sample?.annotations['message'] ?? '',
    rules: classifySample(row, sample),
    surroundings: context,
    includeText: settings.includeText,
  });
  const timeoutMs = Math.min(deps.timeoutMs, budgetMs - (performance.now() - startedAt));
  const answer = await askModel(deps, prompt, timeoutMs, signal);
  const explanation: Explanation = {
    content: answer.ok ? toContent(answer.value, row.severity) : null,
    why: answer.ok ? null : answer.reason,
    model: answer.model || null,
  };
  const { model, digest: modelDigest, response, promptTokens, outputTokens, calls, durationMs } = answer;
  log.info(
    { pattern: claim.pattern, model, calls, durationMs, promptTokens, outputTokens, why: explanation.why },
    'the model was asked',
  );
  const isStored = await storeExplanation(pool, claim, {
    pattern: claim.pattern,
    promptVersion: PROMPT_VERSION,
    modelDigest,
    model,
    content: explanation.content,
    reason: explanation.why,
    detail: answer.ok ? null : answer.detail,
    context,
    prompt: prompt.prompt,
    response: cleanText(response, 8_000),
    promptTokens,
    outputTokens,
    calls,
    durationMs,
    retryInMs: answer.ok ? null : toRetryMs(answer.reason),
  });
  return isStored ? explanation : null;
}

/** The prompt for an alert that was never stored: what a dry run shows. Pure. */
export function previewPrompt(
  alert: { labels: Readonly<Record<string, string>>; annotations: Readonly<Record<string, string>> },
  includeText: boolean,
): Prompt {
  return toPrompt({
    alertname: alert.labels['alertname'] ?? '',
    severity: alert.labels['severity'] ?? 'unknown',
    identity: alert.labels,
    summary: alert.annotations['summary'] ?? '',
    description: alert.annotations['description'] ?? '',
    rules: classifyByRules(alert),
    surroundings: { cluster: [], logs: [], missing: [] },
    includeText,
  });
}

function lookAround(
  { surroundings }: ExplainerDeps,
  row: NoticeRow,
  identity: Readonly<Record<string, string>>,
  sample: EpisodeSample | undefined,
  signal: AbortSignal,
): Promise<ExplanationContext> {
  const startsAt = sample?.starts_at ?? row.opened_at;
  const span = { startsAt, now: new Date() };
  return readSurroundings(surroundings, toSubject(identity, sample?.labels ?? {}), span, signal);
}

function classifySample(row: NoticeRow, sample: EpisodeSample | undefined): Classification {
  return classifyByRules({
    labels: sample?.labels ?? { alertname: row.alertname },
    annotations: sample?.annotations ?? {},
    expr: exprFromGeneratorUrl(sample?.generator_url ?? ''),
  });
}

function askModel(
  { model, settings }: ExplainerDeps,
  { system, prompt, facts }: Prompt,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ModelAnswer<ModelVerdict>> {
  return model.ask(
    {
      model: settings.model,
      fallback: settings.fallback,
      system,
      prompt,
      schema: answerSchema,
      check: (answer) => findProblem(answer, facts),
      numCtx: settings.numCtx,
      numPredict: ANSWER_TOKENS,
      temperature: settings.temperature,
      seed: settings.seed,
      keepAlive: settings.keepAlive,
      timeoutMs: Math.max(1, timeoutMs),
    },
    signal,
  );
}

/** A model that answered badly will do so again soon; one that did not answer may be loaded or back by then. */
function toRetryMs(reason: ModelFailureReason): number {
  return BAD_ANSWERS.has(reason) ? RETRY_AFTER_ANSWER_MS : RETRY_AFTER_SILENCE_MS;
}

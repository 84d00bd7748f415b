/** Queries on `explanations`: what the model said of a pattern. The cache that makes the second night ask nothing. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** A verified answer of the model. Suggestions are shown, never acted on. */
export interface ExplanationContent {
  readonly category: string;
  /** Only when it is louder than the alert's own; null otherwise. */
  readonly suggestedSeverity: string | null;
  readonly summary: string;
  readonly explanation: string;
  readonly nextStep: string;
  readonly confidence: number;
}

/** What surrounded the alert when the model was asked, for people to check it by. */
export interface ExplanationContext {
  readonly cluster: readonly string[];
  readonly logs: ReadonlyArray<{
    readonly template: string;
    readonly count: number;
    readonly example: string;
  }>;
  readonly missing: readonly string[];
}

export interface ExplanationRow {
  readonly pattern: string;
  readonly prompt_version: string;
  readonly model: string;
  readonly content: ExplanationContent | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly context: ExplanationContext;
  readonly duration_ms: number;
  readonly created_at: Date;
}

export interface NewExplanation {
  readonly pattern: string;
  readonly promptVersion: string;
  readonly modelDigest: string;
  readonly model: string;
  readonly content: ExplanationContent | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly context: ExplanationContext;
  readonly prompt: string;
  readonly response: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  readonly durationMs: number;
  /** Without an answer: how long nobody asks again, in milliseconds. */
  readonly retryInMs: number | null;
}

/** The latest explanation of a pattern, or why there is none; undefined when nobody asked. */
export async function readExplanation(db: Queryable, pattern: string): Promise<ExplanationRow | undefined> {
  const { rows } = await run(
    db.query<ExplanationRow>(
      `select pattern, prompt_version, model, content, reason, detail, context, duration_ms, created_at
       from explanations where pattern = $1 order by (content is null), created_at desc limit 1`,
      [pattern],
    ),
  );
  return rows[0];
}

/** What a message of a pattern can say of its explanation: the row, and whether the model is still to be asked. */
export async function readStanding(
  db: Queryable,
  pattern: string,
): Promise<{ readonly row: ExplanationRow | undefined; readonly isWanted: boolean }> {
  const { rows } = await run(
    db.query<Partial<ExplanationRow> & { is_wanted: boolean }>(
      `select e.*, exists (select 1 from explanation_queue q where q.pattern = $1) as is_wanted
       from (select 1) one left join lateral (
         select pattern, prompt_version, model, content, reason, detail, context, duration_ms, created_at
         from explanations where pattern = $1 order by (content is null), created_at desc limit 1) e on true`,
      [pattern],
    ),
  );
  const { is_wanted: isWanted, ...row } = rows[0] ?? { is_wanted: false };
  return { row: row.pattern ? (row as ExplanationRow) : undefined, isWanted };
}

/** Whether the pattern was explained with this prompt by one of these models; no digest stands for any. */
export async function isExplained(
  db: Queryable,
  pattern: string,
  promptVersion: string,
  digests: readonly string[],
): Promise<boolean> {
  const { rows } = await run(
    db.query<{ found: boolean }>(
      `select exists (select 1 from explanations
         where pattern = $1 and prompt_version = $2 and (cardinality($3::text[]) = 0 or model_digest = any($3)) and content is not null) as found`,
      [pattern, promptVersion, digests],
    ),
  );
  return rows[0]?.found ?? false;
}

/** Stores what came of a claim, and takes the pattern out of the queue; false when the claim was lost meanwhile. */
export async function storeExplanation(
  db: Queryable,
  claim: { readonly pattern: string; readonly fence: number },
  it: NewExplanation,
): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `with done as (delete from explanation_queue where pattern = $1 and fence = $2 returning pattern)
       insert into explanations as e (pattern, prompt_version, model_digest, model, content, reason, detail, context,
         prompt, response, prompt_tokens, output_tokens, calls, duration_ms, retry_at)
       select pattern, $3, $4, $5, $6::jsonb, $7, $8, $9::jsonb, $10, $11, $12, $13, $14, $15,
         clock_timestamp() + make_interval(secs => $16::float8 / 1000)
       from done
       on conflict (pattern, prompt_version, model_digest) do update set model = excluded.model,
         content = excluded.content, reason = excluded.reason, detail = excluded.detail, context = excluded.context,
         prompt = excluded.prompt, response = excluded.response, prompt_tokens = excluded.prompt_tokens,
         output_tokens = excluded.output_tokens, calls = e.calls + excluded.calls, duration_ms = excluded.duration_ms,
         created_at = clock_timestamp(), retry_at = excluded.retry_at
       where e.content is null`,
      [
        claim.pattern,
        claim.fence,
        it.promptVersion,
        it.modelDigest,
        it.model,
        it.content === null ? null : JSON.stringify(it.content),
        it.reason,
        it.detail,
        JSON.stringify(it.context),
        it.prompt,
        it.response,
        it.promptTokens,
        it.outputTokens,
        it.calls,
        it.durationMs,
        it.retryInMs,
      ],
    ),
  );
  return rowCount === 1;
}

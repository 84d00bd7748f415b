/**
 * /explain: takes a pattern's turn at the model. One request that holds a slot works through the queue, keeps its time
 * (nobody waits longer than EXPLAIN_WAIT, even when the model hangs), and lets go at its end what it did not get to.
 * A request that finds no slot free leaves at once: its pattern is in the queue, and the holder sees it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudEvent } from 'cloudevents';
import * as z from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventSource } from '../../shared/events.ts';
import { describeError } from '../../shared/log.ts';
import { readEventNotice } from '../../shared/notice-step.ts';
import {
  claimWanted,
  freeSlot,
  releaseAbandoned,
  releaseOverdue,
  takeSlot,
  unclaim,
  wantExplanation,
} from '../../shared/postgres/explanation-queue.ts';
import type { QueueClaim, Released } from '../../shared/postgres/explanation-queue.ts';
import { isExplained, readExplanation } from '../../shared/postgres/explanations.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import type { Publisher } from '../../shared/publish.ts';
import type { Context, EventHandler } from '../../shared/serve.ts';
import { createExplainedEvent } from './explained.ts';
import { explainPattern, previewPrompt } from './explainer.ts';
import type { ExplainerDeps } from './explainer.ts';
import { PROMPT_VERSION } from './prompt.ts';

/** All the work of one request; shorter than the function's deadline (25 s), because the answer has to be stored, too. */
const BUDGET_MS = 23_500;
/** How often the holder of a slot looks at the time of those who wait. */
const WATCH_EVERY_MS = 200;
/** Asking which models there are is not worth more, in milliseconds. */
const LIST_TIMEOUT_MS = 1_000;

export interface ExplainDeps extends ExplainerDeps {
  readonly source: EventSource;
  readonly publisher: Publisher;
  readonly waitMs: number;
}

const dryRunSchema = z.object({
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** Creates the handler; null stands for no model, and then there is nothing to do. */
export function createExplainHandler(deps: ExplainDeps | null, source: EventSource): EventHandler {
  return async (event, context) => {
    if (context.dryRun) return [preview(source, event.data, deps?.settings.includeText ?? false)];
    if (deps === null) return [];
    const row = await readEventNotice(deps.pool, event, [
      'dev.alertgest.notice.received',
      'dev.alertgest.explanation.due',
    ]);
    if (!isExplainable(row)) return [];
    const digests = await readDigests(deps, context.signal);
    if (await isExplained(deps.pool, row.pattern, PROMPT_VERSION, digests)) return [await cached(deps, row)];
    const isWanted = await wantExplanation(deps.pool, {
      pattern: row.pattern,
      notice: row.id,
      promptVersion: PROMPT_VERSION,
      digests,
      waitMs: deps.waitMs,
    });
    if (!isWanted) return [await cached(deps, row)];
    return work(deps, row, context);
  };
}

/** Ends, heartbeats and what alertgest says of itself need no explanation. */
export function isExplainable(row: NoticeRow): boolean {
  return row.kind !== 'resolved' && row.decision === null && !row.heartbeat && !row.own;
}

/** Digests of the models that would be asked, so that a new one explains anew; none when they cannot be learnt quickly. */
async function readDigests(
  { model, settings }: ExplainDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const models = await model.list(signal, LIST_TIMEOUT_MS);
    const names = [settings.model, settings.fallback].map((name) =>
      name.includes(':') ? name : `${name}:latest`,
    );
    return models.filter(({ name }) => names.includes(name)).map(({ digest }) => digest);
  } catch {
    return [];
  }
}

/** What is known already: an explanation, or why there was none. */
async function cached(deps: ExplainDeps, row: NoticeRow): Promise<CloudEvent<unknown>> {
  const known = await readExplanation(deps.pool, row.pattern);
  const content = known?.content ?? null;
  return createExplainedEvent(
    deps.source,
    {
      notice: row.id,
      pattern: row.pattern,
      source: content === null ? 'none' : 'cache',
      why: content === null ? (known?.reason ?? 'busy') : null,
      model: known?.model || null,
      content,
    },
    row.traceparent,
  );
}

/** Holds a slot and works the queue. The own pattern's event is the reply, the others are published as they come. */
async function work(
  deps: ExplainDeps,
  row: NoticeRow,
  { signal }: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  const { pool, settings } = deps;
  const endsAt = performance.now() + BUDGET_MS;
  const holder = randomUUID();
  const slot = await takeSlot(pool, holder, settings.maxConcurrency);
  if (slot === null) return [];
  const watch = new AbortController();
  const watching = keepTime(deps, watch.signal);
  const replies: Array<CloudEvent<unknown>> = [];
  try {
    for (;;) {
      const leftMs = endsAt - performance.now();
      // A question that could not run its whole time is left to the next request; the first one always fits.
      if (leftMs < Math.min(deps.timeoutMs, BUDGET_MS - 1_000) || signal.aborted) break;
      const claim = await claimWanted(pool, row.pattern);
      if (claim === undefined) break;
      const event = await explainClaim(deps, claim, leftMs, signal);
      if (event === null) continue;
      if (claim.pattern === row.pattern) replies.push(event);
      else await deps.publisher.publish([event]);
    }
  } finally {
    watch.abort();
    await watching;
    await freeSlot(pool, slot, holder);
    // Whoever came while the slot was held relied on it: nobody may wait for a turn that nobody takes.
    await publishReleased(deps, await releaseAbandoned(pool), 'busy');
  }
  return replies;
}

async function explainClaim(
  deps: ExplainDeps,
  claim: QueueClaim,
  leftMs: number,
  signal: AbortSignal,
): Promise<CloudEvent<unknown> | null> {
  try {
    const explanation = await explainPattern(deps, claim, leftMs, signal);
    if (explanation === null) return null;
    const { content, why, model } = explanation;
    const { notice, pattern } = claim;
    const source = content === null ? 'none' : 'model';
    return createExplainedEvent(deps.source, { notice, pattern, source, why, model, content });
  } catch (error) {
    await unclaim(deps.pool, claim);
    throw error;
  }
}

/** While a model thinks, somebody has to watch the clock: the deliveries that waited long enough are let go. */
async function keepTime(deps: ExplainDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(WATCH_EVERY_MS, undefined, { signal });
      await publishReleased(deps, await releaseOverdue(deps.pool), 'still asking');
    } catch (error) {
      if (!signal.aborted) deps.log.warn(describeError(error), 'the time of waiting deliveries was not kept');
    }
  }
}

async function publishReleased(deps: ExplainDeps, released: readonly Released[], why: string): Promise<void> {
  await deps.publisher.publish(
    released.map(({ notice, pattern }) =>
      createExplainedEvent(deps.source, { notice, pattern, source: 'none', why, model: null, content: null }),
    ),
  );
}

function preview(source: EventSource, data: unknown, includeText: boolean): CloudEvent<unknown> {
  const parsed = dryRunSchema.safeParse(data);
  if (!parsed.success)
    throw new InvalidInputError('for a dry run, data must be an alert: {"labels": {…}, "annotations": {…}}');
  const { system, prompt } = previewPrompt(parsed.data, includeText);
  return createEvent('dev.alertgest.pattern.explained', source, 'dry-run', 'explained', {
    system,
    prompt,
  });
}

/** Gives every notice its category, likely noise, next step and runbook, at once and by rules. */
import * as z from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import type { EventSource } from '../../shared/events.ts';
import { createEvent } from '../../shared/events.ts';
import { createNoticeEvent, toNoticeData } from '../../shared/notice-event.ts';
import { positionOf, readEventNotice } from '../../shared/notice-step.ts';
import type { EpisodeSample } from '../../shared/postgres/episodes.ts';
import { sampleEpisodes } from '../../shared/postgres/episodes.ts';
import { wantExplanation } from '../../shared/postgres/explanation-queue.ts';
import { markClassified } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { storeClassification } from '../../shared/postgres/patterns.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { run } from '../../shared/postgres/pool.ts';
import type { EventHandler } from '../../shared/serve.ts';
import { isExplainable } from './explain.ts';
import { PROMPT_VERSION } from './prompt.ts';
import { classifyByRules, exprFromGeneratorUrl } from './rules.ts';
import type { Classification } from './rules.ts';

/** Alerts of the incident that travel with the event. */
const SAMPLES = 20;

export interface HandlerDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  /** The handler of /explain; what the sweep rings for comes here. */
  readonly explain: EventHandler;
  /** How long deliveries may wait for an explanation, in milliseconds; null when no model is asked. */
  readonly explainWaitMs: number | null;
}

const dryRunSchema = z.object({
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  generatorURL: z.string().default(''),
});

/** Creates the handler: received → classified. */
export function createHandler({ pool, source, explain, explainWaitMs }: HandlerDeps): EventHandler {
  return async (event, context) => {
    if (event.type === 'dev.alertgest.explanation.due') return explain(event, context);
    const { dryRun, log } = context;
    if (dryRun)
      return [
        createEvent(
          'dev.alertgest.notice.classified',
          source,
          'dry-run',
          'classified',
          classifyData(event.data),
        ),
      ];
    const row = await readEventNotice(pool, event, ['dev.alertgest.notice.received']);
    const position = positionOf(row, 'received');
    if (position === 'past') return [];
    // Known before the notice moves on: notify sees that an explanation is on its way.
    if (explainWaitMs !== null && position === 'ready' && isExplainable(row))
      await wantExplanation(pool, {
        pattern: row.pattern,
        notice: row.id,
        promptVersion: PROMPT_VERSION,
        digests: [],
        waitMs: explainWaitMs,
      });
    const samples = await run(sampleEpisodes(pool, row.incident, SAMPLES));
    if (position === 'done') return [classifiedEvent(source, row, samples)];
    const classification = classifySample(row, samples[0]);
    if (!(await markClassified(pool, row.id, classification, [])))
      log.debug({ notice: row.id }, 'classified by another run');
    await run(storeClassification(pool, row.pattern, classification));
    return [classifiedEvent(source, { ...row, classification: { ...classification } }, samples)];
  };
}

function classifySample(row: NoticeRow, sample: EpisodeSample | undefined): Classification {
  if (sample === undefined) return classifyByRules({ labels: { alertname: row.alertname }, annotations: {} });
  return classifyByRules({
    labels: sample.labels,
    annotations: sample.annotations,
    expr: exprFromGeneratorUrl(sample.generator_url),
  });
}

function classifiedEvent(source: EventSource, row: NoticeRow, samples: readonly EpisodeSample[]) {
  const data = toNoticeData(row, {
    status: 'classified',
    summary: samples[0]?.annotations['summary'] ?? row.title,
    alerts: samples.map((sample) => sample.labels),
  });
  return createNoticeEvent('dev.alertgest.notice.classified', source, data, row.traceparent);
}

function classifyData(data: unknown): Classification {
  const parsed = dryRunSchema.safeParse(data);
  if (!parsed.success)
    throw new InvalidInputError('for a dry run, data must be an alert: {"labels": {…}, "annotations": {…}}');
  const { labels, annotations, generatorURL } = parsed.data;
  return classifyByRules({ labels, annotations, expr: exprFromGeneratorUrl(generatorURL) });
}

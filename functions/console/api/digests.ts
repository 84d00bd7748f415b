/** Digests: the list, one of them, a new one on demand, what people thought of them, and the noise of a month. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { captureWindowConfig } from '../../../shared/capture-window-config.ts';
import type { CaptureWindowConfig } from '../../../shared/capture-window-config.ts';
import { LEVELS, documentSchema } from '../../../shared/digest/document.ts';
import type { DigestDocument } from '../../../shared/digest/document.ts';
import type { NightFacts } from '../../../shared/digest/facts.ts';
import { toMarkdown } from '../../../shared/digest/markdown.ts';
import { parseConfig } from '../../../shared/env.ts';
import type { Environment } from '../../../shared/env.ts';
import { InvalidInputError } from '../../../shared/errors.ts';
import { createEvent } from '../../../shared/events.ts';
import type { EventSource } from '../../../shared/events.ts';
import { readAlertClock } from '../../../shared/postgres/clock.ts';
import { listDigests, readDigestById } from '../../../shared/postgres/digests.ts';
import type { DigestRow } from '../../../shared/postgres/digests.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { rate, ratingsByRule, ratingsOf } from '../../../shared/postgres/ratings.ts';
import type { Publisher } from '../../../shared/publish.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { read, storableText } from './request.ts';
import type { Operation } from './request.ts';

const DAY_MS = 86_400_000;
/** A longer span is no night and no month; its facts would take a statement's time. */
const MOST_DAYS = 366;

const window = z.object({
  from: z.coerce.date().describe('RFC 3339, inclusive'),
  to: z.coerce.date().describe('RFC 3339, exclusive; now unless given').optional(),
});
const onDemandBody = window.extend({
  tell: z.boolean().default(false).describe('tell it to the channels of digests'),
  dry_run: z.boolean().default(false),
});
const dryRunQuery = z.object({ dry_run: z.enum(['true', 'false', '']).optional() });
const listQuery = z.object({
  before: z.coerce.date().optional().describe('only digests whose window ended before'),
  limit: z.coerce.number().int().min(1).max(100).default(30),
});
const ratingBody = z.object({
  useful: z.boolean(),
  note: storableText(1, 100).nullish().describe('a note of the digest; left out for the whole'),
});
const noiseQuery = z.object({ days: z.coerce.number().int().min(1).max(MOST_DAYS).default(30) });

const rowSchema = z.object({
  id: z.string(),
  name: z.string(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  zone: z.string(),
  status: z.enum(['building', 'built', 'sent', 'dead', 'kept']),
  reason: z.string().nullable(),
  level: z.enum(LEVELS).nullable(),
  verdict: z.string().nullable(),
  built_at: z.iso.datetime(),
  llm_model: z.string().nullable(),
});
const sumSchema = z.object({ useful: z.int(), not_useful: z.int() });
const previewSchema = z.object({ document: documentSchema, text: z.string().describe('Markdown') });

export const digestOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/digests',
    summary: 'Digests, latest first',
    query: listQuery,
    answers: { 200: { meaning: 'A page of digests', schema: z.object({ digests: z.array(rowSchema) }) } },
  },
  {
    method: 'post',
    path: '/api/v1/digests',
    summary:
      'A digest of any span, now; with `dry_run` what it would say, without a model, and nothing is kept',
    query: dryRunQuery,
    body: { schema: onDemandBody },
    answers: {
      200: { meaning: 'What it would say (dry run)', schema: previewSchema },
      202: {
        meaning: 'It is being built',
        schema: z.object({ from: z.iso.datetime(), to: z.iso.datetime() }),
      },
    },
  },
  {
    method: 'get',
    path: '/api/v1/digests/{id}',
    summary: 'One digest, with what people thought of it',
    answers: {
      200: {
        meaning: 'The digest',
        schema: rowSchema.extend({
          document: documentSchema.nullable(),
          text: z.string().nullable(),
          ratings: z.array(sumSchema.extend({ note: z.string().nullable() })),
        }),
      },
    },
  },
  {
    method: 'post',
    path: '/api/v1/digests/{id}/ratings',
    summary: 'Say whether a digest, or one of its notes, was useful',
    body: { schema: ratingBody },
    answers: { 201: { meaning: 'Recorded', schema: z.object({ recorded: z.literal(true) }) } },
  },
  {
    method: 'get',
    path: '/api/v1/noise',
    summary: 'What of the last days nobody needed, and which kinds of notes people found useful',
    query: noiseQuery,
    answers: {
      200: {
        meaning: 'The report',
        schema: previewSchema.extend({ ratings: z.array(sumSchema.extend({ rule: z.string().nullable() })) }),
      },
    },
  },
];

export interface DigestApiDeps {
  readonly pool: Pool;
  readonly environment: Environment;
  /** Rings for a digest that was asked for; without one a broker is missing and nothing can be asked for. */
  readonly ring: { readonly publisher: Publisher; readonly source: EventSource } | null;
}

/** Adds the routes. */
export function addDigests(api: Hono<ConsoleEnv>, { pool, environment, ring }: DigestApiDeps): void {
  const calendar = (): CaptureWindowConfig => parseConfig(captureWindowConfig, environment);

  api.get('/api/v1/digests', async (c) => {
    const rows = await listDigests(pool, read(listQuery, c.req.query()));
    return c.json({ digests: rows.map(toRow) });
  });

  api.post('/api/v1/digests', async (c) => {
    const body = read(onDemandBody, await c.req.json().catch(() => null));
    const query = read(dryRunQuery, c.req.query());
    const { from, tell } = body;
    const to = body.to ?? (await readAlertClock(pool));
    if (from >= to) throw new InvalidInputError('"from" must be before "to"');
    if (to.getTime() - from.getTime() > MOST_DAYS * DAY_MS)
      throw new InvalidInputError(`a digest covers at most ${MOST_DAYS} days`);
    if (body.dry_run || query.dry_run === 'true' || query.dry_run === '') {
      const { toDocument } = await import('../../../shared/digest/sections.ts');
      return c.json(toPreview(toDocument({ facts: await collect(pool, calendar(), from, to) })));
    }
    const span = { from: from.toISOString(), to: to.toISOString() };
    if (ring === null) throw new InvalidInputError('no broker is configured here; only dry_run works');
    const event = createEvent(
      'dev.alertgest.digest.due',
      ring.source,
      `asked.${crypto.randomUUID()}`,
      'due',
      {
        ...span,
        tell,
      },
    );
    const failed = await ring.publisher.publish([event]);
    if (failed.length > 0)
      return c.json(
        { error: 'the broker did not take the request; ask again', reason: 'dependency-down' },
        503,
      );
    return c.json(span, 202);
  });

  api.get('/api/v1/digests/:id', async (c) => {
    const row = await readDigestById(pool, readId(c.req.param('id')));
    if (row === undefined) throw new InvalidInputError('no digest has this id', 'not-found');
    const document = documentSchema.safeParse(row.document);
    return c.json({
      ...toRow(row),
      document: document.success ? document.data : null,
      text: row.formatted_output,
      ratings: await ratingsOf(pool, row.id),
    });
  });

  api.post('/api/v1/digests/:id/ratings', async (c) => {
    const { useful, note } = read(ratingBody, await c.req.json().catch(() => null));
    const digest = readId(c.req.param('id'));
    const actor = c.var.user.name;
    const recorded = await rate(pool, { digest, note: note ?? null, useful, actor });
    if (!recorded) throw new InvalidInputError('no digest has this id', 'not-found');
    return c.json({ recorded: true }, 201);
  });

  api.get('/api/v1/noise', async (c) => {
    const { days } = read(noiseQuery, c.req.query());
    const to = await readAlertClock(pool);
    const from = new Date(to.getTime() - days * DAY_MS);
    const { toNoiseReport } = await import('../../../shared/digest/noise.ts');
    const report = toNoiseReport(await collect(pool, calendar(), from, to));
    return c.json({ ...toPreview(report), ratings: await ratingsByRule(pool, from) });
  });
}

/** An id that can be one of ours. */
function readId(text: string): string {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidInputError('no digest has this id', 'not-found');
  return text;
}

async function collect(
  pool: Pool,
  calendar: CaptureWindowConfig,
  start: Date,
  end: Date,
): Promise<NightFacts> {
  const { collectFacts } = await import('../../../shared/digest/collect.ts');
  const zone = calendar.CAPTURE_WINDOW_TIMEZONE;
  return collectFacts(pool, { name: 'all', zone, windows: [{ start, end }], matches: null }, calendar, {
    cluster: null,
    missed: { missed: null, missedWhy: null },
  });
}

function toPreview(document: DigestDocument) {
  return { document, text: toMarkdown(document) };
}

function toRow(row: DigestRow) {
  const document = documentSchema.safeParse(row.document);
  return {
    id: row.id,
    name: row.name,
    from: row.window_start.toISOString(),
    to: row.window_end.toISOString(),
    zone: row.zone,
    status: row.status,
    reason: row.reason,
    level: document.success ? document.data.level : null,
    verdict: document.success ? document.data.verdict : null,
    built_at: row.built_at.toISOString(),
    llm_model: row.llm_model,
  };
}

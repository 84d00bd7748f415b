/** Counts of a span, and the audit of the pipeline. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { episodeCountsSchema } from '../../../shared/events.ts';
import { countEpisodes } from '../../../shared/postgres/episodes.ts';
import { audit } from '../../../shared/postgres/audit.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { readCounters } from '../../../shared/postgres/records.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { read } from './request.ts';
import type { Operation } from './request.ts';

/** Postgres knows no time before 4713 BC, and we none before the epoch. */
const time = z.coerce.date().min(new Date(0), 'must not be before 1970');
const span = z.object({
  from: time.default(() => new Date(0)).describe('RFC 3339, inclusive'),
  to: time.default(() => new Date(Date.now() + 86_400_000)).describe('RFC 3339, exclusive'),
});
const statsQuery = span.refine(({ from, to }) => from < to, '"from" must be before "to"');

const auditSchema = z.object({
  clean: z.boolean(),
  unfinished: z.int(),
  dead: z.int(),
  forgotten: z.int(),
  miscounted: z.int(),
  unproved: z.int(),
});

export const statsOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/stats',
    summary: 'Counts of the alerts received in a span, and the counters',
    query: span,
    answers: {
      200: {
        meaning: 'The counts',
        schema: episodeCountsSchema.extend({
          from: z.iso.datetime(),
          to: z.iso.datetime(),
          counters: z.record(z.string(), z.number()),
        }),
      },
    },
  },
  {
    method: 'get',
    path: '/api/v1/audit',
    summary: 'What keeps "everything received is decided and told" from being true',
    answers: {
      200: { meaning: 'All zero', schema: auditSchema },
      503: { meaning: 'Something is not', schema: auditSchema },
    },
  },
];

/** Adds the routes. */
export function addStats(api: Hono<ConsoleEnv>, pool: Pool): void {
  api.get('/api/v1/stats', async (c) => {
    const { from, to } = read(statsQuery, c.req.query());
    return c.json({ from, to, ...(await countEpisodes(pool, from, to)), counters: await readCounters(pool) });
  });

  api.get('/api/v1/audit', async (c) => {
    const state = await audit(pool);
    const clean = Object.values(state).every((count) => count === 0);
    return c.json({ clean, ...state }, clean ? 200 : 503);
  });
}

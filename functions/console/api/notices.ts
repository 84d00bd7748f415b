/** Notices: pieces of news, where each stands and why. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { countNotices, listNotices } from '../../../shared/postgres/notice-list.ts';
import { STAGE } from '../../../shared/postgres/notices.ts';
import type { NoticeStatus } from '../../../shared/postgres/notices.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { SEVERITIES } from '../../../shared/severity.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { nextCursor, pageQuery, read, readCursor, timeCursor } from './request.ts';
import type { Operation } from './request.ts';

const STATES = Object.keys(STAGE) as [NoticeStatus, ...NoticeStatus[]];

const noticesQuery = z.object({
  ...pageQuery,
  state: z.enum(STATES).optional(),
  pattern: z.string().optional(),
});

export const noticeSchema = z.looseObject({
  id: z.string(),
  kind: z.enum(['opened', 'grew', 'resolved', 'due']),
  status: z.enum(STATES),
  reason: z.string().nullable(),
  why: z.string().nullable().describe('why it was sent, held or not sent, as a person reads it'),
  received_at: z.iso.datetime(),
  incident: z.string(),
  pattern: z.string(),
  alertname: z.string(),
  severity: z.enum(SEVERITIES),
});

export const noticeOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/notices',
    summary: 'Notices, latest first, and how many stand in each state',
    query: noticesQuery,
    answers: {
      200: {
        meaning: 'A page of notices',
        schema: z.object({
          byState: z.record(z.string(), z.int()),
          notices: z.array(noticeSchema),
          next: z.string().nullable(),
        }),
      },
    },
  },
];

/** Adds the routes. */
export function addNotices(api: Hono<ConsoleEnv>, pool: Pool): void {
  api.get('/api/v1/notices', async (c) => {
    const { cursor, ...filter } = read(noticesQuery, c.req.query());
    const place = readCursor(timeCursor, cursor);
    const after = place && { at: place[0], id: place[1] };
    const notices = await listNotices(pool, { ...filter, after });
    return c.json({
      byState: await countNotices(pool),
      notices,
      next: nextCursor(notices, filter.limit, ({ created_us, id }) => [created_us, id]),
    });
  });
}

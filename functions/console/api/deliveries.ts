/** Deliveries: one message to one channel, with its attempts. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { listDeliveries } from '../../../shared/postgres/delivery-log.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import { nextCursor, pageQuery, read, readCursor } from './request.ts';
import type { Operation } from './request.ts';

const STATUSES = ['planned', 'sending', 'sent', 'dead'] as const;
const idCursor = z.string().regex(/^\d{1,18}$/);

const deliveriesQuery = z.object({
  ...pageQuery,
  status: z.enum(STATUSES).optional(),
  notice: z.string().optional(),
});

const deliverySchema = z.object({
  id: z.string(),
  notice: z.string().nullable(),
  digest: z.string().nullable(),
  channel: z.string(),
  status: z.enum(STATUSES),
  attempts: z.int(),
  provider_id: z.string().nullable(),
  last_error: z.string().nullable(),
  instead_of: z.string().nullable(),
  carrier: z.string().nullable(),
  created_at: z.iso.datetime(),
  sent_at: z.iso.datetime().nullable(),
  next_attempt_at: z.iso.datetime(),
});

export const deliveryOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/deliveries',
    summary: 'Deliveries, latest first',
    query: deliveriesQuery,
    answers: {
      200: {
        meaning: 'A page of deliveries',
        schema: z.object({ deliveries: z.array(deliverySchema), next: z.string().nullable() }),
      },
    },
  },
];

/** Adds the routes. */
export function addDeliveries(api: Hono<ConsoleEnv>, pool: Pool): void {
  api.get('/api/v1/deliveries', async (c) => {
    const { cursor, ...filter } = read(deliveriesQuery, c.req.query());
    const deliveries = await listDeliveries(pool, { ...filter, before: readCursor(idCursor, cursor) });
    return c.json({ deliveries, next: nextCursor(deliveries, filter.limit, ({ id }) => id) });
  });
}

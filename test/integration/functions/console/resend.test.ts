/** A press on "Send again" up to the provider: the one step backwards of a notice ends in what really happened. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resend } from '../../../../functions/console/pages/posts.ts';
import type { Channel } from '../../../../functions/notify/channel.ts';
import { createDeliverer } from '../../../../functions/notify/delivery.ts';
import { createHandler as createNotify } from '../../../../functions/notify/handler.ts';
import { createPlainRouter } from '../../../../functions/notify/routing.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { DeliveryError } from '../../../../shared/errors.ts';
import { audit } from '../../../../shared/postgres/audit.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import type { EventHandler } from '../../../../shared/serve.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';

const log = pino({ level: 'silent' });
const CLEAN = { unfinished: 0, dead: 0, forgotten: 0, miscounted: 0, unproved: 0 };
let pool: Pool;
let notify: EventHandler;
let fails = true;
let sent: string[] = [];

const channel = (name: string): Channel => ({
  name,
  type: 'test',
  sendResolved: false,
  closes: false,
  keyed: true,
  send() {
    if (fails && name === 'chat')
      return Promise.reject(new DeliveryError('delivery-permanent', 'chat answered 403'));
    sent.push(name);
    return Promise.resolve({ providerId: '1' });
  },
});

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
  const channels = [channel('phone'), channel('chat')];
  notify = createNotify({
    pool,
    source: { cluster: 'test', name: 'notify' },
    channels,
    deliverer: createDeliverer({
      pool,
      channels: new Map(channels.map((each) => [each.name, each])),
      giveUpAfterMs: 6 * 3_600_000,
      log,
    }),
    router: createPlainRouter(channels, 'info'),
    story: { cluster: 'test', consoleUrl: null, timeZone: 'UTC', decisionKeys: null },
  });
});
afterAll(() => pool.end());
beforeEach(() => {
  fails = true;
  sent = [];
});

let count = 0;

/** An admitted notice, told as far as the channels take it; answers its id and the delivery that failed. */
async function failOne(only: 'chat' | null): Promise<{ notice: string; delivery: string }> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: false });
  const { notices } = await ingest.store([
    makeArrival({ labels: { namespace: `resend-${++count}` }, startsAt: new Date() }),
  ]);
  const notice = notices[0]?.notice ?? '';
  await pool.query(
    `update notices set status = 'admitted', why = 'first alert of a new incident' where id = $1`,
    [notice],
  );
  if (only !== null) {
    await pool.query(`insert into deliveries (notice, channel) values ($1, $2)`, [notice, only]);
    await pool.query('update notices set planned_at = now() where id = $1', [notice]);
  }
  await ring(notice);
  const { rows } = await pool.query<{ id: string }>(
    `select id from deliveries where notice = $1 and status = 'dead'`,
    [notice],
  );
  return { notice, delivery: rows[0]?.id ?? 'none' };
}

async function ring(notice: string): Promise<void> {
  const { createEvent } = await import('../../../../shared/events.ts');
  const event = createEvent(
    'dev.alertgest.delivery.due',
    { cluster: 'test', name: 'receive' },
    notice,
    'due',
    {},
  );
  await notify(event, { log, signal: AbortSignal.timeout(10_000), traceparent: '', dryRun: false });
}

async function press(delivery: string): Promise<string> {
  return resend(
    {
      pool,
      log,
      source: { cluster: 'test', name: 'console' },
      publisher: {
        async publish(events) {
          for (const { subject } of events) await ring(subject ?? '');
          return [];
        },
      },
    },
    delivery,
  );
}

const statusOf = async (notice: string): Promise<unknown> =>
  (
    await pool.query(
      `select status, (select string_agg(channel || ' ' || status, ', ' order by channel) from deliveries d where d.notice = n.id) as deliveries from notices n where id = $1`,
      [notice],
    )
  ).rows[0];

describe('send again', () => {
  it('tells by the channel that failed, and not again by the one that did not', async () => {
    const { notice, delivery } = await failOne(null);
    expect(await statusOf(notice)).toEqual({ status: 'notified', deliveries: 'chat dead, phone sent' });
    sent = [];
    fails = false;
    expect(await press(delivery)).toBe('It is being sent again.');
    expect(sent).toEqual(['chat']);
    expect(await statusOf(notice)).toEqual({ status: 'notified', deliveries: 'chat sent, phone sent' });
  });

  it('brings a notice that nobody was told back to life', async () => {
    const { notice, delivery } = await failOne('chat');
    expect(await statusOf(notice)).toEqual({ status: 'dead', deliveries: 'chat dead' });
    fails = false;
    await press(delivery);
    expect(await statusOf(notice)).toEqual({ status: 'notified', deliveries: 'chat sent' });
    expect(await audit(pool)).toEqual(CLEAN);
  });

  it('ends dead again when the provider says no again, and can be pressed once more', async () => {
    const { notice, delivery } = await failOne('chat');
    await press(delivery);
    expect(await statusOf(notice)).toEqual({ status: 'dead', deliveries: 'chat dead' });
    fails = false;
    await press(delivery);
    expect(await statusOf(notice)).toEqual({ status: 'notified', deliveries: 'chat sent' });
  });

  it('sends once however often it is pressed at once', async () => {
    const { delivery } = await failOne('chat');
    fails = false;
    await Promise.allSettled(Array.from({ length: 8 }, () => press(delivery)));
    expect(sent).toEqual(['chat']);
  });

  it('tells a summary that could not be delivered, and what it held with it', async () => {
    const { notice, delivery } = await failOne('chat');
    const held = await failOne('chat');
    const { rows } = await pool.query<{ id: string }>(
      `insert into batches (kind, key, title, incident, due_at, last_at, closed_at) select 'storm', $1, 'Storm', incident, now(), now(), now() from notices where id = $1 returning id`,
      [notice],
    );
    await pool.query(`update notices set kind = 'due', batch = $2 where id = $1`, [notice, rows[0]?.id]);
    await pool.query(
      `update notices set status = 'dead', reason = 'summary-undeliverable', batch = $2 where id = $1`,
      [held.notice, rows[0]?.id],
    );
    fails = false;
    await press(delivery);
    expect(await statusOf(notice)).toMatchObject({ status: 'notified' });
    expect(await statusOf(held.notice)).toMatchObject({ status: 'digested' });
  });

  it('does nothing for what is unknown', async () => {
    expect(await press('999999')).toContain('nothing to send again');
  });
});

/** Deliveries on a real Postgres: each channel by itself, what stands in for one that died, pace, and what piles up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../../../functions/notify/channel.ts';
import { createDeliverer } from '../../../../functions/notify/delivery.ts';
import { createHandler } from '../../../../functions/notify/handler.ts';
import type { Message } from '../../../../functions/notify/message.ts';
import { nobody } from '../../../../functions/notify/routing.ts';
import type { Router } from '../../../../functions/notify/routing.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { DeliveryError } from '../../../../shared/errors.ts';
import { createEvent } from '../../../../shared/events.ts';
import { audit } from '../../../../shared/postgres/audit.ts';
import type { DeliveryPlan } from '../../../../shared/postgres/deliveries.ts';
import { dueDeliveries } from '../../../../shared/postgres/deliveries.ts';
import { findDeliveries } from '../../../../shared/postgres/delivery-log.ts';
import { claimEdits, releaseWaiting } from '../../../../shared/postgres/explanation-waits.ts';
import { markFinal, readNotice, readTold } from '../../../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../../../shared/postgres/notices.ts';
import type { Pace } from '../../../../shared/postgres/pace.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import { resendDelivery } from '../../../../shared/postgres/resend.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { toNoticeData } from '../../../../shared/notice-event.ts';
import type { Context, EventHandler } from '../../../../shared/serve.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';

const log = pino({ level: 'silent' });
const source = { cluster: 'test', name: 'notify' } as const;
const DEAD = new DeliveryError('delivery-permanent', 'answered 401');
const dead = () => Promise.reject(DEAD);
const DOWN = new DeliveryError('delivery-retryable', 'down', { retryAfterMs: 30_000 });

let pool: Pool;
let count = 0;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
});
afterAll(() => pool.end());
beforeEach(async () => {
  await pool.query('truncate patterns, episodes, incidents, notices, deliveries, batches cascade');
});

interface Seen {
  readonly channel: string;
  readonly message: Message;
  readonly previousId: string | null;
  readonly at: number;
}

/** Channels in this process, and what they were asked to send. */
interface Stage {
  readonly seen: Seen[];
  /** What a channel does instead of saying yes. */
  readonly behaviour: Map<string, (signal: AbortSignal) => Promise<never>>;
  readonly notify: EventHandler;
  plans: readonly DeliveryPlan[];
  /** How far this process' clock is ahead, in milliseconds. */
  aheadMs: number;
}

function makeStage(
  names: readonly string[],
  {
    closes = [],
    hearsEnds = [],
    paces,
  }: {
    closes?: readonly string[];
    hearsEnds?: readonly string[];
    paces?: ReadonlyMap<string, Pace>;
  } = {},
): Stage {
  const seen: Seen[] = [];
  const behaviour: Stage['behaviour'] = new Map();
  const channels: Channel[] = names.map((name) => ({
    name,
    type: 'test',
    sendResolved: hearsEnds.includes(name),
    closes: closes.includes(name),
    keyed: true,
    async send(message, { signal, previousId }) {
      seen.push({ channel: name, message, previousId, at: performance.now() });
      await behaviour.get(name)?.(signal);
      return { providerId: `${name}-${seen.length}` };
    },
  }));
  const stage = { seen, behaviour, plans: names.map((channel) => ({ channel })), aheadMs: 0 };
  const router: Router = {
    byLabels: false,
    isQuiet: () => false,
    route: () =>
      stage.plans.length === 0 ? nobody('no plan') : { deliveries: stage.plans, escalations: [], why: null },
  };
  const deliverer = createDeliverer({
    pool,
    channels: new Map(channels.map((channel) => [channel.name, channel])),
    ...(paces !== undefined && { paces }),
    giveUpAfterMs: 6 * 3_600_000,
    now: () => Date.now() + stage.aheadMs,
    log,
  });
  return Object.assign(stage, {
    notify: createHandler({
      pool,
      source,
      channels,
      deliverer,
      router,
      story: { cluster: 'test', consoleUrl: null, decisionKeys: null, timeZone: 'UTC' },
    }),
  });
}

/** An admitted notice of an incident of its own; answers its row. */
async function admit(severity = 'warning', kind: 'opened' | 'resolved' = 'opened'): Promise<NoticeRow> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: false });
  const arrival = makeArrival({
    labels: { alertname: 'Disk', severity, namespace: `delivery-${++count}` },
    startsAt: new Date(),
  });
  const { notices } = await ingest.store([arrival]);
  const id = notices[0]?.notice ?? '';
  await pool.query(`update notices set status = 'admitted', why = 'first', kind = $2 where id = $1`, [
    id,
    kind,
  ]);
  return readRow(id);
}

/** Another notice of the incident, admitted. */
async function addNotice(of: string, suffix: string, kind: string, batch: string | null): Promise<NoticeRow> {
  await pool.query(
    `insert into notices (id, incident, pattern, kind, status, batch, open_episodes, traceparent, received_at)
     select id || $2, incident, pattern, $3, 'admitted', $4, 1, traceparent, received_at from notices where id = $1`,
    [of, suffix, kind, batch],
  );
  return readRow(`${of}${suffix}`);
}

async function readRow(id: string): Promise<NoticeRow> {
  const row = await readNotice(pool, id);
  if (row === undefined) throw new Error('no such notice');
  return row;
}

function ring(stage: Stage, row: NoticeRow, withinMs = 25_000): Promise<unknown> {
  const context: Context = {
    log,
    signal: AbortSignal.timeout(withinMs),
    traceparent: row.traceparent,
    dryRun: false,
  };
  const event = createEvent('dev.alertgest.delivery.due', source, row.id, 'due', toNoticeData(row));
  return Promise.resolve(stage.notify(event, context));
}

async function statuses(): Promise<string[]> {
  const lines = await findDeliveries(pool, { limit: 1_000 });
  return lines
    .map(
      ({ channel, status, instead_of }) =>
        `${channel} ${status}${instead_of === null ? '' : ` for ${instead_of}`}`,
    )
    .sort();
}

describe('one channel', () => {
  it('that hangs delays no other: the other is told within a second and marked at once', async () => {
    const stage = makeStage(['phone', 'chat']);
    stage.behaviour.set('chat', (signal) => {
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(DOWN));
      return promise;
    });
    const row = await admit();
    const began = performance.now();
    const running = ring(stage, row, 4_000);
    await expect
      .poll(() => statuses(), { timeout: 1_000, interval: 20 })
      .toEqual(['chat sending', 'phone sent']);
    expect(performance.now() - began).toBeLessThan(1_000);
    // The next notice does not wait for it either.
    const next = await admit();
    const second = ring(stage, next, 3_000);
    await expect
      .poll(() => stage.seen.filter(({ channel }) => channel === 'phone').length, { timeout: 1_000 })
      .toBe(2);
    await Promise.all([running, second]);
    expect((await readRow(row.id)).status).toBe('admitted');
  }, 60_000);

  it('that fails several times in a row is left alone for a while, and the other is not', async () => {
    const stage = makeStage(['phone', 'chat']);
    stage.behaviour.set('chat', () =>
      Promise.reject(new DeliveryError('delivery-retryable', 'down', { retryAfterMs: 7_000 })),
    );
    for (let index = 0; index < 8; index++) {
      await ring(stage, await admit());
      stage.aheadMs += 7_001;
    }
    // The eighth notice found the circuit open for longer than the provider had asked for.
    const tries = (name: string) => stage.seen.filter(({ channel }) => channel === name).length;
    expect(tries('phone')).toBe(8);
    expect(tries('chat')).toBeLessThan(8);
    stage.behaviour.clear();
    stage.aheadMs += 120_000;
    const row = await admit();
    await ring(stage, row);
    expect((await readRow(row.id)).status).toBe('notified');
  });

  it('hears which of its messages was the last about the incident', async () => {
    const stage = makeStage(['phone']);
    const row = await admit();
    await ring(stage, row);
    await pool.query(
      `insert into notices (id, incident, pattern, kind, status, open_episodes, traceparent, received_at)
       select id || '-2', incident, pattern, 'due', 'admitted', 1, traceparent, received_at from notices where id = $1`,
      [row.id],
    );
    await ring(stage, await readRow(`${row.id}-2`));
    expect(stage.seen.map(({ previousId }) => previousId)).toEqual([null, 'phone-1']);
  });
});

describe('the end', () => {
  it('goes to those that were told and want it or have something to close', async () => {
    const stage = makeStage(['phone', 'chat', 'pager', 'other'], {
      closes: ['pager', 'other'],
      hearsEnds: ['chat'],
    });
    stage.plans = [{ channel: 'phone' }, { channel: 'chat' }, { channel: 'pager' }];
    const row = await admit();
    await ring(stage, row);
    stage.seen.length = 0;
    await ring(stage, await addNotice(row.id, '-end', 'resolved', null));
    expect(stage.seen.map(({ channel }) => channel).sort()).toEqual(['chat', 'pager']);
    expect(stage.seen.every(({ channel, previousId }) => previousId?.startsWith(channel))).toBe(true);
  });

  it('of what only a summary told closes what the summary opened, and pushes nothing', async () => {
    const stage = makeStage(['chat', 'pager'], { closes: ['pager'], hearsEnds: ['chat'] });
    const row = await admit('critical');
    const { rows } = await pool.query<{ id: string }>(
      `insert into batches (kind, key, title, incident, due_at, last_at, closed_at)
       select 'storm', 'x', 'Disk (critical)', incident, received_at, received_at, received_at from notices where id = $1 returning id`,
      [row.id],
    );
    const batch = rows[0]?.id ?? '';
    await pool.query(`update notices set status = 'held', batch = $2 where id = $1`, [row.id, batch]);
    expect((await readTold(pool, row.incident, '')).openedBatch).toBe(batch);
    await ring(stage, await addNotice(row.id, '-sum', 'due', batch));
    expect(stage.seen.map(({ channel }) => channel).sort()).toEqual(['chat', 'pager']);
    // The summary went out under this incident's key, so suppress-check lets its end pass.
    expect(await readTold(pool, row.incident, '')).toMatchObject({ openedBatch: null, told: true });
    stage.seen.length = 0;
    await ring(stage, await addNotice(row.id, '-end', 'resolved', null));
    expect(stage.seen.map(({ channel }) => channel)).toEqual(['pager']);
  });

  it('waits for what its channel was not told yet: nothing is opened after it was closed', async () => {
    const stage = makeStage(['phone', 'pager'], { closes: ['pager'] });
    const row = await admit('critical');
    await ring(stage, row);
    stage.behaviour.set('pager', () => Promise.reject(DOWN));
    await ring(stage, await addNotice(row.id, '-due', 'due', null));
    stage.behaviour.clear();
    stage.seen.length = 0;
    stage.aheadMs += 60_000;
    const end = await addNotice(row.id, '-end', 'resolved', null);
    await ring(stage, end);
    expect(stage.seen).toEqual([]);
    await pool.query(`update deliveries set next_attempt_at = clock_timestamp() where status = 'planned'`);
    await ringDue(stage);
    await ringDue(stage);
    expect(stage.seen.map(({ channel, message }) => `${channel} ${message.kind}`)).toEqual([
      'pager due',
      'pager resolved',
    ]);
    expect((await readRow(end.id)).status).toBe('notified');
  });
});

describe('a pager that stands in', () => {
  it('opens nothing once the incident is over, for nobody would close it', async () => {
    const stage = makeStage(['chat', 'pager'], { closes: ['pager'] });
    stage.plans = [{ channel: 'chat', fallback: ['pager'] }];
    const row = await admit();
    await ring(stage, row);
    stage.behaviour.set('chat', () => Promise.reject(DOWN));
    const due = await addNotice(row.id, '-due', 'due', null);
    await ring(stage, due);
    await pool.query('update incidents set open_episodes = 0, closed_at = alert_now()');
    const end = await addNotice(row.id, '-end', 'resolved', null);
    await ring(stage, end);
    expect(await readRow(end.id)).toMatchObject({ status: 'suppressed', reason: 'no-route' });
    stage.behaviour.set('chat', dead);
    stage.aheadMs += 60_000;
    await pool.query(`update deliveries set next_attempt_at = clock_timestamp() where status = 'planned'`);
    await ringDue(stage);
    expect(stage.seen.map(({ channel }) => channel)).toEqual(['chat', 'chat', 'chat']);
    expect(await statuses()).toEqual(['chat dead', 'chat sent', 'pager dead for chat']);
    expect((await readRow(due.id)).status).toBe('dead');
  });
});

describe('a message that a person sends again', () => {
  it('opens nothing at a pager once the incident is over', async () => {
    const stage = makeStage(['pager'], { closes: ['pager'] });
    stage.behaviour.set('pager', dead);
    const row = await admit();
    await ring(stage, row);
    await pool.query('update incidents set open_episodes = 0, closed_at = alert_now()');
    const end = await addNotice(row.id, '-end', 'resolved', null);
    await pool.query(`update notices set status = 'suppressed', reason = 'resolved-untold' where id = $1`, [
      end.id,
    ]);
    stage.behaviour.clear();
    const [line] = await findDeliveries(pool, { limit: 1 });
    expect(await resendDelivery(pool, line?.id ?? '')).toMatchObject({ status: 'admitted' });
    await ring(stage, await readRow(row.id));
    expect(stage.seen).toHaveLength(1);
    expect(await statuses()).toEqual(['pager dead']);
  });
});

describe('an explanation that comes late', () => {
  it('edits the message about its issue, and never a summary of many', async () => {
    const stage = makeStage(['chat']);
    const [row, other] = [await admit(), await admit()];
    await ring(stage, row);
    await ring(stage, other);
    for (const { pattern } of [row, other]) {
      await pool.query(
        `insert into explanations (pattern, prompt_version, model_digest, model, content, context, prompt_tokens, output_tokens, calls, duration_ms)
         values ($1, '1', 'd', 'm', '{}', '{}', 1, 1, 1, 1)`,
        [pattern],
      );
    }
    await pool.query(
      `update deliveries c set carrier = d.id from deliveries d where d.notice = $1 and c.notice = $2`,
      [row.id, other.id],
    );
    expect(await claimEdits(pool, row.pattern, ['chat'])).toEqual([]);
    await pool.query('update deliveries set carrier = null');
    expect(await claimEdits(pool, row.pattern, ['chat'])).toMatchObject([{ notice: row.id }]);
    expect(await claimEdits(pool, row.pattern, ['chat'])).toEqual([]);
  });

  it('hastens nothing that was tried meanwhile: what the provider asked for is not undercut', async () => {
    const stage = makeStage(['chat']);
    stage.behaviour.set('chat', () => Promise.reject(DOWN));
    const row = await admit();
    await pool.query(
      `with planned as (update notices set planned_at = clock_timestamp() where id = $1 returning id)
       insert into deliveries (notice, channel, waits) select id, 'chat', true from planned`,
      [row.id],
    );
    await ring(stage, row);
    expect(stage.seen).toHaveLength(1);
    expect(await releaseWaiting(pool, row.pattern)).toEqual([]);
  });
});

describe('what stands in', () => {
  it('for a channel that refuses is its fallback, once, within the same run', async () => {
    const stage = makeStage(['pager', 'chat', 'mail']);
    stage.plans = [
      { channel: 'pager', fallback: ['mail'] },
      { channel: 'chat', fallback: ['mail'] },
    ];
    stage.behaviour.set('pager', dead).set('chat', dead);
    const row = await admit();
    await ring(stage, row);
    // Both name it; whichever dies first gets it.
    expect((await statuses()).map((line) => line.replace(/for (pager|chat)$/, 'for one'))).toEqual([
      'chat dead',
      'mail sent for one',
      'pager dead',
    ]);
    const [mail] = stage.seen.filter(({ channel }) => channel === 'mail');
    expect(mail?.message.body).toMatch(/sent here because (pager|chat) could not be reached/);
    expect((await readRow(row.id)).status).toBe('notified');
    await ring(stage, row);
    expect(stage.seen).toHaveLength(3);
  });

  it('dies without another: the notice is dead', async () => {
    const stage = makeStage(['pager', 'mail', 'chat']);
    stage.plans = [{ channel: 'pager', fallback: ['mail'] }];
    stage.behaviour.set('pager', dead).set('mail', dead);
    const row = await admit();
    await ring(stage, row);
    expect(await statuses()).toEqual(['mail dead for pager', 'pager dead']);
    expect((await readRow(row.id)).status).toBe('dead');
  });

  it('for a critical that nobody took is every other channel, once', async () => {
    const stage = makeStage(['pager', 'mail', 'chat']);
    stage.plans = [{ channel: 'pager' }];
    stage.behaviour.set('pager', dead).set('mail', dead);
    const row = await admit('critical');
    await ring(stage, row);
    expect(await statuses()).toEqual(['chat sent for pager', 'mail dead for pager', 'pager dead']);
    expect((await readRow(row.id)).status).toBe('notified');
    stage.behaviour.set('chat', dead);
    const second = await admit('critical');
    await ring(stage, second);
    await ring(stage, second);
    expect((await readRow(second.id)).status).toBe('dead');
    expect(stage.seen).toHaveLength(6);
  });

  it('is nothing where there is only one channel', async () => {
    const stage = makeStage(['pager']);
    stage.behaviour.set('pager', dead);
    const row = await admit('critical');
    await ring(stage, row);
    expect((await readRow(row.id)).status).toBe('dead');
    expect(stage.seen).toHaveLength(1);
  });
});

describe('nobody to tell', () => {
  it('is not the end of a notice whose deliveries another run has planned', async () => {
    const stage = makeStage(['chat']);
    stage.behaviour.set('chat', () => Promise.reject(DOWN));
    const row = await admit();
    await ring(stage, row);
    expect(await markFinal(pool, row.id, 'suppressed', 'no-route', 'no route matches')).toBe(false);
    expect((await readRow(row.id)).status).toBe('admitted');
  });
});

describe('pace', () => {
  it('lets a channel have so many in a time; criticals do not wait, and the rest becomes one message', async () => {
    const stage = makeStage(['sms', 'mail'], { paces: new Map([['sms', { max: 2, perMs: 3_600_000 }]]) });
    const rows = [];
    for (let index = 0; index < 40; index++) rows.push(await admit());
    for (const row of rows) await ring(stage, row);
    const smsOf = () => stage.seen.filter(({ channel }) => channel === 'sms');
    expect(smsOf()).toHaveLength(2);
    expect(stage.seen).toHaveLength(42);
    await ring(stage, await admit('critical'));
    expect(smsOf()).toHaveLength(3);
    // An hour later there is room, and 38 have waited.
    await pool.query(
      `update deliveries set attempted_at = attempted_at - interval '1 hour', created_at = created_at - interval '1 hour',
         next_attempt_at = next_attempt_at - interval '1 hour'`,
    );
    await ringDue(stage);
    expect(smsOf()).toHaveLength(4);
    expect(smsOf()[3]?.message.title).toContain('38 alerts while sms was unreachable');
    expect(await openNotices()).toBe(0);
  });
});

describe('a provider that comes back', () => {
  it('is told of what it missed in one message, criticals singly up to ten, two a second at most', async () => {
    const stage = makeStage(['phone']);
    stage.behaviour.set('phone', () => Promise.reject(DOWN));
    const rows = [];
    for (let index = 0; index < 60; index++) rows.push(await admit(index % 5 === 0 ? 'critical' : 'warning'));
    for (const row of rows) {
      await ring(stage, row);
      // Each is tried once by its own process.
      stage.aheadMs += 120_000;
    }
    expect(stage.seen).toHaveLength(60);
    stage.behaviour.clear();
    stage.seen.length = 0;
    await pool.query(
      'update deliveries set next_attempt_at = clock_timestamp(), attempted_at = clock_timestamp()',
    );
    const began = performance.now();
    // A warning's turn sums up; a critical whose turn came before would be one more single message.
    await ring(stage, await readRow(rows[1]?.id ?? ''));
    while ((await openNotices()) > 0 && performance.now() - began < 60_000) await ringDue(stage);
    const summaries = stage.seen.filter(({ message }) =>
      /alerts while phone was unreachable/.test(message.title),
    );
    expect(summaries).toHaveLength(1);
    // 12 of 60 were critical; the two oldest are in the summary with the 48 others.
    expect(summaries[0]?.message.title).toContain('50 alerts while phone was unreachable');
    expect(summaries[0]?.message.severity).toBe('critical');
    expect(stage.seen).toHaveLength(11);
    const times = stage.seen.map(({ at }) => at);
    const crowded = times.filter((time, index) => time - (times[index - 2] ?? -Infinity) < 950);
    expect(crowded).toEqual([]);
    expect(await audit(pool)).toMatchObject({ unfinished: 0, dead: 0, unproved: 0 });
    expect(await countStatus('notified')).toBe(60);
  }, 90_000);

  it('too late for one of many gives up that one: what travels with it goes on by itself', async () => {
    const stage = makeStage(['phone']);
    const rows = await pileUp(stage, 35, () => 'warning');
    await pool.query(
      `update deliveries set created_at = created_at - interval '1 day' where notice = any($1::text[])`,
      [[rows[0]?.id, rows[1]?.id]],
    );
    await ring(stage, await readRow(rows[0]?.id ?? ''));
    expect(await statuses()).toEqual([...Array(2).fill('phone dead'), ...Array(33).fill('phone planned')]);
    expect((await dueDeliveries(pool, 500)).notices).toHaveLength(33);
    expect((await readRow(rows[1]?.id ?? '')).status).toBe('dead');
  });

  it('sums up without a sound only what would all come without one', async () => {
    const stage = makeStage(['phone'], { hearsEnds: ['phone'] });
    const rows = await pileUp(stage, 35, () => 'warning');
    await pool.query('update notices set quiet = true where id = $1', [rows[0]?.id]);
    stage.behaviour.clear();
    await ring(stage, await readRow(rows[0]?.id ?? ''));
    expect(stage.seen).toHaveLength(1);
    expect(stage.seen[0]?.message).toMatchObject({ priority: 'normal' });
    // The end of what was told among others pushes nothing, as that of any summary.
    stage.seen.length = 0;
    for (const of of [rows[0], rows[1]])
      await ring(stage, await addNotice(of?.id ?? '', '-end', 'resolved', null));
    expect(stage.seen).toEqual([]);
  });

  it('but refuses what piled up gives no critical up: each is tried on every other channel', async () => {
    const stage = makeStage(['phone', 'mail']);
    stage.plans = [{ channel: 'phone' }];
    stage.behaviour.set('phone', () => Promise.reject(DOWN));
    const rows = await pileUp(stage, 35, (index) => (index < 12 ? 'critical' : 'warning'));
    stage.behaviour.set('phone', dead);
    await ring(stage, await readRow(rows[34]?.id ?? ''));
    // The two oldest criticals travelled with the warning's summary and died with it.
    expect(stage.seen.map(({ channel }) => channel)).toEqual(['phone', 'mail', 'mail']);
    expect((await readRow(rows[0]?.id ?? '')).status).toBe('notified');
    expect((await readRow(rows[1]?.id ?? '')).status).toBe('notified');
    expect(await countStatus('dead')).toBe(23);
  });

  it('that keeps things open is told of each one, so that each can be closed', async () => {
    const stage = makeStage(['pager'], { closes: ['pager'] });
    stage.behaviour.set('pager', () => Promise.reject(DOWN));
    for (let index = 0; index < 32; index++) {
      await ring(stage, await admit());
      stage.aheadMs += 120_000;
    }
    stage.behaviour.clear();
    stage.seen.length = 0;
    await pool.query(
      `update deliveries set next_attempt_at = clock_timestamp(), attempted_at = clock_timestamp() - interval '2 seconds'`,
    );
    while ((await openNotices()) > 0) {
      await ringDue(stage);
      await pool.query(
        `update deliveries set attempted_at = attempted_at - interval '1 second', next_attempt_at = clock_timestamp()`,
      );
    }
    expect(stage.seen).toHaveLength(32);
    expect(new Set(stage.seen.map(({ message }) => message.key)).size).toBe(32);
  }, 60_000);
});

/** Messages that the phone did not take, each tried once by its own process and due again now. */
async function pileUp(
  stage: Stage,
  amount: number,
  severityOf: (index: number) => string,
): Promise<readonly NoticeRow[]> {
  stage.behaviour.set('phone', () => Promise.reject(DOWN));
  const rows = [];
  for (let index = 0; index < amount; index++) rows.push(await admit(severityOf(index)));
  for (const row of rows) {
    await ring(stage, row);
    stage.aheadMs += 120_000;
  }
  stage.seen.length = 0;
  await pool.query(
    `update deliveries set next_attempt_at = clock_timestamp(), attempted_at = clock_timestamp() - interval '2 seconds'`,
  );
  return rows;
}

/** What the sweep does about deliveries, until nothing is due. */
async function ringDue(stage: Stage): Promise<void> {
  const { notices } = await dueDeliveries(pool, 500);
  for (const id of notices) await ring(stage, await readRow(id));
  if (notices.length === 0) await sleep(100);
}

async function openNotices(): Promise<number> {
  return countStatus('admitted');
}

async function countStatus(status: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::int as count from notices where status = $1',
    [status],
  );
  return rows[0]?.count ?? 0;
}

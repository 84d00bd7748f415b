/** The functions' handlers one after the other against a real Postgres, without broker or HTTP: what each step leaves behind. */
import type { CloudEvent } from 'cloudevents';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHandler as createClassify } from '../../../functions/classify/handler.ts';
import type { Channel } from '../../../functions/notify/channel.ts';
import { createDeliverer } from '../../../functions/notify/delivery.ts';
import { createHandler as createNotify } from '../../../functions/notify/handler.ts';
import { createPlainRouter } from '../../../functions/notify/routing.ts';
import type { Message } from '../../../functions/notify/message.ts';
import type { Arrival } from '../../../functions/receive/episodes.ts';
import { createIngest } from '../../../functions/receive/ingest.ts';
import { sweep } from '../../../functions/receive/sweep.ts';
import type { SweepDeps } from '../../../functions/receive/sweep.ts';
import { createHandler as createSuppress } from '../../../functions/suppress-check/handler.ts';
import { DeliveryError } from '../../../shared/errors.ts';
import { createEvent } from '../../../shared/events.ts';
import { appendDecision, currentDecision } from '../../../shared/postgres/decisions.ts';
import { audit } from '../../../shared/postgres/audit.ts';
import { createPool, transaction } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import type { Context, EventHandler } from '../../../shared/serve.ts';
import { at, makeArrival } from '../../support/alerts.ts';
import { createTestDatabase } from '../../support/database.ts';

const log = pino({ level: 'silent' });
const context: Context = { log, signal: AbortSignal.timeout(60_000), traceparent: '', dryRun: false };
const sent: Message[] = [];
let channelFails: DeliveryError | null = null;
const channel: Channel = {
  name: 'phone',
  type: 'test',
  sendResolved: false,
  closes: false,
  keyed: false,
  send(message) {
    if (channelFails !== null) return Promise.reject(channelFails);
    sent.push(message);
    return Promise.resolve({ providerId: '1' });
  },
};

const LIMITS = {
  stormIncidents: 30,
  stormCriticals: 10,
  stormSummaryMs: 300_000,
  flapOpenings: 3,
  flapWindowMs: 3_600_000,
  remindAfterMs: 4 * 3_600_000,
  tellAgainMs: 24 * 3_600_000,
};

let databaseUrl: string;
let pool: Pool;
/** How far the deliverer's clock is ahead: what a provider asked for is over by then. */
let aheadMs = 0;
let steps: Record<string, EventHandler>;

beforeAll(async () => {
  databaseUrl = await createTestDatabase();
  pool = createPool({ url: databaseUrl, name: 'test', size: 8 });
  const source = { cluster: 'test', name: 'notify' } as const;
  const suppress = createSuppress({
    pool,
    source,
    limits: LIMITS,
    readDecision: (row) => currentDecision(pool, row.pattern, row.received_at),
  });
  const notify = createNotify({
    pool,
    source,
    channels: [channel],
    deliverer: createDeliverer({
      pool,
      channels: new Map([[channel.name, channel]]),
      giveUpAfterMs: 6 * 3_600_000,
      now: () => Date.now() + aheadMs,
      log,
    }),
    router: createPlainRouter([channel], 'warning'),
    story: { cluster: 'test', consoleUrl: null, decisionKeys: null, timeZone: 'UTC' },
  });
  steps = {
    'dev.alertgest.notice.received': createClassify({
      pool,
      source,
      explain: () => Promise.resolve([]),
      explainWaitMs: null,
    }),
    'dev.alertgest.notice.classified': suppress,
    'dev.alertgest.notice.admitted': notify,
    'dev.alertgest.delivery.due': notify,
  };
});
afterAll(() => pool.end());

/** Follows events until nobody takes the next one; answers the types that were emitted. */
async function follow(first: ReadonlyArray<CloudEvent<unknown>>): Promise<string[]> {
  const types: string[] = [];
  for (let events = first; events.length > 0;) {
    const next = await Promise.all(
      events.map((event) => steps[event.type]?.(event, context) ?? Promise.resolve([])),
    );
    types.push(...events.map((event) => event.type.replace('dev.alertgest.', '')));
    events = next.flat();
  }
  return types;
}

const ring = (
  notice: string,
  type: keyof typeof steps = 'dev.alertgest.notice.received',
): CloudEvent<unknown> =>
  createEvent(
    type as 'dev.alertgest.notice.received',
    { cluster: 'test', name: 'receive' },
    notice,
    'test',
    {},
  );

/** Gives one function an event about a notice. */
const run = (type: string, notice: string): Promise<unknown> =>
  steps[type]?.(ring(notice, type), context) ?? Promise.resolve();

async function receive(...arrivals: Arrival[]): Promise<string[]> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  const { notices } = await ingest.store(arrivals, arrivals.at(-1)?.receivedAt ?? null);
  return follow(notices.map(({ notice }) => ring(notice)));
}

async function tick(direct: SweepDeps['direct'] = null): Promise<Awaited<ReturnType<typeof sweep>>> {
  const published: Array<CloudEvent<unknown>> = [];
  const swept = await sweep(
    {
      pool,
      publisher: { publish: (events) => (published.push(...events), Promise.resolve([])) },
      direct,
      source: { cluster: 'test', name: 'receive' },
      waits: { receivedMs: 60_000, classifiedMs: 120_000, admittedMs: 60_000 },
      repeatIntervalMs: 4 * 3_600_000,
      retentionDays: 30,
      heartbeat: null,
      log,
    },
    '',
  );
  await follow(published);
  return swept;
}

async function statusOf(
  namespace: string,
): Promise<Array<{ kind: string; status: string; reason: string | null }>> {
  const { rows } = await pool.query<{ kind: string; status: string; reason: string | null }>(
    `select kind, n.status, reason from notices n join patterns p using (pattern) where p.namespace = $1 order by n.created_at, n.id`,
    [namespace],
  );
  return rows;
}

const alarm = (
  namespace: string,
  start: number,
  overrides: Parameters<typeof makeArrival>[0] = {},
): Arrival =>
  makeArrival({
    startsAt: at(start),
    receivedAt: at(start),
    ...overrides,
    labels: { namespace, ...overrides.labels },
  });
const allClear = (
  namespace: string,
  start: number,
  end: number,
  overrides: Parameters<typeof makeArrival>[0] = {},
): Arrival =>
  alarm(namespace, start, { status: 'resolved', endsAt: at(end), receivedAt: at(end), ...overrides });
const pushesOf = (namespace: string): Message[] =>
  sent.filter((message) => message.facts.namespace === namespace);

describe('an incident', () => {
  it('is pushed once, over repeats, growth and its end', async () => {
    expect(await receive(alarm('one', 0))).toEqual([
      'notice.received',
      'notice.classified',
      'notice.admitted',
      'notice.notified',
    ]);
    await receive(alarm('one', 0, { receivedAt: at(5) }));
    await receive(alarm('one', 6, { labels: { container: 'a', pod: 'api-7d9f8b6c5-x2x7p' } }));
    await receive(allClear('one', 0, 10));
    await receive(allClear('one', 6, 11, { labels: { container: 'a', pod: 'api-7d9f8b6c5-x2x7p' } }));
    expect(pushesOf('one')).toHaveLength(2);
    expect((await statusOf('one')).map(({ kind, status, reason }) => `${kind} ${status} ${reason}`)).toEqual([
      'opened notified null',
      'opened notified null',
      'resolved suppressed no-route',
      'resolved suppressed no-route',
    ]);
  });

  it('is pushed once when every event comes ten times at once', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const { notices } = await ingest.store([alarm('ten', 20)], at(20));
    const id = notices[0]?.notice ?? '';
    for (const type of Object.keys(steps)) {
      await Promise.allSettled(Array.from({ length: 10 }, () => run(type, id)));
    }
    expect(pushesOf('ten')).toHaveLength(1);
    expect(await statusOf('ten')).toMatchObject([{ status: 'notified' }]);
  });

  it('answers a step that comes too early with "behind", and an unknown notice with "unknown-id"', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const { notices } = await ingest.store([alarm('early', 25)], at(25));
    const id = notices[0]?.notice ?? '';
    await expect(run('dev.alertgest.notice.classified', id)).rejects.toMatchObject({
      reason: 'behind',
      status: 409,
    });
    await expect(run('dev.alertgest.notice.admitted', id)).rejects.toMatchObject({ reason: 'behind' });
    await expect(run('dev.alertgest.notice.received', 'ag-none.opened')).rejects.toMatchObject({
      reason: 'unknown-id',
      status: 400,
    });
    await follow([ring(id)]);
  });
});

describe('an end that is decided before its beginning', () => {
  it('waits, and is finished by whoever finishes the beginning', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const { notices } = await ingest.store([alarm('order', 30), allClear('order', 30, 31)], at(31));
    const [opened = '', resolved = ''] = notices.map(({ notice }) => notice);
    expect(await follow([ring(resolved)])).toEqual(['notice.received', 'notice.classified']);
    expect(await statusOf('order')).toMatchObject([{ status: 'received' }, { status: 'classified' }]);
    await follow([ring(opened)]);
    expect(await statusOf('order')).toMatchObject([
      { status: 'notified' },
      { kind: 'resolved', status: 'suppressed' },
    ]);
    expect(pushesOf('order')).toMatchObject([{ kind: 'opened' }]);
    expect(pushesOf('order')[0]?.body).toMatch(/over/);
  });
});

describe('flapping', () => {
  it('is said at the third opening, then held, and told once more when it is calm', async () => {
    for (const n of [0, 1, 2, 3, 4, 5]) {
      await receive(alarm('flap', 100 + n * 5));
      await receive(allClear('flap', 100 + n * 5, 102 + n * 5));
    }
    expect(pushesOf('flap')).toHaveLength(2);
    expect(pushesOf('flap')[1]?.body).toContain('came back 3 times within 60 minutes');
    expect((await statusOf('flap')).filter(({ status }) => status === 'held')).toHaveLength(3);
    await receive(alarm('other', 186));
    await tick();
    expect(pushesOf('flap')).toHaveLength(3);
    expect(pushesOf('flap')[2]?.title).toContain('came back 3 more times');
    expect((await statusOf('flap')).filter(({ status }) => status === 'digested')).toHaveLength(3);
  });
});

describe('a critical that never calms down', () => {
  it('is told at least every hour', async () => {
    for (let minute = 400; minute < 400 + 240; minute += 15) {
      await receive(alarm('restless', minute, { labels: { severity: 'critical' } }));
      await receive(allClear('restless', minute, minute + 5, { labels: { severity: 'critical' } }));
      await tick();
    }
    expect(pushesOf('restless').length).toBeGreaterThanOrEqual(3 + 2);
    const told = pushesOf('restless').map((message) => message.kind);
    expect(told.slice(0, 3)).toEqual(['opened', 'opened', 'opened']);
    expect(told.slice(3)).toContain('due');
  });
});

describe('an end that comes with another text', () => {
  it('closes the incident that its beginning opened', async () => {
    const labels = { alertname: 'BackupJob', namespace: '', deployment: '', severity: '' };
    await receive(alarm('', 700, { labels, annotations: { summary: 'Backup of the archive failed' } }));
    await receive(allClear('', 700, 710, { labels, annotations: { summary: 'Backup is fine again' } }));
    const { rows } = await pool.query(
      `select i.open_episodes, i.closed_at is not null as closed, e.end_reason from incidents i
       join episodes e on e.incident = i.id where e.alertname = 'BackupJob'`,
    );
    expect(rows).toEqual([{ open_episodes: 0, closed: true, end_reason: 'resolved' }]);
    expect(await audit(pool)).toMatchObject({ miscounted: 0 });
  });
});

describe('a storm', () => {
  it('is told one by one up to the limit and then in one summary per alertname and severity', async () => {
    const burst = Array.from({ length: 45 }, (_, n) =>
      alarm(`storm-${n}`, 200, { labels: { alertname: 'PodEvicted' } }),
    );
    await receive(...burst);
    const ofStorm = (): Message[] => sent.filter((message) => message.facts.alertname === 'PodEvicted');
    expect(ofStorm()).toHaveLength(30);
    await receive(alarm('other', 206));
    await tick();
    expect(ofStorm()).toHaveLength(31);
    expect(ofStorm()[30]?.title).toContain('15 × PodEvicted');
  });

  it('is summed up under an incident that still fires, which a pager can open and close', async () => {
    const labels = { alertname: 'NodeGone' };
    const burst = Array.from({ length: 33 }, (_, n) => alarm(`gone-${n}`, 220, { labels }));
    await receive(...burst);
    const first = `select p.namespace from batches b join incidents i on i.id = b.incident join patterns p using (pattern)
      where b.key like '%NodeGone'`;
    const { rows } = await pool.query<{ namespace: string }>(first);
    const namespace = rows[0]?.namespace ?? '';
    await receive(allClear(namespace, 220, 221, { labels }));
    await receive(alarm('other', 226));
    await tick();
    const summaries = await pool.query<{ namespace: string; status: string; open: boolean }>(
      `select p.namespace, n.status, i.closed_at is null as open
       from notices n join incidents i on i.id = n.incident join patterns p on p.pattern = n.pattern
       where n.kind = 'due' and n.batch is not null and p.alertname = 'NodeGone'`,
    );
    expect(summaries.rows).toMatchObject([{ status: 'notified', open: true }]);
    expect(summaries.rows[0]?.namespace).not.toBe(namespace);
  });
});

describe('time as news', () => {
  it('reminds of a critical that still fires after four hours, and again after eight more', async () => {
    await receive(alarm('lasting', 300, { labels: { severity: 'critical' } }));
    await receive(alarm('other', 545));
    await tick();
    await tick();
    expect(pushesOf('lasting').map((message) => message.kind)).toEqual(['opened', 'due']);
    await receive(alarm('lasting', 300, { labels: { severity: 'critical' }, receivedAt: at(700) }));
    await receive(alarm('other', 545 + 481));
    await tick();
    expect(pushesOf('lasting')).toHaveLength(3);
  });

  it('closes an alert unseen for twice the repeat interval as stale, and the incident with it', async () => {
    await receive(alarm('unseen', 1_100));
    await receive(alarm('other', 1_100 + 481));
    await tick();
    const { rows } = await pool.query(
      `select end_reason, closed_at is not null as closed from episodes e join incidents i on i.id = e.incident where namespace = 'unseen'`,
    );
    expect(rows).toEqual([{ end_reason: 'stale', closed: true }]);
    expect(await statusOf('unseen')).toMatchObject([
      { status: 'notified' },
      { kind: 'resolved', status: 'suppressed' },
    ]);
  });
});

describe('decisions', () => {
  it('keep an ignored issue quiet, and a revoked one is told at once while it fires', async () => {
    const arrival = alarm('known', 2_000);
    await receive(arrival, allClear('known', 2_000, 2_001));
    expect(pushesOf('known')).toHaveLength(1);
    const { pattern } = arrival.pattern;
    await transaction(pool, (client) =>
      appendDecision(client, pattern, { kind: 'ignore', until: null, note: null, actor: 'ann' }),
    );
    await receive(alarm('known', 2_300));
    expect(pushesOf('known')).toHaveLength(1);
    await transaction(pool, async (client) => {
      await appendDecision(client, pattern, { kind: 'revoke', until: null, note: null, actor: 'ann' });
      await client.query(
        'update incidents set due_at = alert_now(), due_why = $2 where pattern = $1 and closed_at is null',
        [pattern, 'decision revoked'],
      );
    });
    await tick();
    expect(pushesOf('known').map((message) => message.kind)).toEqual(['opened', 'due']);
  });
});

describe('a decision that comes while another notice is being decided', () => {
  it('counts, and is read without a second connection', async () => {
    const arrival = alarm('meanwhile', 2_400);
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const { notices } = await ingest.store([arrival], arrival.receivedAt);
    const notice = notices[0]?.notice ?? '';
    await run('dev.alertgest.notice.received', notice);
    const single = createPool({ url: databaseUrl, name: 'single', size: 1 });
    let reads = 0;
    const suppress = createSuppress({
      pool: single,
      source: { cluster: 'test', name: 'suppress-check' },
      limits: LIMITS,
      readDecision: async (row, db) => {
        const decision = await currentDecision(db, row.pattern, row.received_at);
        const ignore = { kind: 'ignore', until: null, note: null, actor: 'ann' } as const;
        if (++reads === 1) await transaction(pool, (client) => appendDecision(client, row.pattern, ignore));
        return decision;
      },
    });
    await suppress(ring(notice, 'dev.alertgest.notice.classified'), context);
    await single.end();
    expect(await statusOf('meanwhile')).toMatchObject([{ status: 'suppressed', reason: 'ignored' }]);
  });
});

describe('a provider', () => {
  it('that refuses for good makes the notice dead and the audit loud', async () => {
    channelFails = new DeliveryError('delivery-permanent', 'the token is refused');
    await receive(alarm('refused', 2_500));
    channelFails = null;
    expect(await statusOf('refused')).toMatchObject([{ status: 'dead', reason: 'undeliverable' }]);
    expect(await audit(pool)).toMatchObject({ dead: 1 });
  });

  it('that is down for a while is tried again when the sweep rings', async () => {
    channelFails = new DeliveryError('delivery-retryable', 'down', { retryAfterMs: 20_000 });
    await receive(alarm('later', 2_600));
    channelFails = null;
    expect(await statusOf('later')).toMatchObject([{ status: 'admitted' }]);
    await pool.query(`update deliveries set next_attempt_at = clock_timestamp() where status = 'planned'`);
    aheadMs += 30_000;
    await tick();
    expect(await statusOf('later')).toMatchObject([{ status: 'notified' }]);
    expect(pushesOf('later')).toHaveLength(1);
  });

  it('whose answer was lost with our process hears the message again, marked', async () => {
    channelFails = new DeliveryError('delivery-retryable', 'down', { retryAfterMs: 20_000 });
    await receive(alarm('crash', 2_700));
    channelFails = null;
    await pool.query(
      `update deliveries set status = 'sending', lease_until = clock_timestamp() - interval '1 second' where status = 'planned'`,
    );
    aheadMs += 30_000;
    await tick();
    expect(pushesOf('crash')).toHaveLength(1);
    expect(pushesOf('crash')[0]?.body).toMatch(/possibly repeated/i);
  });
});

describe('what stops on the way', () => {
  it('is carried on by the sweep, and the notice says what was missing', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    await ingest.store([alarm('lost', 2_800)], at(2_800));
    const age = `update notices set status_at = status_at - interval '3 minutes' where status in ('received', 'classified', 'admitted')`;
    await pool.query(age);
    await tick();
    expect(await statusOf('lost')).toMatchObject([{ status: 'notified' }]);
    expect(pushesOf('lost')[0]?.body).toContain('not classified');
  });

  it.each([
    { without: 'FUNCTION_URL', direct: null },
    { without: 'an answer at FUNCTION_URL', direct: () => Promise.reject(new Error('no answer')) },
  ])('is rung for again every minute without $without, however often nobody came', async ({ direct }) => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const namespace = `deaf-${direct === null}`;
    await ingest.store([alarm(namespace, 2_850)], at(2_850));
    await pool.query(
      `update notices set status_at = status_at - interval '3 minutes', attempts = 10 where status = 'received'`,
    );
    await tick(direct);
    expect(await statusOf(namespace)).toMatchObject([{ status: 'notified' }]);
  });
});

it('leaves nothing unfinished, miscounted or unproved', async () => {
  expect(await audit(pool)).toEqual({ unfinished: 0, dead: 1, forgotten: 0, miscounted: 0, unproved: 0 });
  const { rows } = await pool.query(
    `select status, count(*) from notices where status in ('received', 'classified', 'admitted') group by status`,
  );
  expect(rows).toEqual([]);
});

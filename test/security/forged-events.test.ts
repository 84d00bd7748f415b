/** Events that somebody inside made up. A handler takes the id and nothing else from them: facts, order and pushes stay. */
import type { CloudEvent } from 'cloudevents';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHandler as createClassify } from '../../functions/classify/handler.ts';
import type { Channel } from '../../functions/notify/channel.ts';
import { createDeliverer } from '../../functions/notify/delivery.ts';
import { createHandler as createNotify } from '../../functions/notify/handler.ts';
import type { Message } from '../../functions/notify/message.ts';
import { createPlainRouter } from '../../functions/notify/routing.ts';
import { createIngest } from '../../functions/receive/ingest.ts';
import { createHandler as createSuppress } from '../../functions/suppress-check/handler.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventType } from '../../shared/events.ts';
import { appendDecision, currentDecision } from '../../shared/postgres/decisions.ts';
import { createPool, transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context, EventHandler } from '../../shared/serve.ts';
import { at, makeArrival } from '../support/alerts.ts';
import { createTestDatabase } from '../support/database.ts';

const log = pino({ level: 'silent' });
const context: Context = { log, signal: AbortSignal.timeout(60_000), traceparent: '', dryRun: false };
const sent: Message[] = [];
const phone: Channel = {
  name: 'phone',
  type: 'test',
  sendResolved: false,
  closes: false,
  keyed: false,
  send(message) {
    sent.push(message);
    return Promise.resolve({ providerId: String(sent.length) });
  },
};
const STEPS = [
  'dev.alertgest.notice.received',
  'dev.alertgest.notice.classified',
  'dev.alertgest.notice.admitted',
  'dev.alertgest.delivery.due',
] as const satisfies readonly EventType[];

let pool: Pool;
let handlers: Record<(typeof STEPS)[number], EventHandler>;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'forged', size: 4 });
  const source = { cluster: 'test', name: 'notify' } as const;
  const notify = createNotify({
    pool,
    source,
    channels: [phone],
    deliverer: createDeliverer({
      pool,
      channels: new Map([[phone.name, phone]]),
      giveUpAfterMs: 3_600_000,
      now: Date.now,
      log,
    }),
    router: createPlainRouter([phone], 'warning'),
    story: { cluster: 'test', consoleUrl: null, decisionKeys: null, timeZone: 'UTC' },
  });
  handlers = {
    'dev.alertgest.notice.received': createClassify({
      pool,
      source,
      explain: () => Promise.resolve([]),
      explainWaitMs: null,
    }),
    'dev.alertgest.notice.classified': createSuppress({
      pool,
      source,
      limits: {
        stormIncidents: 30,
        stormCriticals: 10,
        stormSummaryMs: 300_000,
        flapOpenings: 3,
        flapWindowMs: 3_600_000,
        remindAfterMs: 4 * 3_600_000,
        tellAgainMs: 24 * 3_600_000,
      },
      readDecision: (row) => currentDecision(pool, row.pattern, row.received_at),
    }),
    'dev.alertgest.notice.admitted': notify,
    'dev.alertgest.delivery.due': notify,
  };
});
afterAll(() => pool.end());

/** An event that lies about everything but the id. */
function forge(type: EventType, notice: string): CloudEvent<unknown> {
  const lies = {
    notice: 'ag-another.opened',
    kind: 'opened',
    status: 'admitted',
    incident: 'ag-another',
    pattern: 'v1:00000000000000000000000000000000',
    alertname: 'NothingToSee',
    severity: 'none',
    namespace: 'elsewhere',
    summary: 'all is well',
    receivedAt: '2001-01-01T00:00:00Z',
    openEpisodes: 0,
    alerts: [],
  };
  return createEvent(type, { cluster: 'other', name: 'console' }, notice, 'forged', lies, {
    severity: 'none',
    pattern: 'v1:00000000000000000000000000000000',
  });
}

async function receive(namespace: string, severity: string): Promise<string> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  const arrival = makeArrival({ labels: { namespace, severity }, startsAt: at(0), receivedAt: at(0) });
  const { notices } = await ingest.store([arrival], at(0));
  return notices[0]?.notice ?? '';
}

async function readFacts(): Promise<unknown> {
  const { rows } = await pool.query(
    `select p.alertname, p.severity, p.namespace, e.labels, e.starts_at, n.kind, n.received_at
     from notices n join patterns p using (pattern) join episodes e on e.incident = n.incident order by n.id`,
  );
  return rows;
}

it('a forged event can only hasten what was due: facts stay, one push, with the facts of the row', async () => {
  const id = await receive('forged', 'critical');
  const facts = await readFacts();
  for (const type of STEPS)
    for (let time = 0; time < 3; time++) await handlers[type](forge(type, id), context);
  expect(
    sent.map(({ facts: { alertname, severity, namespace } }) => [alertname, severity, namespace]),
  ).toEqual([['PodNotReady', 'critical', 'forged']]);
  expect(await readFacts()).toEqual(facts);
});

it('a forged event cannot skip a step, nor push what a person ignores', async () => {
  const id = await receive('skipped', 'warning');
  const before = sent.length;
  await expect(
    handlers['dev.alertgest.notice.admitted'](forge('dev.alertgest.notice.admitted', id), context),
  ).rejects.toMatchObject({ status: 409 });
  const { rows } = await pool.query<{ pattern: string }>('select pattern from notices where id = $1', [id]);
  await transaction(pool, (client) =>
    appendDecision(client, rows[0]?.pattern ?? '', { kind: 'ignore', until: null, note: null, actor: 'ann' }),
  );
  for (const type of STEPS) await handlers[type](forge(type, id), context);
  expect(sent).toHaveLength(before);
});

it.each(['ag-0000000000000000.opened', ' ', '%', "' or 1=1 --", 'x'.repeat(5_000)])(
  'an event about what is nobody’s is refused for good: %j',
  async (subject) => {
    for (const type of STEPS)
      await expect((async () => handlers[type](forge(type, subject), context))()).rejects.toMatchObject({
        status: 400,
      });
  },
);

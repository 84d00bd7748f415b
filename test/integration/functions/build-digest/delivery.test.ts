/** Digests from the tick to the phone, with a death at every step: each night is told once. */
import type { CloudEvent } from 'cloudevents';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBuilder } from '../../../../functions/build-digest/builder.ts';
import { readDefinitions } from '../../../../functions/build-digest/definitions.ts';
import { createHandler } from '../../../../functions/build-digest/handler.ts';
import type { HandlerDeps } from '../../../../functions/build-digest/handler.ts';
import { createNtfy } from '../../../../functions/notify/channels/ntfy.ts';
import { createDeliverer } from '../../../../functions/notify/delivery.ts';
import { createHandler as createNotify } from '../../../../functions/notify/handler.ts';
import { createPlainRouter } from '../../../../functions/notify/routing.ts';
import { digestEvents } from '../../../../functions/receive/digest-watch.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { createEvent } from '../../../../shared/events.ts';
import { readAlertClock, shiftAlertClock } from '../../../../shared/postgres/clock.ts';
import { claimOwed } from '../../../../shared/postgres/digest-claims.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import type { Context, EventHandler } from '../../../../shared/serve.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { LONDON } from '../../../support/digests.ts';
import { startNtfySink } from '../../../support/sinks.ts';
import type { Sink } from '../../../support/sinks.ts';

const log = pino({ level: 'silent' });
const context: Context = { log, signal: AbortSignal.timeout(300_000), traceparent: '', dryRun: false };
const GRACE_MS = 5 * 60_000;
const SCHEDULE = {
  ...LONDON,
  DIGEST_CRON: '0 8 * * 1-5',
  DIGEST_TIMEZONE: 'Europe/London',
  DIGEST_GRACE: GRACE_MS,
  DIGEST_RETENTION_DAYS: 400,
};

let pool: Pool;
let sink: Sink;
let build: EventHandler;
let notify: EventHandler;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 10 });
  sink = await startNtfySink();
  build = createHandler(parts());
  const channel = createNtfy({
    NTFY_URL: sink.url,
    NTFY_TOPIC: sink.env['NTFY_TOPIC'] ?? '',
    NTFY_TOKEN: sink.env['NTFY_TOKEN'],
    NTFY_SEND_RESOLVED: false,
  });
  notify = createNotify({
    pool,
    source: { cluster: 'test', name: 'notify' },
    channels: [channel],
    deliverer: createDeliverer({
      pool,
      channels: new Map([[channel.name, channel]]),
      giveUpAfterMs: 6 * 3_600_000,
      log,
    }),
    router: createPlainRouter([channel], 'warning'),
    story: {
      cluster: 'test',
      consoleUrl: 'https://alertgest.example.org',
      decisionKeys: null,
      timeZone: 'UTC',
    },
  });
});

/** What the builder of the tests is made of. */
function parts(): HandlerDeps {
  return {
    pool,
    source: { cluster: 'test', name: 'build-digest' },
    calendar: LONDON,
    graceMs: GRACE_MS,
    digests: [{ name: 'all', matches: null }],
    build: createBuilder({
      pool,
      calendar: LONDON,
      readCluster: null,
      readMissed: () => Promise.resolve({ missed: null, missedWhy: null }),
      write: null,
    }),
  };
}

afterAll(async () => {
  await pool.end();
  await sink.close();
});
beforeEach(async () => {
  sink.clear();
  await pool.query(
    'truncate patterns, episodes, incidents, notices, deliveries, batches, digests, digest_windows, capture_windows cascade',
  );
});
afterEach(() => shiftAlertClock(pool, null));

/** A Monday's night with one alert, and the time at which its digest is due. */
const MORNING = new Date('2026-02-03T08:06:00Z');

async function night(): Promise<void> {
  const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
  const receivedAt = new Date('2026-02-02T22:00:00Z');
  await ingest.store([makeArrival({ startsAt: receivedAt, receivedAt })], receivedAt);
  await shiftAlertClock(pool, MORNING);
}

const tick = (): CloudEvent<unknown> =>
  createEvent('dev.knative.sources.ping', { cluster: 'test', name: 'receive' }, 'tick', 'tick', {});

/** What the sweep would publish now. */
async function sweepEvents(): Promise<Array<CloudEvent<unknown>>> {
  const { rows } = await pool.query<{ digest: string }>(
    `select distinct digest from deliveries where status <> 'sent' and digest is not null`,
  );
  return digestEvents(
    { pool, source: { cluster: 'test', name: 'receive' }, digests: SCHEDULE, retentionDays: 30, log },
    await readAlertClock(pool),
    rows.map(({ digest }) => digest),
  );
}

/** Follows events through both functions until nothing is left. */
async function follow(first: ReadonlyArray<CloudEvent<unknown>>): Promise<void> {
  for (let events = first; events.length > 0;) {
    const next = await Promise.all(
      events.map((event) => {
        if (event.type === 'dev.alertgest.digest.due') return build(event, context);
        return event.type === 'dev.alertgest.digest.built' ? notify(event, context) : Promise.resolve([]);
      }),
    );
    events = next.flat();
  }
}

/** The next minute's sweep, when leases are over and what was rung for is overdue. */
async function sweepLater(): Promise<void> {
  await pool.query(
    `update digests set lease_until = lease_until - interval '1 hour', built_at = built_at - interval '1 hour'`,
  );
  await pool.query(
    `update deliveries set lease_until = lease_until - interval '1 hour', next_attempt_at = clock_timestamp()`,
  );
  await follow(await sweepEvents());
}

const TOLD_ONCE = { rows: [{ status: 'sent', windows: 'digest_sent' }], shown: 1 };

/** What became of the one digest there is, and how many messages a phone shows. */
async function fate(): Promise<unknown> {
  const { rows } = await pool.query<{ status: string; windows: string }>(
    `select d.status, (select string_agg(w.status, ',') from capture_windows w) as windows from digests d`,
  );
  // A provider with keys shows one message however often it was sent.
  return { rows, shown: new Set(sink.pushes.map(({ key }) => key)).size };
}

describe('a digest', () => {
  it('is built and told by the tick, and by it alone', async () => {
    await night();
    await follow(await build(tick(), context));
    expect(await fate()).toEqual(TOLD_ONCE);
    sink.assertOnly(1);
    expect(sink.pushes[0]).toMatchObject({
      title: '🟠 Nothing critical is firing; 1 alert still fires: PodNotReady (production)',
      link: expect.stringContaining('https://alertgest.example.org/digests/'),
    });
    expect(await build(tick(), context)).toEqual([]);
    expect(await sweepEvents()).toEqual([]);
  });

  it('is not built before the grace is over, and the sweep makes up for the tick', async () => {
    await night();
    await shiftAlertClock(pool, new Date('2026-02-03T08:00:30Z'));
    expect(await build(tick(), context)).toEqual([]);
    expect(await sweepEvents()).toEqual([]);
    await shiftAlertClock(pool, new Date('2026-02-03T08:05:01Z'));
    await follow(await sweepEvents());
    expect(await fate()).toEqual(TOLD_ONCE);
  });

  it('is one for twenty ticks at once', async () => {
    await night();
    const built = await Promise.all(Array.from({ length: 20 }, () => build(tick(), context)));
    await Promise.all(built.flat().map((event) => notify(event, context)));
    expect(await fate()).toEqual(TOLD_ONCE);
    sink.assertOnly(1);
  });

  it('of a weekend waits for Monday and covers every night of it', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    for (const day of [
      '2026-02-06T20:00:00Z',
      '2026-02-07T12:00:00Z',
      '2026-02-07T20:00:00Z',
      '2026-02-08T20:00:00Z',
    ]) {
      const receivedAt = new Date(day);
      await ingest.store(
        [makeArrival({ startsAt: receivedAt, receivedAt, labels: { deployment: `d${day.slice(8, 13)}` } })],
        receivedAt,
      );
    }
    for (const day of ['2026-02-07T09:00:00Z', '2026-02-08T09:00:00Z']) {
      await shiftAlertClock(pool, new Date(day));
      expect(await sweepEvents()).toEqual([]);
    }
    await shiftAlertClock(pool, new Date('2026-02-09T08:06:00Z'));
    await follow(await sweepEvents());
    const { rows } = await pool.query(
      `select d.status, d.facts -> 'episodes' as episodes, d.facts -> 'night' -> 'between' as between, count(*)::int as windows
       from digests d join digest_windows w on w.digest = d.id group by d.id`,
    );
    expect(rows).toEqual([{ status: 'sent', episodes: 3, between: 1, windows: 3 }]);
    const flagged = await pool.query(
      'select count(*)::int as outside from captured_episodes where captured_in is null',
    );
    expect(flagged.rows).toEqual([{ outside: 1 }]);
    sink.assertOnly(1);
  });

  it('of three days without a cluster is one that covers them all', async () => {
    await night();
    await shiftAlertClock(pool, new Date('2026-02-06T10:00:00Z'));
    await follow(await sweepEvents());
    const { rows } = await pool.query('select count(*)::int as windows from digest_windows');
    expect(rows).toEqual([{ windows: 4 }]);
    sink.assertOnly(1);
  });

  it('that nobody can be told of is dead, loudly, and what it held is told by itself', async () => {
    await night();
    await pool.query(
      `with i as (select id from incidents limit 1), b as (
         insert into batches (kind, key, title, incident, due_at, last_at)
         select 'window', '2026-02-02T18:00:00.000Z', 'held', id, 'infinity', 'infinity' from i returning id)
       update notices set status = 'held', reason = 'window', batch = (select id from b)`,
    );
    sink.script(...Array.from({ length: 10 }, () => ({ status: 400, body: { code: 40_000, http: 400 } })));
    await follow(await build(tick(), context));
    expect((await pool.query('select status from digests')).rows).toEqual([{ status: 'dead' }]);
    expect(
      (await pool.query('select closed_at is null and due_at <= alert_now() as due from batches')).rows,
    ).toEqual([{ due: true }]);
  });

  it('makes what it held digested only once it was sent', async () => {
    await night();
    await pool.query(
      `with i as (select id from incidents limit 1), b as (
         insert into batches (kind, key, title, incident, due_at, last_at)
         select 'window', '2026-02-02T18:00:00.000Z', 'held', id, 'infinity', 'infinity' from i returning id)
       update notices set status = 'held', reason = 'window', batch = (select id from b)`,
    );
    const events = await build(tick(), context);
    expect((await pool.query('select status from notices')).rows).toEqual([{ status: 'held' }]);
    await follow(events);
    expect((await pool.query('select status from notices')).rows).toEqual([{ status: 'digested' }]);
  });

  describe('survives a death', () => {
    it('before the tick arrives', async () => {
      await night();
      await sweepLater();
      expect(await fate()).toEqual(TOLD_ONCE);
      sink.assertOnly(1);
    });

    it('after the claim, with nothing built', async () => {
      await night();
      await claimOwed(pool, { name: 'all', calendar: LONDON, graceMs: GRACE_MS });
      expect(await build(tick(), context)).toEqual([]);
      await sweepLater();
      expect(await fate()).toEqual(TOLD_ONCE);
      sink.assertOnly(1);
    });

    it('while it reads its facts, and takes its claim back at once', async () => {
      await night();
      await pool.query('alter table pattern_hours rename to pattern_hours_away');
      await expect(build(tick(), context)).rejects.toThrow('pattern_hours');
      await pool.query('alter table pattern_hours_away rename to pattern_hours');
      await follow(await sweepEvents());
      expect(await fate()).toEqual(TOLD_ONCE);
    });

    it('again and again, and is then told in one line', async () => {
      await night();
      await pool.query('alter table pattern_hours rename to pattern_hours_away');
      await expect(build(tick(), context)).rejects.toThrow('pattern_hours');
      await expect(build(tick(), context)).rejects.toThrow('pattern_hours');
      await follow(await build(tick(), context));
      await pool.query('alter table pattern_hours_away rename to pattern_hours');
      expect(await fate()).toEqual(TOLD_ONCE);
      expect(sink.pushes[0]?.title).toContain('The digest could not be built: 1 alert, 1 still firing');
    });

    it('after a slow builder lost its claim: only one of the two is told', async () => {
      await night();
      const slow = await claimOwed(pool, { name: 'all', calendar: LONDON, graceMs: GRACE_MS });
      await sweepLater();
      const { rowCount } = await pool.query(
        `update digests set status = 'built' where id = $1 and fence = $2 and status = 'building'`,
        [slow?.id, slow?.fence],
      );
      expect(rowCount).toBe(0);
      expect(await fate()).toEqual(TOLD_ONCE);
      sink.assertOnly(1);
    });

    it('after it is stored, with its event lost', async () => {
      await night();
      await build(tick(), context);
      await sweepLater();
      expect(await fate()).toEqual(TOLD_ONCE);
      sink.assertOnly(1);
    });

    it('after its deliveries are planned', async () => {
      await night();
      await build(tick(), context);
      await pool.query(
        `with d as (update digests set planned_at = clock_timestamp() returning id)
         insert into deliveries (digest, channel) select id, 'ntfy' from d`,
      );
      await sweepLater();
      expect(await fate()).toEqual(TOLD_ONCE);
      sink.assertOnly(1);
    });

    it("between the provider's yes and our mark: the key collapses the second message, which says so", async () => {
      await night();
      const [event] = await build(tick(), context);
      sink.script('reset');
      if (event !== undefined) await notify(event, context);
      await sweepLater();
      expect(await fate()).toEqual(TOLD_ONCE);
      expect(sink.pushes.length).toBeLessThanOrEqual(2);
      expect(sink.pushes.at(-1)?.text).toContain('Possibly repeated');
    });

    it('after the message is marked as sent', async () => {
      await night();
      await build(tick(), context);
      await pool.query(
        `with d as (update digests set planned_at = clock_timestamp() returning id)
         insert into deliveries (digest, channel, status, sent_at) select id, 'ntfy', 'sent', clock_timestamp() from d`,
      );
      await sweepLater();
      expect((await pool.query('select status from digests')).rows).toEqual([{ status: 'sent' }]);
      sink.assertOnly(0);
    });
  });

  it('of a span that is asked for is kept, and told only when asked to', async () => {
    await night();
    const asked = { from: '2026-02-02T18:00:00Z', to: '2026-02-03T08:00:00Z' };
    const due = (data: object): CloudEvent<unknown> =>
      createEvent('dev.alertgest.digest.due', { cluster: 'test', name: 'console' }, 'asked', 'due', data);
    const [event] = await build(due(asked), context);
    expect(event?.data).toMatchObject({ verdict: expect.stringContaining('1 alert still fires') });
    if (event !== undefined) await notify(event, context);
    sink.assertOnly(0);
    await follow(await build(due({ ...asked, tell: true }), context));
    sink.assertOnly(1);
    await expect(build(due({ from: asked.to, to: asked.from }), context)).rejects.toThrow(
      'the first before the second',
    );
  });

  it('of a team is about what its matchers take, beside the one of everything, from its first night on', async () => {
    await night();
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const receivedAt = new Date('2026-02-02T23:00:00Z');
    for (const team of ['payments', 'payments-eu', 'media'])
      await ingest.store(
        [makeArrival({ startsAt: receivedAt, receivedAt, labels: { team, deployment: team } })],
        receivedAt,
      );
    await shiftAlertClock(pool, MORNING);
    await follow(await build(tick(), context));
    const withTeam = createHandler({
      ...parts(),
      digests: await readDefinitions(
        'digests: [{ name: payments, matchers: ["team=~\\"payments.*\\""], channels: [ntfy] }]',
      ),
    });
    await follow(await withTeam(tick(), context));
    const counts = async (): Promise<unknown> =>
      (await pool.query(`select name, facts -> 'episodes' as episodes, status from digests order by id`))
        .rows;
    expect(await counts()).toEqual([
      { name: 'all', episodes: 4, status: 'sent' },
      { name: 'payments', episodes: 2, status: 'sent' },
    ]);
    expect(sink.pushes).toHaveLength(2);
    expect(await withTeam(tick(), context)).toEqual([]);
    await expect(readDefinitions('digests: [{ name: x, matchers: ["=="] }]')).rejects.toThrow('ROUTES');
  });

  it('counts a label set that has two patterns in one night once for each', async () => {
    await night();
    await pool.query(
      `with p as (insert into patterns select 'v2:other', alertname, severity, namespace, cluster, title, identity, kept, dropped,
         heartbeat, own, first_seen, last_seen, 0, null from patterns returning pattern)
       insert into episodes (key, pattern, incident, alertname, severity, namespace, own, labels, annotations, generator_url, flags,
         starts_at, ended_at, end_reason, received_at, last_seen, end_received_at)
       select e.key, p.pattern, null, alertname, severity, namespace, own, labels, annotations, generator_url, flags,
         starts_at - interval '1 hour', starts_at, 'resolved', received_at, last_seen, received_at from episodes e, p`,
    );
    await follow(await build(tick(), context));
    const { rows } = await pool.query(
      `select facts -> 'episodes' as episodes, facts -> 'firing' as firing, facts -> 'patterns' as patterns from digests`,
    );
    expect(rows).toEqual([{ episodes: 2, firing: 1, patterns: 2 }]);
  });

  it('of a quiet night is two lines, and is sent', async () => {
    await night();
    await follow(await build(tick(), context));
    sink.clear();
    await shiftAlertClock(pool, new Date('2026-02-04T08:06:00Z'));
    await pool.query(
      `update episodes set ended_at = starts_at, end_reason = 'resolved', end_received_at = received_at; update incidents set closed_at = opened_at, open_episodes = 0`,
    );
    await follow(await build(tick(), context));
    sink.assertOnly(1);
    expect(sink.pushes[0]).toMatchObject({
      title: '🟢 A quiet night: no alerts',
      text: 'Tue 3 Feb 18:00 → Wed 4 Feb 08:00 (Europe/London)',
    });
  });
});

/** What only the local engine has: switches, silence, violations, ticks, and the manner of its end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createBroker, type Broker, type BrokerOptions } from '../../../eventing/local/broker.ts';
import { FUNCTION_NAMES } from '../../../eventing/local/functions.ts';
import { startSubscriber, type Subscriber } from './subscriber.ts';

const BASE = join(import.meta.dirname, '../../../eventing/base');
/** A type with one Trigger. */
const HEARD_ONCE = 'dev.alertgest.notice.classified';
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

let subscriber: Subscriber;
let broker: Broker;

beforeEach(async () => {
  subscriber = await startSubscriber();
});

afterEach(async () => {
  await broker.close(0).catch(() => undefined);
  await subscriber.close();
});

describe('the manifests of eventing/base', () => {
  it('reach every function by its Trigger', async () => {
    await start();
    await publish('dev.alertgest.notice.received');
    await publish('dev.alertgest.notice.admitted');
    await publish('dev.alertgest.digest.due');
    await publish('dev.alertgest.notice.held');
    await broker.idle();

    expect(delivered()).toEqual([
      'build-digest-digest-due',
      'classify-explain-notice-received',
      'classify-notice-received',
      'notify-notice-admitted',
    ]);
    expect(subscriber.seen('/explain')).toHaveLength(1);
    expect(broker.stats.counts).toMatchObject({ accepted: 4, delivered: 4, lost: 0 });
  });

  it('tick the sweep at receive and the digest at build-digest', async () => {
    await start();

    expect(await broker.tick('sweep')).toBe(204);
    expect(await broker.tick('digest')).toBe(202);
    await broker.idle();
    expect(subscriber.seen('/').map(({ headers }) => headers['ce-tick'])).toEqual(['sweep', 'digest']);
    expect(delivered()).toEqual(['build-digest-tick']);
  });

  it('send a dead letter to receive', async () => {
    await start();
    subscriber.script('n1', ({ path }) => ({ status: path === '/dead-letters' ? 204 : 400 }));
    await publish(HEARD_ONCE, 'n1');
    await broker.idle();

    expect(subscriber.seen('/dead-letters', 'n1')).toHaveLength(1);
    expect(broker.stats.counts).toMatchObject({ failed: 1, 'dead-lettered': 1, lost: 0 });
  });

  it('need an address for every Service', async () => {
    await start();
    const services = { ...servicesAt(subscriber.url), notify: undefined } as unknown as Record<
      string,
      string
    >;

    await expect(createBroker({ manifests: BASE, services, log: QUIET })).rejects.toThrow(
      /Trigger notify-\S+ points at Service notify, which has no address/,
    );
  });

  it('take other schedules, for PingSources there are', async () => {
    await start({ schedules: { sweep: { schedule: '* * * * * *' } } });
    broker.startSchedules();
    await subscriber.waitFor('/', undefined, 1);

    await expect(start({ schedules: { nonsense: {} } })).rejects.toThrow(/nonsense/);
  });
});

describe('switches', () => {
  it('deliver twice', async () => {
    await start({ switches: { duplicate: 1 } });
    await publish(HEARD_ONCE);
    await broker.idle();

    expect(subscriber.seen('/')).toHaveLength(2);
  });

  it('deliver out of order, and the same way again for the same seed', async () => {
    const subjects = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const orders: string[][] = [];
    for (const round of [1, 2]) {
      await start({ switches: { reorderMs: 600 }, seed: 3 });
      for (const subject of subjects) await publish(HEARD_ONCE, subject);
      await broker.idle();
      orders.push(subscriber.seen('/').map(({ subject }) => subject));
      if (round === 1) await broker.close();
      await subscriber.close();
      subscriber = await startSubscriber();
    }

    expect(orders[0]).not.toEqual(subjects);
    expect(orders[0]?.toSorted()).toEqual(subjects.toSorted());
    expect(orders[1]?.[0]).toBe(orders[0]?.[0]);
  });

  it('forget what was accepted, by a choice that is made while it runs', async () => {
    await start();
    broker.switches.dropAfterAccept = ({ subject }) => subject === 'forgotten';

    expect(await publish(HEARD_ONCE, 'forgotten')).toBe(202);
    expect(await publish(HEARD_ONCE, 'kept')).toBe(202);
    await broker.idle();
    expect(subscriber.seen('/').map(({ subject }) => subject)).toEqual(['kept']);
    expect(broker.stats.counts).toMatchObject({ accepted: 2, dropped: 1, delivered: 1 });
  });

  it('refuse what does not fit the queue', async () => {
    await start({ switches: { queueMax: 0 } });

    expect(await publish(HEARD_ONCE)).toBe(500);
    broker.switches.queueMax = Infinity;
    expect(await publish(HEARD_ONCE)).toBe(202);
  });

  it('make an asynchronous Broker wait', async () => {
    await start({ switches: { sync: true } });
    subscriber.script('n1', { afterMs: 200 });
    await publish(HEARD_ONCE, 'n1');

    expect(broker.stats.counts.delivered).toBe(1);
  });
});

describe('idle', () => {
  it('waits for retries and for what replies set off', async () => {
    await start();
    subscriber.script('n1', ({ headers }, nth) => {
      if (headers['ce-type'] !== HEARD_ONCE) return { afterMs: 50 };
      if (nth === 1) return { status: 503 };
      return { status: 200, headers: headersOf('dev.alertgest.notice.admitted', 'n1'), body: '{}' };
    });
    await publish(HEARD_ONCE, 'n1');
    await broker.idle();

    expect(delivered()).toEqual(['notify-notice-admitted', 'suppress-check-notice-classified']);
  });

  it('throws when a violation was seen, if strict', async () => {
    await start({ strict: true });
    subscriber.script('n1', ({ path }) => (path === '/' ? { status: 400, body: 'x'.repeat(800) } : {}));
    await publish(HEARD_ONCE, 'n1');

    await expect(broker.idle()).rejects.toThrow(/error-body/);
  });

  it('counts an event over 64 KiB as a violation, and still carries it', async () => {
    await start();
    await publish(HEARD_ONCE, 'n1', JSON.stringify({ long: 'x'.repeat(70_000) }));
    await broker.idle();

    expect(broker.stats.violations).toMatchObject([{ rule: 'event-size' }]);
    expect(subscriber.seen('/', 'n1')[0]?.body.length).toBeGreaterThan(70_000);
  });
});

describe('close', () => {
  it('lets a delivery finish that is under way', async () => {
    await start();
    subscriber.script('n1', { afterMs: 200 });
    await publish(HEARD_ONCE, 'n1');
    await broker.close();

    expect(broker.stats.counts).toMatchObject({ delivered: 1 });
  });

  it('gives up on what does not finish in time', async () => {
    await start();
    subscriber.script('n1', { instead: 'hang' });
    await publish(HEARD_ONCE, 'n1');
    const before = Date.now();
    await broker.close(200);

    expect(Date.now() - before).toBeLessThan(2_000);
    expect(broker.stats.counts).toMatchObject({ lost: 1 });
  });
});

describe('manifests', () => {
  it('without a Broker are refused', async () => {
    await start();
    const folder = mkdtempSync(join(tmpdir(), 'engine-'));
    writeFileSync(join(folder, 'none.yaml'), '');

    await expect(createBroker({ manifests: folder, services: {}, log: QUIET })).rejects.toThrow(/no Broker/);
    rmSync(folder, { recursive: true });
  });
});

async function start(options: Partial<BrokerOptions> = {}): Promise<void> {
  broker = await createBroker({
    manifests: BASE,
    services: servicesAt(subscriber.url),
    log: QUIET,
    ...options,
  });
}

function servicesAt(url: string): Record<string, string> {
  return Object.fromEntries(FUNCTION_NAMES.map((name) => [name, url]));
}

function headersOf(type: string, subject: string): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-id': `${subject}.${type}`,
    'ce-source': '/test',
    'ce-type': type,
    'ce-subject': subject,
    'content-type': 'application/json',
  };
}

async function publish(type: string, subject = 'n0', body = '{}'): Promise<number> {
  const { status } = await fetch(broker.url, { method: 'POST', headers: headersOf(type, subject), body });
  return status;
}

function delivered(): string[] {
  return broker.stats.entries
    .filter(({ what }) => what === 'delivered')
    .map(({ trigger }) => trigger ?? '')
    .sort();
}

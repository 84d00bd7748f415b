/**
 * What the functions rely on from a broker, as one suite: it judges the local engine, and a real Knative Eventing.
 *
 * Against a real broker: start this suite where pods can reach it, with
 *   BROKER_URL        the async Broker, such as http://broker-ingress.knative-eventing.svc.cluster.local/conformance/async
 *   SUBSCRIBER_PORT   the port to listen on, on all interfaces
 * after this, with SUBSCRIBER_URL the address under which pods reach that port:
 *   kubectl create namespace conformance
 *   cd test/integration/eventing/conformance
 *   for f in *.yaml; do sed "s#http://subscriber.invalid#$SUBSCRIBER_URL#" $f | kubectl apply -f -; done
 * What only an engine under our control can show is skipped there; each such test says why.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createBroker, type Broker } from '../../../eventing/local/broker.ts';
import { startSubscriber, type Reply, type Seen, type Subscriber } from './subscriber.ts';

const REAL_URL = process.env['BROKER_URL'];
const isReal = REAL_URL !== undefined;
const FOLDER = join(import.meta.dirname, 'conformance');
/** Longer than three timeouts of a second with their backoff. */
const REAL_SETTLE_MS = 6_000;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

let subscriber: Subscriber;
let broker: Broker | undefined;
let asyncUrl: string;
let syncUrl: string;
let folder: string;

beforeAll(async () => {
  subscriber = await startSubscriber(
    Number(process.env['SUBSCRIBER_PORT'] ?? 0),
    isReal ? '0.0.0.0' : '127.0.0.1',
  );
  folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  for (const name of readdirSync(FOLDER)) {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    writeFileSync(join(folder, name), text.replaceAll('http://subscriber.invalid', subscriber.url));
  }
  if (!isReal) broker = await createBroker({ manifests: folder, services: {}, log: QUIET });
  asyncUrl = REAL_URL ?? broker?.url ?? '';
  syncUrl = asyncUrl.replace(/async$/, 'sync');
});

afterAll(async () => {
  await broker?.close();
  await subscriber.close();
  rmSync(folder, { recursive: true });
});

describe('a subscriber that accepts', () => {
  it.each([200, 202, 204])('gets an event once when it answers %i without a body', async (status) => {
    const { seen, dead } = await play('answers', { status });

    expect(seen).toHaveLength(1);
    expect(dead).toHaveLength(0);
  });

  it('sees the event as it was sent, with what a broker adds and nothing it keeps to itself', async () => {
    const subject = randomUUID();
    await publish('answers', subject, {
      headers: { 'ce-severity': 'critical', traceparent: TRACE, 'x-own': 'dropped' },
      body: '{ "as": "sent" }',
    });
    const [{ headers, body } = never()] = await subscriber.waitFor('/answers', subject, 1);

    expect(body).toBe('{ "as": "sent" }');
    expect(headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-type': 'conformance.answers',
      'ce-subject': subject,
      'ce-severity': 'critical',
      'content-type': 'application/json',
      'kn-namespace': 'conformance',
      prefer: 'reply',
    });
    expect(Date.parse(String(headers['ce-knativearrivaltime']))).not.toBeNaN();
    expect(String(headers['traceparent'])).toContain(TRACE.split('-')[1]);
    expect(headers).not.toHaveProperty('ce-knativebrokerttl');
    expect(headers).not.toHaveProperty('x-own');
  });

  it.each([200, 202])('has its reply published when it answers %i with an event', async (status) => {
    const { seen, subject, dead } = await play('asks', (one) =>
      one.path === '/asks' ? { status, ...replyTo(one, 'answered') } : {},
    );
    const [answered, ...more] = await subscriber.waitFor('/answered', subject, 1);

    expect(seen).toHaveLength(1);
    expect(answered?.headers).toMatchObject({ 'ce-type': 'conformance.answered', 'ce-id': `re-${subject}` });
    expect(more).toHaveLength(0);
    expect(dead).toHaveLength(0);
  });

  it('may reply with a structured event', async () => {
    const { subject } = await play('asks', ({ path, subject }) => {
      if (path !== '/asks') return {};
      const event = {
        specversion: '1.0',
        id: 're',
        source: '/s',
        type: 'conformance.answered',
        subject,
        data: { ok: 1 },
      };
      const headers = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
      return { status: 200, headers, body: JSON.stringify(event) };
    });
    const [answered] = await subscriber.waitFor('/answered', subject, 1);

    expect(JSON.parse(answered?.body ?? '')).toEqual({ ok: 1 });
  });

  it('is called once for each of two Triggers that point at it', async () => {
    const subject = randomUUID();
    await publish('twice', subject);
    await settle();

    expect(subscriber.seen('/twice', subject)).toHaveLength(2);
  });
});

describe('a subscriber that fails', () => {
  it.each([400, 401, 403, 405, 410, 413, 415, 422])(
    'is asked once and no more when it answers %i',
    async (status) => {
      const { seen, dead } = await play('answers', { status, body: 'no, thanks' });

      expect(seen).toHaveLength(1);
      expect(dead).toHaveLength(1);
      expectErrorAttributes(dead[0], status, 'no, thanks');
    },
  );

  it.each([404, 408, 409, 429, 500, 503])('is asked again when it answers %i', async (status) => {
    const { seen, dead } = await play('answers', { status, body: 'not now' });

    expect(seen).toHaveLength(3);
    expect(dead).toHaveLength(1);
    expectErrorAttributes(dead[0], status, 'not now');
  });

  it('is left alone once it accepts', async () => {
    const { seen, dead } = await play('answers', (_, nth) => ({ status: nth === 1 ? 503 : 204 }));

    expect(seen).toHaveLength(2);
    expect(dead).toHaveLength(0);
  });

  it.each([
    [
      'a body that is no event',
      { status: 200, body: '{"ok":1}', headers: { 'content-type': 'application/json' } },
    ],
    [
      'an event without an id',
      { status: 200, headers: { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/' } },
    ],
  ] satisfies Array<[string, Reply]>)('is asked again when its 200 has %s', async (_, reply) => {
    const { seen, dead } = await play('answers', reply);

    expect(seen).toHaveLength(3);
    expect(dead).toHaveLength(1);
    expect(dead[0]?.headers).not.toHaveProperty('ce-knativeerrorcode');
  });

  it.each(['hang', 'reset'] as const)('is asked again when it does not answer: %s', async (instead) => {
    const { seen, dead } = await play('answers', { instead });

    expect(seen).toHaveLength(3);
    expect(dead).toHaveLength(1);
    expect(dead[0]?.headers).not.toHaveProperty('ce-knativeerrorcode');
  });

  it('is asked again at once, then after one delay, when the backoff is linear', async () => {
    const { seen } = await play('answers', { status: 500 });
    const [first = 0, second = 0, third = 0] = seen.map(({ at }) => at);

    expect(second - first).toBeLessThan(200);
    expect(third - second).toBeGreaterThanOrEqual(290);
  });

  it('is asked again after one and two delays when the backoff is exponential', async () => {
    const { seen } = await play('exponential', { status: 500 });
    const [first = 0, second = 0, third = 0] = seen.map(({ at }) => at);

    expect(second - first).toBeGreaterThanOrEqual(190);
    expect(third - second).toBeGreaterThanOrEqual(390);
  });

  it('leaves the original event and its hops in the dead letter', async () => {
    const { dead, subject } = await play('answers', { status: 400 });

    expect(dead[0]?.headers).toMatchObject({ 'ce-type': 'conformance.answers', 'ce-id': subject });
    expect(dead[0]?.headers).toHaveProperty('ce-knativebrokerttl');
    expect(dead[0]?.body).toBe('{}');
  });
});

describe('a delivery', () => {
  it("of a Trigger replaces the Broker's as a whole, except for the dead-letter sink", async () => {
    const { seen, subject } = await play('timeout-only', { status: 500 });

    expect(seen).toHaveLength(1);
    expect(subscriber.seen('/dead/broker', subject)).toHaveLength(1);
  });

  it("is the Broker's when the Trigger has none", async () => {
    const { seen, subject } = await play('inherits', { status: 500 });

    expect(seen).toHaveLength(2);
    expect(subscriber.seen('/dead/broker', subject)).toHaveLength(1);
  });
});

describe('filters', () => {
  it.each([
    [{ 'ce-kind': 'aa-1' }, 1],
    [{ 'ce-kind': '1-zz' }, 1],
    [{ 'ce-kind': 'other' }, 0],
    [{}, 0],
    [{ 'ce-kind': 'aa-1', 'ce-muted': 'yes' }, 0],
    [{ 'ce-kind': 'aa-1', 'ce-muted': 'no' }, 1],
  ])('let %j through %i times', async (headers, times) => {
    const subject = randomUUID();
    await publish('filtered', subject, { headers });
    await settle();

    expect(subscriber.seen('/filtered', subject)).toHaveLength(times);
  });

  it('take the empty string as any value, but not as none', async () => {
    const [present, absent] = [randomUUID(), randomUUID()];
    await publish('any-value', present, { headers: { 'ce-kind': 'x' } });
    await publish('any-value', absent);
    await settle();

    expect(subscriber.seen('/any-value', present)).toHaveLength(1);
    expect(subscriber.seen('/any-value', absent)).toHaveLength(0);
  });
});

describe('hops', () => {
  it('run out in a loop of replies, whose last event is dead-lettered by the broker', async () => {
    const { seen, dead } = await play('loops', (one) => ({ status: 200, ...replyTo(one, 'loops') }), 15_000);

    expect(seen).toHaveLength(255);
    expect(dead).toHaveLength(1);
    expect(dead[0]?.headers).toMatchObject({ 'ce-knativeerrorcode': '400' });
  });

  it('are counted at the door', async () => {
    expect(await publish('answers', randomUUID(), { headers: { 'ce-knativebrokerttl': '1' } })).toBe(400);
    expect(await publish('answers', randomUUID(), { headers: { 'ce-knativebrokerttl': '2' } })).toBe(202);
  });
});

describe('the door', () => {
  const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'conformance.nobody' };
  const structured = { specversion: '1.0', id: '1', source: '/s', type: 'conformance.nobody' };

  it.each([
    ['OPTIONS', '/conformance/async', 200],
    ['GET', '/conformance/async', 405],
    ['PUT', '/conformance/async', 405],
    ['POST', '/conformance/nowhere', 404],
    ['POST', '/conformance', 400],
    ['POST', '/conformance/async/more', 400],
  ])('answers %s %s with %i', async (method, path, status) => {
    const response = await fetch(new URL(path, asyncUrl), {
      method,
      ...(method === 'POST' && { headers: event, body: '{}' }),
    });

    expect(response.status).toBe(status);
  });

  it.each([
    ['what is no event', { 'content-type': 'application/json' }, '{"foo":1}'],
    ['a binary event without an id', { ...event, 'ce-id': '' }, '{}'],
    ['another specversion', { ...event, 'ce-specversion': '0.2' }, '{}'],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, JSON.stringify([structured])],
    ['a structured event without an id', STRUCTURED, JSON.stringify({ ...structured, id: undefined })],
    ['a structured event that is not JSON', STRUCTURED, '{'],
  ])('refuses %s', async (_, headers, body) => {
    expect(await post(asyncUrl, headers, body)).toBe(400);
  });

  it.each([
    ['a binary event without data', event, undefined],
    ['a structured event', STRUCTURED, JSON.stringify(structured)],
    [
      'charset in capitals',
      { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
      JSON.stringify(structured),
    ],
  ])('takes %s', async (_, headers, body) => {
    expect(await post(asyncUrl, headers, body)).toBe(202);
  });
});

describe('a sender', () => {
  it('does not wait for deliveries when the Broker is asynchronous', async () => {
    const subject = randomUUID();
    subscriber.script(subject, { afterMs: 600 });
    const before = Date.now();

    expect(await publish('answers', subject)).toBe(202);
    expect(Date.now() - before).toBeLessThan(400);
  });

  it('waits for the slowest delivery when the Broker is synchronous', async () => {
    const subject = randomUUID();
    subscriber.script(subject, { afterMs: 600 });
    const before = Date.now();

    expect(await publish('sync-waits', subject, {}, syncUrl)).toBe(202);
    expect(Date.now() - before).toBeGreaterThanOrEqual(590);
  });

  it('is answered 202 when every event it waited for is dead-lettered', async () => {
    const subject = randomUUID();
    subscriber.script(subject, { status: 500 });

    expect(await publish('sync-waits', subject, {}, syncUrl)).toBe(202);
    expect(subscriber.seen('/dead/sync-waits', subject)).toHaveLength(1);
  });

  it('is answered 500 when one delivery is lost, though another one went well', async () => {
    const subject = randomUUID();
    subscriber.script(subject, ({ path }) => ({ status: path === '/sync-lost' ? 500 : 204 }));

    expect(await publish('sync-lost', subject, {}, syncUrl)).toBe(500);
    expect(subscriber.seen('/sync-lost', subject)).toHaveLength(2);
    expect(subscriber.seen('/sync-good', subject)).toHaveLength(1);
  });

  it('takes the deliveries with it when it leaves a synchronous Broker', async () => {
    const subject = randomUUID();
    subscriber.script(subject, { status: 500 });
    await expect(
      fetch(syncUrl, {
        method: 'POST',
        headers: headersOf('sync-left', subject),
        body: '{}',
        signal: AbortSignal.timeout(300),
      }),
    ).rejects.toThrow(/timeout/);
    await sleep(1_500);

    expect(subscriber.seen('/sync-left', subject)).toHaveLength(2);
    expect(subscriber.seen('/dead/sync-left', subject)).toHaveLength(0);
  });
});

describe('a PingSource', () => {
  it('sends its event by its schedule, with another id every time', async () => {
    broker?.startSchedules();
    const [first, second] = await subscriber.waitFor('/ping', undefined, 2, 15_000);

    expect(first?.headers).toMatchObject({
      'ce-type': 'dev.knative.sources.ping',
      'ce-source': '/apis/v1/namespaces/conformance/pingsources/every-two-seconds',
      'ce-tick': 'conformance',
      'content-type': 'application/json',
    });
    expect(first?.body).toBe('{"ping":true}');
    expect(first?.headers['ce-id']).not.toBe(second?.headers['ce-id']);
  });
});

describe('an error body', () => {
  it.skipIf(isReal)(
    'over 768 bytes is a violation, since it crashes the dispatcher of a cluster (so never run there)',
    async () => {
      const before = broker?.stats.violations.length ?? 0;
      await play('answers', { status: 500, body: 'x'.repeat(768) });
      expect(broker?.stats.violations).toHaveLength(before);

      await play('answers', { status: 500, body: 'x'.repeat(769) });
      expect(broker?.stats.violations.slice(before)).toEqual([
        { rule: 'error-body', trigger: 'answers', type: 'conformance.answers', bytes: 769 },
      ]);
    },
  );
});

interface Extra {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Publishes one event that the subscriber answers by script, and waits until all is over. */
async function play(
  name: string,
  reply: Reply | ((seen: Seen, nth: number) => Reply),
  settleMs?: number,
): Promise<{ subject: string; seen: Seen[]; dead: Seen[] }> {
  const subject = randomUUID();
  subscriber.script(subject, reply);
  expect(await publish(name, subject)).toBe(202);
  await settle(settleMs);
  return {
    subject,
    seen: subscriber.seen(`/${name}`, subject),
    dead: subscriber.seen(`/dead/${name}`, subject),
  };
}

async function publish(name: string, subject: string, extra: Extra = {}, url = asyncUrl): Promise<number> {
  return post(url, { ...headersOf(name, subject), ...extra.headers }, extra.body ?? '{}');
}

function headersOf(name: string, subject: string): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-id': subject,
    'ce-source': '/conformance',
    'ce-type': `conformance.${name}`,
    'ce-subject': subject,
    'content-type': 'application/json',
  };
}

async function post(url: string, headers: Record<string, string>, body: string | undefined): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers, ...(body !== undefined && { body }) });
  await response.arrayBuffer();
  return response.status;
}

async function settle(realMs = REAL_SETTLE_MS): Promise<void> {
  if (broker) await broker.idle();
  else await sleep(realMs);
}

function replyTo({ subject }: Seen, name: string): Required<Pick<Reply, 'headers' | 'body'>> {
  return { headers: { ...headersOf(name, subject), 'ce-id': `re-${subject}` }, body: '{}' };
}

function expectErrorAttributes(dead: Seen | undefined, status: number, body: string): void {
  expect(dead?.headers).toMatchObject({
    'ce-knativeerrorcode': String(status),
    'ce-knativeerrordata': Buffer.from(body).toString('base64'),
  });
  expect(dead?.headers['ce-knativeerrordest']).toContain('/answers');
}

function never(): never {
  throw new Error('nothing was seen');
}

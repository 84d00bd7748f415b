import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLoki } from '../../../shared/loki.ts';
import type { LokiOptions } from '../../../shared/loki.ts';

const question = {
  namespace: 'production',
  workload: 'api',
  from: new Date('2026-01-14T21:50:00Z'),
  to: new Date('2026-01-14T22:05:00Z'),
};
const live = AbortSignal.timeout(60_000);

let server: http.Server;
let url = '';
let last: http.IncomingMessage | undefined;
let answer: (outgoing: http.ServerResponse) => void = () => undefined;
beforeAll(async () => {
  server = http.createServer((incoming, outgoing) => {
    last = incoming;
    answer(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const connect = (overrides: Partial<LokiOptions> = {}): ReturnType<typeof createLoki> =>
  createLoki({
    url,
    token: null,
    user: null,
    password: null,
    tenant: null,
    maxLines: 3,
    timeoutMs: 500,
    ...overrides,
  });
const reply =
  (status: number, body: unknown) =>
  (outgoing: http.ServerResponse): void =>
    void outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const lines = (...values: Array<[string, string]>): unknown => ({
  status: 'success',
  data: { resultType: 'streams', result: [{ stream: { pod: 'api-1' }, values }] },
});

describe('Loki', () => {
  it('is asked for the workload’s lines of a time, newest first and bounded', async () => {
    answer = reply(200, lines(['1', 'old'], ['4', 'd'], ['2', 'b'], ['3', 'c']));
    expect(await connect({ tenant: 'home', token: 'secret' }).read(question, live)).toEqual({
      ok: true,
      lines: ['d', 'c', 'b'],
    });
    const asked = new URL(last?.url ?? '', url);
    expect(asked.pathname).toBe('/loki/api/v1/query_range');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      query: '{namespace="production", pod=~"api(-.*)?"}',
      start: '1768427400000000000',
      end: '1768428300000000000',
      limit: '3',
      direction: 'backward',
    });
    expect(last?.headers).toMatchObject({ 'x-scope-orgid': 'home', authorization: 'Bearer secret' });
  });

  it('takes user and password', async () => {
    answer = reply(200, lines());
    await connect({ user: 'reader', password: 'pass' }).read(question, live);
    expect(last?.headers.authorization).toBe(`Basic ${Buffer.from('reader:pass').toString('base64')}`);
  });

  it.each([
    [401, 'not allowed to look'],
    [429, 'too many questions'],
    [500, 'status 500'],
  ])('that answers %i is left out with a reason', async (status, why) => {
    answer = reply(status, {});
    expect(await connect().read(question, live)).toEqual({ ok: false, why });
  });

  it('that is slow, speaks nonsense, floods or is not there is left out with a reason', async () => {
    answer = () => undefined;
    expect(await connect().read(question, live)).toEqual({ ok: false, why: 'no answer in time' });
    answer = reply(200, { data: 'nonsense' });
    expect(await connect().read(question, live)).toMatchObject({
      ok: false,
      why: expect.stringContaining('not Loki'),
    });
    answer = reply(200, lines(['1', 'x'.repeat(3 * 1024 * 1024)]));
    expect(await connect({ timeoutMs: 3_000 }).read(question, live)).toEqual({
      ok: false,
      why: 'too many lines',
    });
    expect(await connect({ url: 'http://127.0.0.1:9' }).read(question, live)).toEqual({
      ok: false,
      why: 'no answer',
    });
  });

  it('is never asked with a name that could change the question', async () => {
    last = undefined;
    const hostile = { ...question, workload: 'api"} or {job=~".+' };
    expect(await connect().read(hostile, live)).toMatchObject({ ok: false });
    expect(last).toBeUndefined();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'alertgest-replay-'));
const NIGHT = join(folder, 'night.jsonl');
const START_MS = Date.parse('2026-03-10T18:00:00Z');
const toLine = (index: number): string =>
  JSON.stringify({
    seq: index,
    t: index,
    at: new Date(START_MS + index * 1_000).toISOString(),
    dup: null,
    body: {
      number: index,
      alerts: [
        { labels: { alertname: 'A' }, startsAt: '2026-03-10T17:59:00Z', endsAt: '0001-01-01T00:00:00Z' },
      ],
    },
  });
writeFileSync(NIGHT, Array.from({ length: 5 }, (_, index) => toLine(index)).join('\n'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly number: number; readonly alerts: ReadonlyArray<Record<string, string>> };
}

let server: Server;
let url: string;
let seen: Seen[];
let statuses: number[];

beforeEach(async () => {
  seen = [];
  statuses = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const status = statuses.shift() ?? 200;
        seen.push({
          headers: request.headers,
          body: JSON.parse(Buffer.concat(chunks).toString()) as Seen['body'],
        });
        if (status === 0) return request.socket.destroy();
        return response.writeHead(status).end('{"notices":[]}');
      });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

const replay = (...flags: string[]): ReturnType<typeof runCli> =>
  runCli(['replay', NIGHT, '--url', url, ...flags]);
const numbers = (): number[] => seen.map(({ body }) => body.number);

it('posts in order, each with its time and the token', async () => {
  const { code, stdout, stderr } = await replay('--token', 'a-token-of-the-test');
  expect(code).toBe(0);
  expect(numbers()).toEqual([0, 1, 2, 3, 4]);
  expect(seen[2]?.headers).toMatchObject({
    'x-alertgest-received-at': '2026-03-10T18:00:02.000Z',
    authorization: 'Bearer a-token-of-the-test',
  });
  expect(stdout).toMatch(/^posts +5\nalerts +5 stored, .*\nnon-2xx +none\nduration /);
  expect(stderr).toContain('100 %');
});

it('sends again after 503 and a broken connection, without a gap and without changing the order', async () => {
  statuses = [200, 503, 0, 200];
  const { code, stdout } = await replay();
  expect(code).toBe(0);
  expect(numbers()).toEqual([0, 1, 1, 1, 2, 3, 4]);
  expect(stdout).toContain('posts     5 (2 sent again after a failure)');
});

it('counts what is refused, goes on, and exits 1', async () => {
  statuses = [200, 400];
  const { code, stdout } = await replay();
  expect(code).toBe(1);
  expect(numbers()).toEqual([0, 1, 2, 3, 4]);
  expect(stdout).toContain('non-2xx   1 × 400');
});

it('stops at once when the token is wrong', async () => {
  statuses = [401];
  const { code, stderr } = await replay();
  expect(code).toBe(1);
  expect(stderr).toContain('wants a token');
  expect(seen).toHaveLength(1);
});

it('moves the night so that its last post is now', async () => {
  const before = Date.now();
  await replay('--shift-to', 'now');
  const last = Date.parse(String(seen.at(-1)?.headers['x-alertgest-received-at']));
  expect(last).toBeGreaterThanOrEqual(before);
  expect(last).toBeLessThanOrEqual(Date.now());
  const { startsAt = '', endsAt } = seen.at(-1)?.body.alerts[0] ?? {};
  expect(last - Date.parse(startsAt)).toBe(64_000);
  expect(endsAt).toBe('0001-01-01T00:00:00Z');
});

it('keeps the pace it is told', async () => {
  const startedAt = Date.now();
  await replay('--speed', '4');
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_000);
});

/** Processes on this machine and the gateway before them, with a few lines of JavaScript as functions. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  reserveServices,
  startFunctions,
  type Functions,
  type FunctionsOptions,
} from '../../../eventing/local/functions.ts';
import { createGateway, type Gateway } from '../../../eventing/local/gateway.ts';

const SCRIPT = `
const { createServer } = require('node:http');
const { env } = process;
console.log(JSON.stringify({ target: env.FUNCTION_TARGET, sink: env.K_SINK, own: env.OWN, inherited: env.VITEST }));
if (env.OWN === 'broken') { console.error('config is wrong'); process.exit(1); }
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    if (request.url === '/health') return response.end();
    if (request.url === '/crash') process.exit(3);
    const { method, url, headers } = request;
    response.writeHead(201, { 'ce-type': 'reply', 'content-type': 'application/json' });
    response.end(JSON.stringify({ target: env.FUNCTION_TARGET, method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
}).listen(Number(env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { console.log('bye'); server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

let folder: string;
let services: Record<string, string>;
let lines: string[];
let crashes: string[];
let functions: Functions | undefined;
let gateway: Gateway | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'functions-'));
  writeFileSync(join(folder, 'function.cjs'), SCRIPT);
  services = await reserveServices(['receive', 'console']);
  lines = [];
  crashes = [];
});

afterEach(async () => {
  await gateway?.close();
  await functions?.stop();
  gateway = functions = undefined;
  rmSync(folder, { recursive: true });
});

describe('startFunctions', () => {
  it('starts each as its own process with its environment and nothing else of ours', async () => {
    functions = await start({ env: (name) => ({ OWN: `own ${name}` }) });

    expect(functions.pid('receive')).not.toBe(functions.pid('console'));
    expect(functions.rss('receive')).toBeGreaterThan(10_000_000);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      expect.arrayContaining([
        { target: 'receive', sink: 'http://sink', own: 'own receive' },
        { target: 'console', sink: 'http://sink', own: 'own console' },
      ]),
    );
  });

  it('explains with the last lines why a function does not start, and leaves none behind', async () => {
    const env = (name: string) => ({ OWN: name === 'console' ? 'broken' : 'fine' });

    await expect(start({ env })).rejects.toThrow(
      /function console ended before it was ready[^]*config is wrong/,
    );
    await expect(fetch(`${services['receive']}/health`)).rejects.toThrow(/fetch failed/);
  });

  it('gives up on a function that does not listen', async () => {
    const command = () =>
      [process.execPath, '-e', 'console.log("here"); setInterval(() => {}, 1000)'] as const;

    await expect(start({ command, readyWithinMs: 500 })).rejects.toThrow(
      /did not answer \/health in 500 ms[^]*here/,
    );
  });

  it('restarts a function at the same address', async () => {
    functions = await start();
    const before = functions.pid('receive');
    await functions.restart('receive');

    expect(functions.pid('receive')).not.toBe(before);
    expect(lines).toContain('bye');
    expect((await fetch(`${services['receive']}/health`)).status).toBe(200);
    expect(crashes).toEqual([]);
  });

  it('kills one without asking, and starts it again', async () => {
    functions = await start();
    await functions.kill('receive', 'SIGKILL');

    expect(functions.rss('receive')).toBeUndefined();
    expect(lines).not.toContain('bye');
    await functions.start('receive');
    expect(functions.pid('receive')).toBeDefined();
  });

  it('tells of a function that ends by itself', async () => {
    functions = await start();
    await fetch(`${services['console']}/crash`).catch(() => undefined);

    await expect.poll(() => crashes).toEqual(['console 3']);
  });
});

describe('the gateway', () => {
  beforeEach(async () => {
    functions = await start();
    gateway = await createGateway({ services, port: 0 });
  });

  it.each([
    ['POST', '/api/v1/alerts', 'receive', '/api/v1/alerts'],
    ['POST', '/api/v1/alerts?x=1', 'receive', '/api/v1/alerts?x=1'],
    ['GET', '/api/v1/alerts', 'console', '/api/v1/alerts'],
    ['GET', '/', 'console', '/'],
    ['GET', '/d/token', 'console', '/d/token'],
    ['POST', '/functions/receive', 'receive', '/'],
    ['POST', '/functions/receive?dry_run', 'receive', '/?dry_run'],
    ['POST', '/functions/console/api/x?y=1', 'console', '/api/x?y=1'],
  ])('passes %s %s to %s as %s', async (method, path, target, url) => {
    const response = await fetch(`${gateway?.url}${path}`, {
      method,
      ...(method === 'POST' && { body: 'alerts' }),
    });

    expect(response.status).toBe(201);
    expect(response.headers.get('ce-type')).toBe('reply');
    expect(await response.json()).toMatchObject({
      target,
      method,
      url,
      body: method === 'POST' ? 'alerts' : '',
      headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': gateway?.url.slice('http://'.length) },
    });
  });

  it('adds to the addresses it was told, and keeps event headers', async () => {
    const headers = { 'x-forwarded-for': '10.0.0.1', 'ce-id': '7', authorization: 'Bearer t' };
    const response = await fetch(`${gateway?.url}/functions/receive`, { method: 'POST', headers });

    expect(await response.json()).toMatchObject({
      headers: { 'x-forwarded-for': '10.0.0.1, 127.0.0.1', 'ce-id': '7', authorization: 'Bearer t' },
    });
  });

  it('answers 502 while a function is down and 404 for one there is not', async () => {
    await functions?.kill('receive', 'SIGKILL');
    const down = await fetch(`${gateway?.url}/functions/receive`, { method: 'POST', body: 'x' });

    expect(down.status).toBe(502);
    expect(await down.json()).toEqual({ error: 'the function does not answer' });
    expect((await fetch(`${gateway?.url}/functions/nonsense`)).status).toBe(404);
  });

  it('streams: the first bytes arrive before the last are sent', async () => {
    const slow = createServer((_, response) => {
      response.write('first');
      setTimeout(() => response.end('last'), 300);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.listen(0, '127.0.0.1', resolve);
    await promise;
    const address = slow.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    const other = await createGateway({ services: { console: `http://127.0.0.1:${address.port}` }, port: 0 });
    const response = await fetch(other.url);
    const chunk = await response.body?.getReader().read();

    expect(Buffer.from(chunk?.value ?? []).toString()).toBe('first');
    await other.close();
    slow.closeAllConnections();
    slow.close();
  });
});

function start(options: Partial<FunctionsOptions> = {}): Promise<Functions> {
  return startFunctions({
    services,
    sink: 'http://sink',
    env: {},
    command: () => [process.execPath, join(folder, 'function.cjs')],
    onLine: (_, line) => lines.push(line),
    onCrash: (name, code) => crashes.push(`${name} ${code}`),
    ...options,
  });
}

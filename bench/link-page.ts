/** The page behind "Not concerning": how long a phone waits for it, over a bare node:http server that sends the same bytes. */
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheEnv } from '../build/warm.ts';
import { startMachine } from '../eventing/local/machine.ts';
import { makeAlert, makeWebhook } from './alerts.ts';
import { startPhone } from './phone.ts';
import type { Progress, Report } from './report.ts';

const VIEWS = 1_000;
const AT_ONCE = 4;
const WARM = 100;
const WAIT_MS = 15_000;

/** Measures the bundled console of `dist`. */
export async function measureLinkPage(progress: Progress, dist: string): Promise<Report> {
  const phone = await startPhone();
  const machine = await startMachine({
    env: {
      ...cacheEnv(dist),
      APP_LOG_LEVEL: 'warn',
      ALLOW_UNAUTHENTICATED: 'true',
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      ...phone.env,
    },
    port: 0,
    dataFolder: null,
    installRedis: false,
    say: progress,
    schedules: false,
    bundled: true,
  });
  try {
    const alert = makeAlert('link', 0, new Date(Date.now() - 60_000).toISOString());
    await fetch(`${machine.url}/api/v1/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: makeWebhook([alert]),
    });
    const deadline = performance.now() + WAIT_MS;
    while (phone.pushes.length === 0 && performance.now() < deadline) await sleep(20);
    const link = phone.pushes[0]?.link ?? '';
    const path = new URL(link).pathname;
    const page = await (await fetch(link)).text();
    const bare = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
    bare.listen(0, '127.0.0.1');
    await once(bare, 'listening');
    const targets = new Map([
      ['node:http with the same bytes', `http://127.0.0.1:${(bare.address() as AddressInfo).port}/`],
      ['link page', `${machine.services['console'] ?? ''}${path}`],
    ]);
    const times = new Map<string, number[]>([...targets.keys()].map((name) => [name, []]));
    for (let round = -WARM; round < VIEWS; round += AT_ONCE) {
      if (round % 100 === 0) progress(`link page: ${Math.max(0, round)} of ${VIEWS} views`);
      for (const [name, url] of targets) {
        const views = await Promise.all(Array.from({ length: AT_ONCE }, () => view(url)));
        if (round >= 0) times.get(name)?.push(...views);
      }
    }
    bare.close();
    bare.closeAllConnections();
    return toReport(times, Buffer.byteLength(page));
  } finally {
    await machine.stop();
    phone.close();
  }
}

function toReport(times: ReadonlyMap<string, readonly number[]>, bytes: number): Report {
  const at = (name: string, share: number): number =>
    (times.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor(share * VIEWS)] ?? Number.NaN;
  return {
    name: 'link page',
    notes: [`${VIEWS} views, ${AT_ONCE} at a time, of a page of ${bytes} bytes, interleaved`],
    columns: ['server', 'p50 ms', 'p99 ms'],
    rows: [...times.keys()].map((name) => [
      name,
      Number(at(name, 0.5).toFixed(2)),
      Number(at(name, 0.99).toFixed(2)),
    ]),
    verdicts: [
      { what: 'link page, p99', value: Number(at('link page', 0.99).toFixed(1)), goal: null, unit: ' ms' },
    ],
  };
}

function view(url: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  get(url, { agent: false }, (incoming) => {
    if (incoming.statusCode !== 200) reject(new Error(`the page answered ${String(incoming.statusCode)}`));
    incoming.resume().on('end', () => resolve(performance.now() - startedAt));
  }).on('error', reject);
  return promise;
}

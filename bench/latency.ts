/**
 * From Alertmanager to the phone: a real Alertmanager posts each alert to receive and, by a second receiver, straight to
 * a sink. What lies between the two arrivals is what alertgest costs: durable storage, three events, a decision, a push.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheEnv } from '../build/warm.ts';
import { startMachine } from '../eventing/local/machine.ts';
import { findAlertmanager, startAlertmanager } from '../test/support/alertmanager.ts';
import { startPhone } from './phone.ts';
import type { Progress, Report } from './report.ts';

const ALERTS = 200;
const EVERY_MS = 60;
const WARM = 20;
const WAIT_MS = 30_000;
const TOKEN = 'bench-token-of-no-value';

/** Measures the bundles of `dist`, everything on this machine. */
export async function measureLatency(progress: Progress, dist: string): Promise<Report> {
  const command = findAlertmanager();
  if (command === null) return toReport([], []);
  const phone = await startPhone();
  const direct = await startDirectSink();
  const machine = await startMachine({
    env: {
      ...cacheEnv(dist),
      APP_LOG_LEVEL: 'warn',
      RECEIVE_TOKEN: TOKEN,
      CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      STORM_INCIDENTS_PER_MINUTE: '10000',
      ...phone.env,
    },
    port: 0,
    dataFolder: null,
    installRedis: false,
    say: progress,
    schedules: false,
    bundled: true,
  });
  const alertmanager = await startAlertmanager(
    command,
    { url: machine.url, token: TOKEN },
    toConfig(machine.url, direct.url),
  );
  try {
    const fired = new Map<string, number>();
    for (let index = 0; index < ALERTS + WARM; index++) {
      if (index % 20 === 0) progress(`latency: ${index} of ${ALERTS + WARM} alerts`);
      const alertname = `Bench${String(index).padStart(4, '0')}`;
      fired.set(alertname, performance.now());
      await alertmanager.fire({ alertname, severity: 'warning', namespace: 'bench' });
      await sleep(EVERY_MS);
    }
    const deadline = performance.now() + WAIT_MS;
    while (phone.pushes.length < fired.size && performance.now() < deadline) await sleep(50);
    const pushed = new Map(phone.pushes.map(({ title, at }) => [/Bench\d{4}/.exec(title)?.[0] ?? title, at]));
    const names = [...fired.keys()].slice(WARM);
    const between = (to: ReadonlyMap<string, number>): number[] =>
      names.map((name) => (to.get(name) ?? Number.NaN) - (fired.get(name) ?? Number.NaN));
    return toReport(between(direct.arrivals), between(pushed));
  } finally {
    await alertmanager.stop();
    await machine.stop();
    phone.close();
    direct.close();
  }
}

function toReport(straight: readonly number[], through: readonly number[]): Report {
  const at = (times: readonly number[], share: number): number =>
    times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(share * times.length))] ??
    Number.NaN;
  const rows = [
    ['Alertmanager straight to the sink', straight],
    ['Alertmanager through alertgest', through],
  ] as const;
  return {
    name: 'webhook to push',
    notes:
      through.length === 0
        ? ['no Alertmanager on this machine: nothing was measured']
        : [
            `${ALERTS} alerts ${EVERY_MS} ms apart, from the post to Alertmanager (group_wait 0s) to the sink; all on this machine`,
            `${through.filter(Number.isNaN).length} of them never arrived`,
          ],
    columns: ['way', 'p50 ms', 'p99 ms'],
    rows:
      through.length === 0
        ? []
        : rows.map(([way, times]) => [way, round(at(times, 0.5)), round(at(times, 0.99))]),
    verdicts:
      through.length === 0
        ? []
        : [
            { what: 'p50 over straight', value: round(at(through, 0.5) / at(straight, 0.5)), goal: null },
            { what: 'p99 over straight', value: round(at(through, 0.99) / at(straight, 0.99)), goal: null },
          ],
  };
}

function toConfig(receive: string, sink: string): string {
  return `
route:
  receiver: direct
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - receiver: alertgest
      continue: true
    - receiver: direct
receivers:
  - name: alertgest
    webhook_configs:
      - url: ${receive}/api/v1/alerts
        http_config:
          authorization:
            credentials: ${TOKEN}
  - name: direct
    webhook_configs:
      - url: ${sink}
`;
}

/** What a receiver of Alertmanager's own would be: notes when each alert came. */
async function startDirectSink() {
  const arrivals = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const name = /Bench\d{4}/.exec(Buffer.concat(chunks).toString())?.[0];
      if (name !== undefined && !arrivals.has(name)) arrivals.set(name, performance.now());
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrivals,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

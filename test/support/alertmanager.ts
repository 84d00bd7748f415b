/** A real Alertmanager process with short timers that posts to our gateway. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../eventing/local/port.ts';

const COMMANDS = ['prometheus-alertmanager', 'alertmanager'] as const;
const START_WITHIN_MS = 15_000;

export interface Alertmanager {
  readonly url: string;
  /** Posts alerts as Prometheus does; without `endsAt` they fire until `resolve_timeout`. */
  fire(labels: Readonly<Record<string, string>>, times?: { startsAt?: Date; endsAt?: Date }): Promise<void>;
  /** Webhooks that our side answered 2xx, counted by Alertmanager itself. */
  delivered(): Promise<number>;
  stop(): Promise<void>;
}

/** The command of an Alertmanager on this machine; null, with a printed reason, when there is none. */
export function findAlertmanager(): string | null {
  const command = COMMANDS.find((name) => spawnSync(name, ['--version']).status === 0) ?? null;
  if (command === null)
    process.stderr.write(
      'alertmanager: skipped, neither prometheus-alertmanager nor alertmanager is on PATH\n',
    );
  return command;
}

/** Starts one that is part of no cluster; `configText` replaces the one route to `target`. */
export async function startAlertmanager(
  command: string,
  target: { url: string; token: string },
  configText = toConfig(target),
): Promise<Alertmanager> {
  const folder = mkdtempSync(join(tmpdir(), 'alertmanager-'));
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, configText);
  const port = await freePort();
  const child = spawn(
    command,
    [
      `--config.file=${config}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_WITHIN_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('Alertmanager did not start');
    await sleep(50);
  }
  return {
    url,
    async fire(labels, { startsAt = new Date(), endsAt } = {}) {
      const alert = {
        labels,
        annotations: { summary: 'made by a test' },
        startsAt,
        ...(endsAt && { endsAt }),
      };
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([alert]),
      });
      if (response.status !== 200) throw new Error(`Alertmanager answered ${await response.text()}`);
    },
    async delivered() {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const read = (name: string): number =>
        Number(new RegExp(`^${name}\\{integration="webhook".*\\} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
      return read('alertmanager_notifications_total') - read('alertmanager_notifications_failed_total');
    },
    async stop() {
      process.removeListener('exit', killNow);
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function toConfig({ url, token }: { url: string; token: string }): string {
  return `
route:
  receiver: alertgest
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 5s
receivers:
  - name: alertgest
    webhook_configs:
      - url: ${url}/api/v1/alerts
        send_resolved: true
        http_config:
          authorization:
            credentials: ${token}
`;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).status === 200;
  } catch {
    return false;
  }
}

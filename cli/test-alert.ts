/** test-alert: one alert through a live Alertmanager, and when each hop up to the push had it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { resolveEnvironment } from '../shared/env.ts';
import type { Environment } from '../shared/env.ts';
import { DependencyError } from '../shared/errors.ts';
import { HttpFailure, request } from '../shared/http.ts';
import { defineCommand, readInteger, readUrl, UsageError } from './command.ts';
import { createConsoleApi } from './console-api.ts';
import type { ConsoleApi, Delivery, Standing } from './console-api.ts';
import { readEnvironment } from './environment.ts';
import { cleanLine } from './terminal.ts';

/** How often the console is looked at, in milliseconds; a hop between two looks is told by the later one. */
const LOOK_EVERY_MS = 25;
const LINE_CHARS = 200;
const FINAL: ReadonlySet<string> = new Set(['notified', 'suppressed', 'held', 'digested', 'dead']);

export const command = defineCommand({
  help: `
test-alert: posts one alert to a live Alertmanager, waits until it is pushed, and prints when each hop had it, from the
console's API: received, classified, decided, sent. The alert has a name of its own, says that it is a test, and is resolved
afterwards. Exit code 1 when it was not pushed.

  --alertmanager URL   the Alertmanager (default ALERTMANAGER_URL)
  --url URL            the running alertgest (default http://127.0.0.1:8080); CONSOLE_TOKEN is its token
  --within SECONDS     how long to wait; Alertmanager's group_wait is part of it (default 120)

Example:
  ALERTMANAGER_URL=http://127.0.0.1:9093 npm run --silent alertgest -- test-alert`,
  flags: {
    alertmanager: { type: 'string' },
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    within: { type: 'string', default: '120' },
  },
  words: [],
  async run({ alertmanager, url, within }) {
    const env = resolveEnvironment(
      readEnvironment(process.env, (line) => void process.stderr.write(`${line}\n`)),
    );
    const to = readUrl('--alertmanager', alertmanager ?? readAddress(env));
    const api = createConsoleApi(readUrl('--url', url), env['CONSOLE_TOKEN'] ?? null);
    const withinMs = readInteger('--within', within, 1, 3_600) * 1_000;
    const name = `AlertgestTest${Date.now().toString(36)}`;
    const startedAt = new Date();
    const say = (hop: string, at: Date, words = ''): void => {
      const seconds = ((at.getTime() - startedAt.getTime()) / 1_000).toFixed(2);
      const line = `${hop.padEnd(11)} ${seconds.padStart(7)} s  ${cleanLine(words, LINE_CHARS)}`;
      process.stdout.write(`${line.trimEnd()}\n`);
    };
    await fire(to, name, startedAt, null);
    say('posted', new Date(), `${name} to Alertmanager`);
    try {
      const standing = await follow(api, name, startedAt.getTime() + withinMs, say);
      return tell(standing, await api.listDeliveries(standing.id), say);
    } finally {
      await fire(to, name, startedAt, new Date());
    }
  },
});

function readAddress({ ALERTMANAGER_URL: url }: Environment): string {
  if (url === undefined) throw new UsageError('set ALERTMANAGER_URL or name it: --alertmanager');
  return url;
}

/** Posts the alert, firing or over. */
async function fire(url: string, name: string, startsAt: Date, endsAt: Date | null): Promise<void> {
  const alert = {
    labels: { alertname: name, severity: 'warning', namespace: 'alertgest-test' },
    annotations: { summary: 'This is a test of the way from Alertmanager to you.' },
    startsAt,
    ...(endsAt !== null && { endsAt }),
  };
  const failure = 'Alertmanager did not take the alert';
  try {
    const { status, body } = await request({
      method: 'POST',
      url: `${url}/api/v2/alerts`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([alert]),
    });
    if (status !== 200) throw new DependencyError(`${failure}: ${status} ${cleanLine(body, LINE_CHARS)}`);
  } catch (error) {
    if (error instanceof HttpFailure) throw new DependencyError(failure, { cause: error });
    throw error;
  }
}

/** Watches the alert's news until it is final, and says each hop when it is first seen. */
async function follow(
  api: ConsoleApi,
  name: string,
  deadline: number,
  say: (hop: string, at: Date, words?: string) => void,
): Promise<Standing> {
  const said = new Set<string>();
  const sayOnce = (hop: string, at: Date, words?: string): void => {
    if (said.has(hop)) return;
    said.add(hop);
    say(hop, at, words);
  };
  for (;;) {
    const standing = await api.findNotice(name);
    const now = new Date();
    if (standing !== undefined) {
      sayOnce('received', standing.received_at);
      if (standing.status !== 'received') sayOnce('classified', now);
      if (!['received', 'classified'].includes(standing.status))
        sayOnce('decided', now, standing.why ?? standing.status);
      if (FINAL.has(standing.status)) return standing;
    }
    if (now.getTime() > deadline)
      throw new DependencyError(
        standing === undefined
          ? 'the alert never arrived: does Alertmanager have a route to alertgest? See doctor'
          : `the alert is still ${standing.status}: see doctor and the functions' logs`,
      );
    await sleep(LOOK_EVERY_MS);
  }
}

/** Says who was told, or why nobody was. */
function tell(
  { status, reason, why }: Standing,
  deliveries: readonly Delivery[],
  say: (hop: string, at: Date, words?: string) => void,
): number {
  for (const { channel, sent_at, status: state, last_error } of deliveries) {
    if (sent_at !== null) say('sent', sent_at, channel);
    else
      process.stdout.write(
        cleanLine(`not sent through ${channel}: ${last_error ?? state}`, LINE_CHARS) + '\n',
      );
  }
  if (status === 'notified') return 0;
  const because = [reason, why].filter((word) => word !== null).join(': ');
  process.stdout.write(cleanLine(`not pushed, ${status}: ${because}`, LINE_CHARS) + '\n');
  return 1;
}

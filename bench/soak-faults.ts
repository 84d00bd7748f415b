/** Faults at random but repeatable moments: processes killed, connections cut, a store restarted, a provider that fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../eventing/local/machine.ts';
import { startRedis } from '../eventing/local/redis.ts';
import type { RedisServer } from '../eventing/local/redis.ts';
import type { Sink, SinkAnswer } from '../test/support/sinks.ts';
import type { TcpProxy } from '../test/support/tcp-proxy.ts';

/** Mean time between two faults, in milliseconds. */
const EVERY_MS = 4_000;
/** A pause that a provider asks for, in seconds. */
const RETRY_AFTER_S = '2';

const ANSWERS: readonly SinkAnswer[] = [
  { status: 500 },
  { status: 503 },
  { status: 429, headers: { 'retry-after': RETRY_AFTER_S } },
  'reset',
  'hang',
];

export interface FaultStage {
  readonly machine: Machine;
  readonly postgres: TcpProxy;
  readonly redis: { readonly proxy: TcpProxy; server: RedisServer } | null;
  readonly sink: Sink;
  readonly random: () => number;
}

/** How often each fault was injected. */
export type Injected = Record<string, number>;

/** Injects faults until `over` is aborted; answers what it did when the last process runs again. */
export async function injectFaults(stage: FaultStage, over: AbortSignal): Promise<Injected> {
  const injected: Injected = {};
  const faults: ReadonlyArray<() => Promise<string>> = [
    () => kill(stage, 'notify'),
    () => kill(stage, 'suppress-check'),
    () => cutPostgres(stage),
    () => restartRedis(stage),
    () => failProvider(stage),
    () => failProvider(stage),
  ];
  while (!over.aborted) {
    await sleep(EVERY_MS * (0.5 + stage.random()), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) break;
    const fault = faults[Math.floor(stage.random() * faults.length)];
    const name = (await fault?.()) ?? '';
    injected[name] = (injected[name] ?? 0) + 1;
  }
  return injected;
}

async function kill({ machine }: FaultStage, name: string): Promise<string> {
  await machine.functions.kill(name, 'SIGKILL');
  await machine.functions.start(name);
  return `SIGKILL of ${name}`;
}

function cutPostgres({ postgres }: FaultStage): Promise<string> {
  postgres.cut();
  return Promise.resolve('connections to PostgreSQL cut');
}

async function restartRedis({ redis }: FaultStage): Promise<string> {
  if (redis === null) return 'nothing (no Redis here)';
  redis.proxy.setTarget(null);
  await redis.server.stop();
  const server = await startRedis({ install: false, say: () => undefined });
  if (server === null) throw new Error('Redis did not start again');
  redis.server = server;
  redis.proxy.setTarget(Number(new URL(server.url).port));
  return 'Redis restarted, empty';
}

function failProvider({ sink, random }: FaultStage): Promise<string> {
  const answer = ANSWERS[Math.floor(random() * ANSWERS.length)] ?? 'reset';
  sink.script(answer);
  return Promise.resolve(
    typeof answer === 'string' ? `provider: ${answer}` : `provider: ${String(answer.status)}`,
  );
}

/** A real Redis on this machine: the server of REDIS_URL, or redis-server or valkey-server from PATH. Or none, and it says so. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './port.ts';

const SERVERS = ['redis-server', 'valkey-server'] as const;
const START_WITHIN_MS = 5_000;

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a Redis without persistence (it is a copy); null when the machine has none and none can be installed. */
export async function startRedis(options: {
  install: boolean;
  say: (line: string) => void;
}): Promise<RedisServer | null> {
  const command = findServer() ?? (options.install ? installServer(options.say) : null);
  if (command === null) return null;
  const port = await freePort();
  const child = spawn(
    command,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  const deadline = Date.now() + START_WITHIN_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`${command} did not start on port ${port}`);
    await sleep(50);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The name of a Redis server on PATH, or null. */
export function findServer(): string | null {
  return SERVERS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) ?? null;
}

function installServer(say: (line: string) => void): string | null {
  if (userInfo().uid !== 0 || spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0)
    return null;
  say('Installing redis-server with apt-get …');
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch {
    return null;
  }
  return findServer();
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The whole of alertgest on one machine: stores, broker, every function as its own process, and the one address before them. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { migrate } from '../../shared/postgres/migrate.ts';
import { createBroker } from './broker.ts';
import type { Broker } from './broker.ts';
import { reserveServices, startFunctions } from './functions.ts';
import type { Functions, FunctionsOptions } from './functions.ts';
import { createGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import type { Log } from './ledger.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Switches } from './switches.ts';

export interface MachineOptions {
  /** Environment of the functions: channels, limits, tokens; DATABASE_URL and REDIS_URL choose stores of your own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Port of the gateway; 0 takes a free one. */
  readonly port: number;
  /** Folder that keeps the history; null keeps nothing after the end. */
  readonly dataFolder: string | null;
  /** Whether a missing Redis may be installed with apt-get. */
  readonly installRedis: boolean;
  /** Told of progress and of what is missing, in words. */
  readonly say: (line: string) => void;
  /** Gets every line that a function or the broker writes to its log. */
  readonly onLine?: (name: string, line: string) => void;
  readonly switches?: Partial<Switches>;
  /** Whether PingSources tick by themselves. */
  readonly schedules: boolean;
  /** Runs dist/<name>.cjs instead of the sources. */
  readonly bundled?: boolean;
  /** Another command line for a function. */
  readonly command?: FunctionsOptions['command'];
}

export interface Machine {
  readonly url: string;
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
  readonly services: Readonly<Record<string, string>>;
  readonly broker: Broker;
  readonly functions: Functions;
  readonly gateway: Gateway;
  stop(): Promise<void>;
}

/** Starts everything; what was started is stopped again when a later part fails. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const stops: Array<() => Promise<void>> = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const databaseUrl = options.env['DATABASE_URL'] ?? (await ownPostgres(options, stops));
    await migrate(databaseUrl);
    const redisUrl = options.env['REDIS_URL'] ?? (await ownRedis(options, stops));
    const services = await reserveServices();
    const broker = await createBroker({
      manifests: resolve(import.meta.dirname, '../base'),
      services,
      ...(options.onLine === undefined ? {} : { log: createLineLog(options.onLine) }),
      ...(options.switches === undefined ? {} : { switches: options.switches }),
    });
    stops.push(() => broker.close());
    const gateway = await createGateway({ services, port: options.port });
    stops.push(() => gateway.close());
    const env = definedOnly({
      FUNCTION_URL: `${gateway.url}/functions/{function}`,
      CONSOLE_URL: gateway.url,
      DECISION_KEYS: readDecisionKey(options.dataFolder),
      ...options.env,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl ?? undefined,
    });
    options.say('Starting six functions, each a process of its own …');
    const functions = await startFunctions({
      services,
      sink: broker.url,
      env: { NODE_ENV: 'production', ...env },
      ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
      ...(options.bundled === undefined ? {} : { bundled: options.bundled }),
      ...(options.command === undefined ? {} : { command: options.command }),
      onCrash: (name, code, signal) =>
        options.say(`${name} ended unexpectedly (${signal ?? `exit code ${String(code)}`})`),
    });
    stops.push(() => functions.stop());
    if (options.schedules) broker.startSchedules();
    return { url: gateway.url, databaseUrl, redisUrl, services, broker, functions, gateway, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ownPostgres(options: MachineOptions, stops: Array<() => Promise<void>>): Promise<string> {
  options.say('Starting PostgreSQL …');
  const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'alertgest-'));
  const server = await startPostgres({
    folder: join(folder, 'postgres'),
    durable: options.dataFolder !== null,
  });
  stops.push(async () => {
    await server.stop();
    if (options.dataFolder === null) rmSync(folder, { recursive: true, force: true });
  });
  return server.url;
}

async function ownRedis(options: MachineOptions, stops: Array<() => Promise<void>>): Promise<string | null> {
  const server = await startRedis({ install: options.installRedis, say: options.say });
  if (server === null) {
    options.say('No Redis here: decisions are read from Postgres (install redis-server or set REDIS_URL).');
    return null;
  }
  stops.push(() => server.stop());
  return server.url;
}

/** The key that signs the links in messages; kept beside the history, so that a restart does not end them. */
function readDecisionKey(dataFolder: string | null): string {
  const file = dataFolder === null ? null : join(dataFolder, 'decision-key');
  if (file !== null && existsSync(file)) return readFileSync(file, 'utf8').trim();
  const key = randomBytes(32).toString('hex');
  if (file !== null) writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}

/** The broker's log as lines, shaped like the functions'. */
function createLineLog(onLine: NonNullable<MachineOptions['onLine']>): Log {
  const write = (level: string, data: object, message: string): void =>
    onLine('broker', JSON.stringify({ level, timestamp: new Date().toISOString(), ...data, message }));
  return {
    info: () => undefined,
    warn: (data, message) => write('warn', data, message),
    error: (data, message) => write('error', data, message),
  };
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

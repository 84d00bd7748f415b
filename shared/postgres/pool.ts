/** Connections to Postgres, and what a failure of it means. Every wait is bounded: node-postgres by itself waits for ever. */
import { Pool } from 'pg';
import type { PoolClient, QueryResultRow } from 'pg';
import { AppError, DependencyError } from '../errors.ts';

export type { Pool, PoolClient };

/** Anything that runs a query: the pool, or a client inside a transaction. */
export interface Queryable {
  query<R extends QueryResultRow>(
    statement: string | NamedStatement,
    values?: unknown[],
  ): Promise<{ rows: R[]; rowCount: number | null }>;
}

/** A statement that each connection parses once and plans a few times; for those that every webhook runs. */
export interface NamedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** The schema all tables live in. */
export const SCHEMA = 'alertgest';

/** How often a transaction that lost a deadlock or serialisation race is run again. */
const CONFLICT_RETRIES = 3;
/** deadlock_detected, serialization_failure (PostgreSQL, appendix A). */
const CONFLICT_CODES: ReadonlySet<string> = new Set(['40P01', '40001']);
/** Classes of SQLSTATE that mean "Postgres is not fit to work now": connection, resources, intervention, system, read-only. */
const DOWN_CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58']);
const READ_ONLY = '25006';

/** Creates a small pool named after its function (seen in pg_stat_activity). */
export function createPool(options: {
  url: string;
  name: string;
  size: number;
  /** Of one statement; the digest's facts take longer than a webhook's. */
  statementTimeoutMs?: number;
}): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 5_000;
  const pool = new Pool({
    connectionString: options.url,
    application_name: `alertgest-${options.name}`,
    max: options.size,
    connectionTimeoutMillis: 2_000,
    // A server that lost its network answers nothing at all; a webhook has its 503 within seven seconds.
    query_timeout: statementTimeoutMs + 1_000,
    statement_timeout: statementTimeoutMs,
    keepAlive: true,
    // Statements of one transaction that need no answer in between travel together.
    pipeline: true,
    options: `-c search_path=${SCHEMA},public -c idle_in_transaction_session_timeout=30000`,
  });
  // An idle connection that breaks is replaced by the pool; the next query reports the outage.
  pool.on('error', () => undefined);
  // Nor may one that breaks between two statements of a transaction end the process; the next statement fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Runs one query; an outage becomes a {@link DependencyError}. */
export async function run<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw translate(error);
  }
}

/** Throws unless Postgres answers and takes writes: a standby or a server with a full disk reads and stores nothing. */
export async function checkWritable(pool: Queryable): Promise<void> {
  const { rows } = await run(
    pool.query<{ closed: boolean }>(
      `select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as closed`,
    ),
  );
  if (rows[0]?.closed !== false) throw new DependencyError('Postgres takes no writes now');
}

/**
 * Runs `work` in a transaction on one connection; deadlocks are run again. `begin` is not waited for, so the first
 * statements share its round trip. The statements of `last` share the commit's: it must send them all before it waits
 * for any. One that fails turns the commit into a rollback and fails the transaction.
 */
export async function transaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  last?: (client: PoolClient, result: T) => Promise<unknown>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const client = await run(pool.connect());
    let broken: Error | undefined;
    try {
      const begun = client.query('begin');
      begun.catch(() => undefined);
      const result = await work(client);
      await Promise.all([begun, last?.(client, result), client.query('commit')]);
      return result;
    } catch (error) {
      broken = await rollback(client);
      if (attempt < CONFLICT_RETRIES && CONFLICT_CODES.has(sqlState(error))) continue;
      throw translate(error);
    } finally {
      client.release(broken);
    }
  }
}

async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('rollback failed');
  }
}

/** The SQLSTATE of a Postgres error or of what caused it, or '' for any other. */
export function sqlState(error: unknown): string {
  if (error instanceof DependencyError) return sqlState(error.cause);
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

function translate(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = sqlState(error);
  // A five-character code is Postgres' own word; anything else came from the driver or the network.
  const fromServer = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if (fromServer && !DOWN_CLASSES.has(code.slice(0, 2)) && code !== READ_ONLY && !CONFLICT_CODES.has(code))
    return error;
  if (!fromServer && !isConnectionFailure(error)) return error;
  return new DependencyError('Postgres did not answer; nothing was stored, send again', { cause: error });
}

/** Failures of the driver that mean the server could not be asked (they carry no SQLSTATE). */
function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error) return true;
  // node-postgres gives its own time-outs and lost connections no code; anything else of ours is a bug and has a class.
  return error.constructor === Error;
}

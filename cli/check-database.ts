/** doctor's look into the database: room for connections, clocks that agree, and what the stored alerts give away. */
import { formatDuration } from '../functions/notify/times.ts';
import type { Environment } from '../shared/env.ts';
import { DependencyError } from '../shared/errors.ts';
import { createPool, run, sqlState } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { readGenerations } from '../shared/redis.ts';
import type { Check } from './check.ts';

/** Beyond this share of its limit the server is nearly full; a rollout doubles what we hold. */
const NEARLY_FULL = 0.8;
/** Clocks that differ by more make windows, stale alerts and links wrong in ways people notice. */
const SKEW_MS = 30_000;
/** Fewer alerts of one namespace prove nothing. */
const ENOUGH_ALERTS = 20;
const COPIES_LOOKED_AT = 5_000;

/** Everything that only the database knows; nothing when it cannot be asked (checkPostgres says why). */
export async function checkDatabase({ DATABASE_URL: url, REDIS_URL: redis }: Environment): Promise<Check[]> {
  if (url === undefined || !URL.canParse(url)) return [];
  const pool = createPool({ url, name: 'doctor', size: 1 });
  try {
    return [
      await checkConnections(pool),
      await checkClock(pool),
      ...(await checkStored(pool)),
      ...(redis === undefined ? [] : await checkCopies(pool, redis)),
    ];
  } catch (error) {
    // checkPostgres says why the server cannot be asked.
    if (error instanceof DependencyError || sqlState(error) !== '') return [];
    throw error;
  } finally {
    await pool.end();
  }
}

/** The tightest of the limits of server, database and login. */
async function checkConnections(pool: Pool): Promise<Check> {
  const name = 'Connections';
  const { rows } = await run(
    pool.query<{ what: string; used: number; most: number }>(
      `with backends as (select datname, usename from pg_stat_activity where backend_type = 'client backend'),
       limits (what, used, most) as (
         select 'the server', (select count(*) from backends),
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         union all select 'the database', (select count(*) from backends where datname = current_database()),
           (select datconnlimit from pg_database where datname = current_database())
         union all select 'the login', (select count(*) from backends where usename = current_user),
           (select rolconnlimit from pg_roles where rolname = current_user))
       select what, used::int, most from limits where most >= 0 order by used::float8 / greatest(most, 1) desc limit 1`,
    ),
  );
  const { what = '', used = 0, most = 1 } = rows[0] ?? {};
  const detail = `${used} of the ${most} that ${what} allows`;
  if (used < most * NEARLY_FULL) return { name, verdict: 'ok', detail };
  const fix =
    'raise the limit, lower DATABASE_POOL_SIZE or max-scale, or see who holds them: select usename, application_name, count(*) from pg_stat_activity group by 1, 2';
  return { name, verdict: 'warn', detail: `${detail}: nearly full`, fix };
}

/** Our clock against the database's, which stamps every alert. */
async function checkClock(pool: Pool): Promise<Check> {
  const before = Date.now();
  const { rows } = await run(pool.query<{ now: Date }>('select clock_timestamp() as now'));
  const after = Date.now();
  const database = rows[0]?.now.getTime() ?? after;
  return toClockCheck('Clock', 'the database', database - (before + after) / 2);
}

/** What a difference between two clocks means. */
export function toClockCheck(name: string, whose: string, offMs: number): Check {
  const offset = Math.abs(offMs);
  if (offset <= SKEW_MS)
    return { name, verdict: 'ok', detail: `${whose} agrees within ${Math.ceil(offset / 1_000)} s` };
  const detail = `${whose} is ${formatDuration(offset)} ${offMs > 0 ? 'ahead of' : 'behind'} this machine`;
  const fix =
    'synchronise both (timedatectl set-ntp true; chronyc tracking): windows and stale alerts go by the database’s clock, starts and ends by Alertmanager’s';
  return { name, verdict: 'warn', detail, fix };
}

/** Copies from the future: Redis holds decisions of a database that this one is not, or not any more. */
async function checkCopies(pool: Pool, redis: string): Promise<Check[]> {
  const name = 'Copies';
  const copies = await readGenerations(redis, COPIES_LOOKED_AT);
  if (copies === null) return [];
  const { rows } = await run(
    pool.query<{ ahead: number; behind: number }>(
      `select count(*) filter (where c.generation > coalesce(p.generation, 0))::int as ahead,
         count(*) filter (where c.generation < p.generation)::int as behind
       from unnest($1::text[], $2::bigint[]) as c (pattern, generation) left join alertgest.patterns p using (pattern)`,
      [[...copies.keys()], [...copies.values()]],
    ),
  );
  const { ahead = 0, behind = 0 } = rows[0] ?? {};
  if (ahead === 0) {
    const detail =
      behind === 0
        ? `${copies.size} in Redis, none stale`
        : `${behind} of ${copies.size} in Redis are stale and ignored`;
    return [{ name, verdict: 'ok', detail }];
  }
  return [
    {
      name,
      verdict: 'fail',
      detail: `${ahead} of ${copies.size} decisions in Redis are newer than the database knows them`,
      fix: 'the database was restored from a backup, or two alertgests share one Redis; they would win once the database counts as far: redis-cli --scan --pattern "ag:decision:*" | xargs redis-cli del',
    },
  ];
}

async function checkStored(pool: Pool): Promise<Check[]> {
  const { rows: tables } = await run(
    pool.query<{ there: boolean }>(`select to_regclass('alertgest.episodes') is not null as there`),
  );
  if (tables[0]?.there !== true) return [];
  return [...(await checkNamespaces(pool)), ...(await checkRefusals(pool)), ...(await checkDeliveries(pool))];
}

/** An AlertmanagerConfig passes on only the alerts of its own namespace, and nobody is told of the others. */
async function checkNamespaces(pool: Pool): Promise<Check[]> {
  const { rows } = await run(
    pool.query<{ alerts: number; namespaces: string[]; without: number }>(
      `select count(*)::int as alerts, count(*) filter (where namespace is null)::int as without,
         coalesce((array_agg(distinct namespace) filter (where namespace is not null))[1:2], '{}') as namespaces
       from alertgest.episodes where not own and received_at > clock_timestamp() - interval '7 days'`,
    ),
  );
  const { alerts = 0, namespaces = [], without = 0 } = rows[0] ?? {};
  const only = namespaces.length === 1 ? namespaces[0] : undefined;
  if (only === undefined || without > 0 || alerts < ENOUGH_ALERTS) return [];
  return [
    {
      name: 'Namespaces',
      verdict: 'warn',
      detail: `all ${alerts} alerts of the last week are of the namespace ${only}`,
      fix: `an AlertmanagerConfig adds namespace="${only}" to its route: set alertmanagerConfigMatcherStrategy.type: None in the Alertmanager resource, or put the route into its global configuration`,
    },
  ];
}

/** Senders whose token was refused lately. */
async function checkRefusals(pool: Pool): Promise<Check[]> {
  const { rows } = await run(
    pool.query<{ seen: Date }>(
      `select max(last_seen) as seen from alertgest.episodes where own and alertname = 'AlertgestRejected'
         and labels ->> 'reason' = 'unauthorized' and last_seen > clock_timestamp() - interval '1 day' having count(*) > 0`,
    ),
  );
  const [row] = rows;
  if (row === undefined) return [];
  return [
    {
      name: 'Senders',
      verdict: 'warn',
      detail: `somebody posted alerts with a wrong token, last ${row.seen.toISOString().slice(0, 16).replace('T', ' ')} UTC; those alerts are lost`,
      fix: 'the credentials of http_config.authorization in Alertmanager must be a token of RECEIVE_TOKEN; while you rotate, name both',
    },
  ];
}

/** Channels whose provider refused for good within a day, in its own words. */
async function checkDeliveries(pool: Pool): Promise<Check[]> {
  const { rows } = await run(
    pool.query<{ channel: string; dead: number; last_error: string | null }>(
      `select channel, count(*)::int as dead, (array_agg(last_error order by id desc))[1] as last_error
       from alertgest.deliveries d where status = 'dead' and created_at > clock_timestamp() - interval '1 day'
         and not exists (select 1 from alertgest.deliveries s where s.channel = d.channel and s.status = 'sent' and s.id > d.id)
       group by channel order by channel`,
    ),
  );
  return rows.map(({ channel, dead, last_error }) => ({
    name: `Deliveries ${channel}`,
    verdict: 'fail' as const,
    detail: `${dead} refused for good in the last day and none taken since: ${last_error ?? 'no reason given'}`,
    fix: `is its secret still right? npm run --silent alertgest -- send-test ${channel}; then resend from the console's deliveries page`,
  }));
}

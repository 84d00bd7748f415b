/** What is wrong with a set-up, as far as the database knows: for doctor, and for the console's Setup page. */
import { run } from './postgres/pool.ts';
import type { Pool } from './postgres/pool.ts';
import { formatDuration } from './times.ts';

/** Beyond this share of its limit the server is nearly full; a rollout doubles what we hold. */
const NEARLY_FULL = 0.8;
/** Clocks that differ by more make windows, stale alerts and links wrong in ways people notice. */
const SKEW_MS = 30_000;
/** Fewer alerts of one namespace prove nothing. */
const ENOUGH_ALERTS = 20;

/**
 * `ok`; `off`: not configured, and nothing is wrong with that; `warn`: works without, but less well; `fail`: needed and
 * not there.
 */
export type Verdict = 'ok' | 'off' | 'warn' | 'fail';

export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly detail: string;
  /** What to do about it; told for everything but `ok`. */
  readonly fix?: string;
}

/** Room for connections, clocks that agree, and what the stored alerts and deliveries give away. */
export async function diagnose(pool: Pool): Promise<Check[]> {
  return [await checkConnections(pool), await checkClock(pool), ...(await checkStored(pool))];
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

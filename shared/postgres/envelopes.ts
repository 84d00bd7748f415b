/**
 * Queries on `decision_envelopes` and `broken_decisions`: what was normal when somebody decided, whether it still is,
 * and which decisions were set aside because it is not.
 */
import { HISTORY_DAYS, toEnvelope } from '../envelope.ts';
import type { Companion, Envelope } from '../envelope.ts';
import type { DecisionKind } from './decisions.ts';
import { readHours, rollUpPattern } from './history.ts';
import { run } from './pool.ts';
import type { Pool, Queryable } from './pool.ts';

const DAY_MS = 86_400_000;
/** Envelopes stored by one sweep; each costs a few indexed queries. */
const LIMIT = 50;
/** Severities from the least to the most severe; an unknown one counts as a warning. */
const RANKED = ['none', 'info', 'warning', 'critical'] as const;

/** The decision in force on a pattern, by SQL: `d`, for a pattern `p`. Short snoozes and the like carry no envelope. */
const GUARDED = `lateral (
  select l.* from (
    select kind, until, generation, decided_at from decisions x
    where x.pattern = p.pattern and x.kind <> 'note' order by x.generation desc limit 1) l
  where (l.kind = 'ignore' or (l.kind in ('quiet', 'digest', 'snooze')
      and (l.until is null or l.until >= l.decided_at + interval '1 day')))
    and (l.until is null or l.until > (select alert_now()))) d`;

/** Stores the envelopes of decisions that have none yet; answers how many. Storing one twice changes nothing. */
export async function storeEnvelopes(pool: Pool, retentionDays: number): Promise<number> {
  const { rows } = await run(
    pool.query<{ pattern: string; generation: string; decided_at: Date }>(
      `select p.pattern, d.generation, d.decided_at from patterns p cross join ${GUARDED}
       where p.generation > 0 and not exists (
         select 1 from decision_envelopes v where v.pattern = p.pattern and v.generation = d.generation)
       limit $1`,
      [LIMIT],
    ),
  );
  for (const { pattern, generation, decided_at } of rows) {
    await rollUpPattern(pool, pattern, retentionDays);
    const envelope = await makeEnvelope(pool, pattern, decided_at);
    await run(
      pool.query(
        `insert into decision_envelopes (pattern, generation, envelope) values ($1, $2, $3::jsonb)
         on conflict (pattern, generation) do nothing`,
        [pattern, generation, JSON.stringify(envelope)],
      ),
    );
  }
  return rows.length;
}

/** What was normal for a pattern at a time. */
export async function makeEnvelope(db: Queryable, pattern: string, at: Date): Promise<Envelope> {
  const from = new Date(at.getTime() - HISTORY_DAYS * DAY_MS);
  const [hours, { rows }, companions] = await Promise.all([
    readHours(db, pattern, from, at),
    run(
      db.query<{
        first_seen: Date;
        this_hour: number;
        last_hour: number;
        open_for: number | null;
        louder_seen: boolean;
      }>(
        `select p.first_seen,
           (select count(*)::int from episodes e where e.pattern = $1 and e.received_at >= date_trunc('hour', $2::timestamptz, 'UTC')
              and e.received_at <= $2) as this_hour,
           (select count(*)::int from episodes e where e.pattern = $1 and e.received_at > $2::timestamptz - interval '1 hour'
              and e.received_at <= $2) as last_hour,
           (select extract(epoch from $2::timestamptz - min(starts_at))::float8 from episodes e
            where e.pattern = $1 and e.ended_at is null) as open_for,
           exists (select 1 from patterns t join incidents i on i.pattern = t.pattern
             where ${isLouderTwin('$3')} and i.opened_at > $2::timestamptz - interval '30 days' and i.opened_at <= $2) as louder_seen
         from patterns p where p.pattern = $1`,
        [pattern, at, RANKED],
      ),
    ),
    readCompanions(db, pattern, from, at),
  ]);
  const row = rows[0];
  const thisHour = at.getTime() - (at.getTime() % 3_600_000);
  return toEnvelope({
    at,
    firstSeen: row?.first_seen ?? at,
    // What came after the decision is not part of what was judged.
    hours: hours.map((hour) =>
      hour.hour.getTime() === thisHour ? { ...hour, opened: row?.this_hour ?? hour.opened } : hour,
    ),
    lastHour: row?.last_hour ?? 0,
    openForSeconds: row?.open_for ?? null,
    louderSeen: row?.louder_seen ?? false,
    companions,
  });
}

/** By SQL: `t` is the same alert on the same thing as `p`, only more severe. */
function isLouderTwin(ranked: '$1' | '$3' | '$5'): string {
  const rank = (of: 'p' | 't'): string =>
    `array_position(${ranked}::text[], case ${of}.severity when 'unknown' then 'warning' else ${of}.severity end)`;
  return `t.alertname = p.alertname and t.pattern <> p.pattern
    and t.identity - 'severity' = p.identity - 'severity' and ${rank('t')} > ${rank('p')}`;
}

/** Patterns of the same namespace that opened within ten minutes of at least half of this one's latest incidents. */
async function readCompanions(db: Queryable, pattern: string, from: Date, to: Date): Promise<Companion[]> {
  const { rows } = await run(
    db.query<Companion>(
      `with mine as materialized (
         select id, opened_at from incidents where pattern = $1 and opened_at > $2 and opened_at <= $3
         order by opened_at desc limit 100)
       select o.pattern, o.alertname, (count(distinct m.id)::float8 / (select count(*) from mine)) as share
       from mine m
       cross join lateral (
         select i.pattern, q.alertname from incidents i join patterns q on q.pattern = i.pattern
         where i.opened_at between m.opened_at - interval '10 minutes' and m.opened_at + interval '10 minutes'
           and i.pattern <> $1 and not q.heartbeat
           and q.namespace is not distinct from (select namespace from patterns where pattern = $1) limit 200) o
       group by o.pattern, o.alertname
       having count(distinct m.id) >= 3 and count(distinct m.id) * 2 >= (select count(*) from mine)
       order by share desc, o.pattern limit 5`,
      [pattern, from, to],
    ),
  );
  return rows;
}

/** What a pattern does now, to be held against its envelope. */
export interface Guard {
  readonly decidedAt: Date;
  /** Null in the first minute after the decision. */
  readonly envelope: Envelope | null;
  readonly broken: boolean;
  readonly inHour: number;
  readonly inDay: number;
  readonly atOnce: number;
  readonly oldestOpen: Date | null;
  /** Severity of a more severe twin that opened since the decision. */
  readonly louder: string | null;
}

/** Reads the envelope of a decision and what the pattern did up to `at`, in one indexed query. */
export async function readGuard(
  db: Queryable,
  notice: { readonly pattern: string; readonly incident: string; readonly received_at: Date },
  generation: number,
): Promise<Guard | null> {
  const { rows } = await run(
    db.query<Guard & { [column: string]: unknown }>(
      `select d.decided_at as "decidedAt", v.envelope, b.broken_at is not null as broken,
         (select count(*)::int from episodes e where e.pattern = $1 and e.received_at > $4::timestamptz - interval '1 hour'
            and e.received_at <= $4) as "inHour",
         (select count(*)::int from episodes e where e.pattern = $1 and e.received_at > $4::timestamptz - interval '1 day'
            and e.received_at <= $4) as "inDay",
         coalesce((select greatest(peak, open_episodes) from incidents i where i.id = $3), 1) as "atOnce",
         (select min(starts_at) from episodes e where e.pattern = $1 and e.ended_at is null) as "oldestOpen",
         (select t.severity from patterns t join incidents i on i.pattern = t.pattern
          where ${isLouderTwin('$5')} and i.opened_at > d.decided_at and i.opened_at <= $4 order by i.opened_at desc limit 1) as louder
       from decisions d join patterns p on p.pattern = d.pattern
       left join decision_envelopes v on v.pattern = d.pattern and v.generation = d.generation
       left join broken_decisions b on b.pattern = d.pattern and b.generation = d.generation
       where d.pattern = $1 and d.generation = $2`,
      [notice.pattern, generation, notice.incident, notice.received_at, RANKED],
    ),
  );
  return rows[0] ?? null;
}

/**
 * Makes open incidents news whose pattern left the envelope of its decision without a notice that would say so: alerts
 * that came while others fired, one that fires on, a more severe twin. Answers how many. At most once an hour for each.
 */
export async function wakeOutside(db: Queryable): Promise<number> {
  const { rowCount } = await run(
    db.query(
      `with t as materialized (select alert_now() as now),
       guarded as (
         select p.pattern, v.envelope -> 'limits' as limits, (v.envelope ->> 'louderSeen')::boolean as louder_seen, d.decided_at,
           p.alertname, p.identity, p.severity, i.id as incident, greatest(i.peak, i.open_episodes) as at_once
         from patterns p cross join ${GUARDED}
         join decision_envelopes v on v.pattern = p.pattern and v.generation = d.generation
         join incidents i on i.pattern = p.pattern and i.closed_at is null
         where p.generation > 0 and (i.due_at is null or i.due_at > (select now from t))
           and not exists (select 1 from broken_decisions b where b.pattern = p.pattern and b.generation = d.generation)
           and not exists (select 1 from notices n where n.incident = i.id and n.kind = 'due' and n.decision is null
             and n.received_at > (select now from t) - interval '1 hour')),
       outside as (
         select p.incident from guarded p, t
         where p.at_once >= (p.limits ->> 'atOnce')::float8
           or (select count(*) from episodes e where e.pattern = p.pattern and e.received_at > t.now - interval '1 hour'
               and e.received_at <= t.now) >= (p.limits ->> 'hour')::float8
           or (select count(*) from episodes e where e.pattern = p.pattern and e.received_at > t.now - interval '1 day'
               and e.received_at <= t.now) >= (p.limits ->> 'day')::float8
           or (select extract(epoch from t.now - min(e.starts_at)) from episodes e
               where e.pattern = p.pattern and e.ended_at is null) >= (p.limits ->> 'seconds')::float8
           or (not p.louder_seen and exists (select 1 from patterns t join incidents x on x.pattern = t.pattern
               where ${isLouderTwin('$1')} and x.opened_at > p.decided_at)))
       update incidents i set due_at = t.now, due_why = 'unlike usual' from outside, t where i.id = outside.incident`,
      [RANKED],
    ),
  );
  return rowCount ?? 0;
}

/** A decision that was set aside. */
export interface BrokenDecision {
  readonly brokenAt: Date;
  readonly sentence: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Sets a decision aside; false when another notice did so before. */
export async function breakDecision(
  db: Queryable,
  decision: { readonly pattern: string; readonly generation: number },
  broken: BrokenDecision & { readonly notice: string },
): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `insert into broken_decisions (pattern, generation, broken_at, notice, sentence, evidence)
       values ($1, $2, $3, $4, $5, $6::jsonb) on conflict (pattern, generation) do nothing`,
      [
        decision.pattern,
        decision.generation,
        broken.brokenAt,
        broken.notice,
        broken.sentence,
        JSON.stringify(broken.evidence),
      ],
    ),
  );
  return rowCount === 1;
}

/** The decisions in force on some patterns that were set aside, by pattern. */
export async function readBroken(
  db: Queryable,
  decisions: ReadonlyMap<string, { readonly generation: number }>,
): Promise<Map<string, BrokenDecision>> {
  if (decisions.size === 0) return new Map();
  const { rows } = await run(
    db.query<BrokenDecision & { pattern: string }>(
      `select b.pattern, b.broken_at as "brokenAt", b.sentence, b.evidence from broken_decisions b
       join unnest($1::text[], $2::bigint[]) as w(pattern, generation) using (pattern, generation)`,
      [[...decisions.keys()], [...decisions.values()].map((decision) => decision.generation)],
    ),
  );
  return new Map(rows.map(({ pattern, ...broken }) => [pattern, broken]));
}

/** Kinds of decision that hide or soften a notice, and so have to know what is normal. */
export const GUARDED_KINDS: ReadonlySet<DecisionKind> = new Set(['ignore', 'quiet', 'digest', 'snooze']);

/** Queries on `ratings`: whether digests and their notes were useful, by whom; the last word of each person counts. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface Rating {
  readonly digest: string;
  /** Null for the digest as a whole. */
  readonly note: string | null;
  readonly useful: boolean;
  readonly actor: string;
}

/** Stores a rating; false when there is no such digest. */
export async function rate(db: Queryable, { digest, note, useful, actor }: Rating): Promise<boolean> {
  const { rowCount } = await run(
    db.query(
      `insert into ratings (digest, note, useful, actor) select id, $2, $3, $4 from digests where id = $1
       on conflict (digest, note, actor) do update set useful = excluded.useful, rated_at = clock_timestamp()`,
      [digest, note, useful, actor],
    ),
  );
  return rowCount === 1;
}

export interface RatingSum {
  readonly note: string | null;
  readonly useful: number;
  readonly not_useful: number;
}

/** What people thought of a digest and of its notes. */
export async function ratingsOf(db: Queryable, digest: string): Promise<RatingSum[]> {
  const { rows } = await run(
    db.query<RatingSum>(
      `select note, (count(*) filter (where useful))::int as useful, (count(*) filter (where not useful))::int as not_useful
       from ratings where digest = $1 group by note order by note nulls first`,
      [digest],
    ),
  );
  return rows;
}

export interface RuleRating {
  /** The rule of the notes, `model` for those of a model, null for whole digests. */
  readonly rule: string | null;
  readonly useful: number;
  readonly not_useful: number;
}

/** What people thought of each kind of note since a time: which rules earn their place, and whether the model does. */
export async function ratingsByRule(db: Queryable, since: Date): Promise<RuleRating[]> {
  const { rows } = await run(
    db.query<RuleRating>(
      `select case when note like '%.model-%' then 'model' else split_part(note, '.', 2) end as rule,
         (count(*) filter (where useful))::int as useful, (count(*) filter (where not useful))::int as not_useful
       from ratings where rated_at >= $1 group by 1 order by 1 nulls first`,
      [since],
    ),
  );
  return rows;
}

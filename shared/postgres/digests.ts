/** Queries on stored digests: the counts of each capture window. */
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

export interface DigestRow {
  readonly window_start: Date;
  readonly window_end: Date;
  readonly zone: string;
  readonly facts: unknown;
  readonly built_at: Date;
}

/** Digests whose window ended before a time, latest first. */
export async function listDigests(
  db: Queryable,
  { before, limit }: { before?: Date | undefined; limit: number },
): Promise<DigestRow[]> {
  const { rows } = await run(
    db.query<DigestRow>(
      `select window_start, window_end, zone, facts, built_at from digests
       where $1::timestamptz is null or window_end < $1 order by window_end desc, window_start limit $2`,
      [before ?? null, limit],
    ),
  );
  return rows;
}

/** The digest of one window, by its edges. */
export async function readDigest(db: Queryable, start: Date, end: Date): Promise<DigestRow | undefined> {
  const { rows } = await run(
    db.query<DigestRow>(
      `select window_start, window_end, zone, facts, built_at from digests where window_start = $1 and window_end = $2`,
      [start, end],
    ),
  );
  return rows[0];
}

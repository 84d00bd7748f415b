/** Queries on `notices` for lists that people and scripts read. */
import { NOTICE_COLUMNS } from './notices.ts';
import type { NoticeRow } from './notices.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** A notice with its place in the list. */
export type ListedNotice = NoticeRow & {
  /** `created_at` in microseconds; a Date would lose three digits of it. */
  readonly created_us: string;
};

/** Notices for the API, latest first; `after` begins behind a notice of the page before. */
export async function listNotices(
  db: Queryable,
  filter: {
    state?: string | undefined;
    pattern?: string | undefined;
    after?: { readonly at: string; readonly id: string } | undefined;
    limit: number;
    offset: number;
  },
): Promise<ListedNotice[]> {
  const { rows } = await run(
    db.query<ListedNotice>(
      `select ${NOTICE_COLUMNS}, (extract(epoch from n.created_at) * 1000000)::bigint as created_us from notices n join incidents i on i.id = n.incident join patterns p on p.pattern = n.pattern
       where ($1::text is null or n.status = $1) and ($2::text is null or n.pattern = $2)
         and ($5::bigint is null or (extract(epoch from n.created_at) * 1000000)::bigint < $5
           or ((extract(epoch from n.created_at) * 1000000)::bigint = $5 and n.id > $6))
       order by n.created_at desc, n.id limit $3 offset $4`,
      [
        filter.state ?? null,
        filter.pattern ?? null,
        filter.limit,
        filter.offset,
        filter.after?.at ?? null,
        filter.after?.id ?? null,
      ],
    ),
  );
  return rows;
}

/** How many notices stand in each status. */
export async function countNotices(db: Queryable): Promise<Record<string, number>> {
  const { rows } = await run(
    db.query<{ status: string; n: string }>('select status, count(*) as n from notices group by status'),
  );
  return Object.fromEntries(rows.map((row) => [row.status, Number(row.n)]));
}

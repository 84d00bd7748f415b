/** Queries on `capture_windows`: the nights, written down as they begin and completed when they are over. */
import type { CaptureWindowConfig } from '../capture-window-config.ts';
import { run } from './pool.ts';
import type { Queryable } from './pool.ts';

/** A window by its edges. */
export interface WindowSpan {
  readonly start: Date;
  readonly end: Date;
}

/** Writes down the windows that began since the last look and completes those that are over. */
export async function keepWindows(db: Queryable, config: CaptureWindowConfig): Promise<void> {
  await run(db.query('select keep_capture_windows($1::time, $2::time, $3)', clockOf(config)));
}

/** The windows that touch a span, by calendar, oldest first. */
export async function windowsBetween(
  db: Queryable,
  config: CaptureWindowConfig,
  since: Date,
  until: Date,
): Promise<WindowSpan[]> {
  const { rows } = await run(
    db.query<WindowSpan>(
      `select window_start as start, window_end as end from capture_windows_between($4, $5, $1::time, $2::time, $3)`,
      [...clockOf(config), since, until],
    ),
  );
  return rows;
}

/** The window that `at` lies in, or the next one to come. */
export async function windowAtOrAfter(
  db: Queryable,
  config: CaptureWindowConfig,
  at: Date,
): Promise<WindowSpan> {
  const { rows } = await db.query<WindowSpan>(
    `select window_start as start, window_end as end
     from capture_windows_between($4, $4::timestamptz + interval '3 days', $1::time, $2::time, $3) limit 1`,
    [...clockOf(config), at],
  );
  const next = rows[0];
  if (next === undefined) throw new Error('no capture window within three days');
  return next;
}

/** A closed window that has no digest of a name yet. */
export interface OwedWindow extends WindowSpan {
  readonly zone: string;
}

/** Closed windows without a digest of this name, older than the grace period, oldest first. */
export async function owedWindows(db: Queryable, name: string, graceMs: number): Promise<OwedWindow[]> {
  const { rows } = await run(
    db.query<OwedWindow>(
      `select w.window_start as start, w.window_end as end, w.zone from capture_windows w
       where w.window_end <= alert_now() - make_interval(secs => $2::float8 / 1000)
         and not exists (select 1 from digest_windows d where d.name = $1 and d.window_start = w.window_start)
         -- A team's digests begin with the windows of the last one that everybody got.
         and ($1 = 'all' or w.window_end > coalesce(
           (select max(c.window_end) from digest_windows t join capture_windows c using (window_start) where t.name = $1),
           (select d.window_start from digests d where d.kind = 'windows' and d.name = 'all' order by d.id desc limit 1)))
       order by w.window_start`,
      [name, graceMs],
    ),
  );
  return rows;
}

/** The number of alerts in each of the last windows before a time, latest first; windows of the time before alertgest are missing. */
export async function pastCounts(
  db: Queryable,
  before: Date,
  limit: number,
): Promise<Array<{ start: Date; alerts: number }>> {
  const { rows } = await run(
    db.query<{ start: Date; alerts: number }>(
      `select window_start as start, alert_count as alerts from capture_windows
       where window_end <= $1 and status <> 'active' order by window_start desc limit $2`,
      [before, limit],
    ),
  );
  return rows;
}

function clockOf(config: CaptureWindowConfig): [opens: string, closes: string, zone: string] {
  return [config.CAPTURE_WINDOW_START, config.CAPTURE_WINDOW_END, config.CAPTURE_WINDOW_TIMEZONE];
}

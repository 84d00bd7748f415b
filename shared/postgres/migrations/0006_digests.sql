-- Nights and their digests: capture windows as rows, digests as a state machine, what people thought of them.

-- The instant at which a zone's wall clock first shows a time of a day. A time that a clock change skips is the first
-- instant after the gap; one that comes twice is the first of the two. shared/capture-window.ts says the same in code.
create function window_edge(day date, clock time, zone text) returns timestamptz language plpgsql stable parallel safe as
$$
declare
  local timestamp := day + clock;
  around timestamptz := local at time zone zone;
  -- The zone's offsets a day before and a day after; a clock change in between makes them differ.
  before interval := (around - interval '1 day') at time zone zone - (around - interval '1 day') at time zone 'UTC';
  after interval := (around + interval '1 day') at time zone zone - (around + interval '1 day') at time zone 'UTC';
  early timestamptz := (local - before) at time zone 'UTC';
  late timestamptz := (local - after) at time zone 'UTC';
  middle timestamptz;
begin
  if early at time zone zone = local then return early; end if;
  if late at time zone zone = local then return late; end if;
  -- In the gap: the change lies after `late` and not after `early`; clocks change on whole minutes.
  while early - late > interval '1 minute' loop
    middle := late + date_trunc('minute', (early - late) / 2);
    if middle at time zone zone - middle at time zone 'UTC' = before then late := middle; else early := middle; end if;
  end loop;
  return early;
end $$;

-- The capture windows that touch a span, oldest first. One that a clock change leaves without length is none.
create function capture_windows_between(since timestamptz, until timestamptz, opens time, closes time, zone text)
returns table (window_start timestamptz, window_end timestamptz) language sql stable parallel safe as
$$
  select w.starts, w.ends
  from generate_series((since at time zone zone)::date - 2, (until at time zone zone)::date + 1, interval '1 day') as d(day)
  cross join lateral (
    select window_edge(d.day::date, opens, zone) as starts,
      window_edge(d.day::date + case when opens >= closes then 1 else 0 end, closes, zone) as ends) w
  where w.starts < w.ends and w.ends > since and w.starts <= until
  order by w.starts
$$;

-- The nights. An alert belongs to the window in which it was first received, or to none: see captured_episodes.
create table capture_windows (
  window_start timestamptz primary key,
  window_end timestamptz not null,
  zone text not null,
  status text not null default 'active' check (status in ('active', 'completed', 'digest_sent')),
  -- Alerts first received in it, counted when it was over and again for its digest.
  alert_count integer not null default 0,
  completed_at timestamptz,
  digest_sent_at timestamptz,
  -- The counters of alerts that never arrived whole, as it began and as it was over.
  truncated_at_start bigint not null default 0,
  truncated_at_end bigint,
  rejected_at_start bigint not null default 0,
  rejected_at_end bigint,
  check (window_end > window_start),
  check ((status = 'active') = (completed_at is null))
);
create index capture_windows_open on capture_windows (window_end) where status = 'active';
create index capture_windows_end on capture_windows (window_end);

-- Every alert with the night it was received in; null for those of the day, which are kept all the same.
create view captured_episodes as
  select e.*, w.window_start as captured_in from episodes e
  left join capture_windows w on e.received_at >= w.window_start and e.received_at < w.window_end;

-- Writes down the windows that began since the last one known and completes those that are over.
create function keep_capture_windows(opens time, closes time, zone text) returns void language plpgsql as
$$
declare
  known timestamptz;
  truncated bigint := coalesce((select value from counters where name = 'alerts_truncated_total'), 0);
  rejected bigint := coalesce((select value from counters where name = 'alerts_rejected_total'), 0);
begin
  perform pg_advisory_xact_lock(5420713);
  -- Nothing is known of nights before the first alert; after a long outage 40 days are enough.
  select coalesce((select max(w.window_end) from capture_windows w),
    least(alert_now(), (select min(first_seen) from patterns where not own))) into known;
  insert into capture_windows (window_start, window_end, zone, truncated_at_start, rejected_at_start)
    -- Another configuration than before may overlap what was: what was stays.
    select greatest(w.window_start, coalesce((select max(c.window_end) from capture_windows c), '-infinity')), w.window_end, $3,
      truncated, rejected
    from capture_windows_between(greatest(known, alert_now() - interval '40 days'), alert_now(), opens, closes, zone) w
    where w.window_end > known
    order by 1
  on conflict (window_start) do nothing;
  update capture_windows w set status = 'completed', completed_at = alert_now(), truncated_at_end = truncated,
      rejected_at_end = rejected, alert_count = (
      select count(*) from episodes e
      where e.received_at >= w.window_start and e.received_at < w.window_end and not e.own)
    where w.status = 'active' and w.window_end <= alert_now();
end $$;

alter table digests rename to digests_before;
alter table digests_before drop constraint digests_pkey;

-- building → built → sent, dead or kept. `facts` are numbers from SQL, `document` what people read, of both only code wrote.
create table digests (
  id bigint generated always as identity primary key,
  -- Whose digest it is: 'all', or a name of the routes file's digests.
  name text not null default 'all',
  -- 'windows' covers the closed windows that had none; 'asked' any span.
  kind text not null check (kind in ('windows', 'asked')),
  window_start timestamptz not null,
  window_end timestamptz not null,
  zone text not null,
  status text not null default 'building' check (status in ('building', 'built', 'sent', 'dead', 'kept')),
  -- Why nobody was told, or why it died.
  reason text,
  tell boolean not null,
  attempts integer not null default 0,
  -- Who builds it; another run takes over when the lease is out. `fence` keeps the late one from storing.
  lease_until timestamptz,
  fence integer not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  built_at timestamptz,
  planned_at timestamptz,
  final_at timestamptz,
  facts jsonb,
  document jsonb,
  formatted_output text,
  -- What the model was asked and said, and what of it was left out.
  llm_model text,
  prompt_version text,
  raw_prompt text,
  raw_response text,
  prompt_tokens integer,
  completion_tokens integer,
  llm_ms integer,
  notes_kept integer,
  notes_dropped jsonb,
  check (window_end > window_start),
  check ((status = 'building') = (built_at is null))
);
create index digests_window on digests (window_end);
create index digests_unfinished on digests (created_at) where status in ('building', 'built');
-- A span that is asked for twice before it is built is built once.
create unique index digests_asked on digests (name, window_start, window_end) where kind = 'asked' and status = 'building';

insert into digests (kind, window_start, window_end, zone, status, reason, tell, created_at, built_at, final_at, facts)
  select 'asked', window_start, window_end, zone, 'kept', 'before digests were told', false, built_at, built_at, built_at, facts
  from digests_before order by window_end;
drop table digests_before;

-- Which windows a digest covers: each window has one digest of a name, whoever comes first.
create table digest_windows (
  name text not null,
  window_start timestamptz not null references capture_windows,
  -- Null once the digest is older than its retention: the window was told all the same.
  digest bigint references digests on delete set null,
  primary key (name, window_start)
);
create index digest_windows_digest on digest_windows (digest);

-- What people thought of a digest, or of one of its notes; the last word of each counts.
create table ratings (
  id bigint generated always as identity primary key,
  digest bigint not null references digests on delete cascade,
  -- Null for the digest as a whole.
  note text,
  useful boolean not null,
  actor text not null,
  rated_at timestamptz not null default clock_timestamp(),
  unique nulls not distinct (digest, note, actor)
);

-- What a window holds back waits for its digest, which is about no single incident.
alter table batches drop constraint batches_kind_check;
alter table batches add constraint batches_kind_check check (kind in ('storm', 'flap', 'window'));
alter table batches add column digest bigint references digests on delete set null;
create index batches_digest on batches (digest) where digest is not null;

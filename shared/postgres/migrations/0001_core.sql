-- The log of everything alertgest was told and did. Rows are the truth; events and Redis only hasten or copy.

-- How far the clock of rules about alerts is shifted; only a replay (ALLOW_REPLAY) moves it. Leases never read it.
create table clock (
  only_row boolean primary key default true check (only_row),
  shift interval not null default interval '0'
);
insert into clock default values;

create function alert_now() returns timestamptz language sql volatile as
$$ select clock_timestamp() + (select shift from clock) $$;

-- What makes alerts the same issue. `generation` grows with every decision, so that a stale copy in Redis never wins.
create table patterns (
  pattern text primary key,
  alertname text not null,
  severity text not null check (severity in ('critical', 'warning', 'info', 'none', 'unknown')),
  namespace text,
  cluster text,
  title text not null,
  identity jsonb not null,
  kept jsonb not null,
  dropped jsonb not null,
  -- An always-firing heartbeat such as Watchdog: stored and counted, never pushed or listed.
  heartbeat boolean not null,
  -- Raised by alertgest about itself (AlertgestRejected); not counted as a received alert.
  own boolean not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  generation bigint not null default 0,
  classification jsonb
);
create index patterns_last_seen on patterns (last_seen);

-- A pattern's time from its first open episode to none. `id` is what providers know it by.
create table incidents (
  id text primary key,
  pattern text not null references patterns,
  opened_at timestamptz not null,
  closed_at timestamptz,
  open_episodes integer not null check (open_episodes >= 0),
  episodes integer not null check (episodes > 0),
  -- The largest power of two of open episodes that was news.
  grown_to integer not null,
  due_at timestamptz,
  due_why text,
  dues integer not null default 0,
  check ((closed_at is null) = (open_episodes > 0))
);
create unique index incidents_open on incidents (pattern) where closed_at is null;
create index incidents_opened on incidents (opened_at, id);
create index incidents_pattern on incidents (pattern, opened_at);
create index incidents_due on incidents (due_at) where due_at is not null;

-- One firing-to-resolved life of one alert.
create table episodes (
  id bigint generated always as identity primary key,
  key text not null,
  pattern text not null,
  incident text,
  alertname text not null,
  severity text not null,
  namespace text,
  own boolean not null,
  labels jsonb not null,
  annotations jsonb not null,
  generator_url text not null,
  flags text[] not null,
  starts_at timestamptz not null,
  ended_at timestamptz,
  -- 'resolved', 'lost-resolve' (the next life began without one) or 'stale' (unseen for too long).
  end_reason text check (end_reason in ('resolved', 'lost-resolve', 'stale')),
  received_at timestamptz not null,
  last_seen timestamptz not null,
  end_received_at timestamptz,
  check ((ended_at is null) = (end_reason is null)),
  check (ended_at is null or ended_at >= starts_at)
);
create unique index episodes_open on episodes (key) where ended_at is null;
create index episodes_key on episodes (key, starts_at);
create index episodes_pattern on episodes (pattern, received_at);
create index episodes_received on episodes (received_at);
create index episodes_open_seen on episodes (last_seen) where ended_at is null;

-- Held notices wait for the message of their batch: a storm's, by alertname and severity, or a flapping pattern's.
create table batches (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('storm', 'flap')),
  key text not null,
  title text not null,
  -- The incident whose `due` notice carries the message.
  incident text not null references incidents,
  due_at timestamptz not null,
  -- Whatever joins, the message is not put off beyond this.
  last_at timestamptz not null,
  closed_at timestamptz
);
create unique index batches_open on batches (kind, key) where closed_at is null;
create index batches_due on batches (due_at) where closed_at is null;

-- State machine, outbox and inbox in one: one piece of news about one incident. `id` is made of the incident and what
-- happened, so the same news is the same row.
create table notices (
  id text primary key,
  incident text not null references incidents,
  pattern text not null,
  kind text not null check (kind in ('opened', 'grew', 'resolved', 'due')),
  status text not null check (status in ('received', 'classified', 'admitted', 'held', 'suppressed', 'notified', 'digested', 'dead')),
  reason text,
  -- Why it was sent, held or not sent, as a person reads it.
  why text,
  -- The batch that holds it, or, for kind 'due', the batch it is the message of.
  batch bigint references batches,
  quiet boolean not null default false,
  missing text[] not null default '{}',
  open_episodes integer not null,
  classification jsonb,
  traceparent text not null,
  received_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  status_at timestamptz not null default clock_timestamp(),
  planned_at timestamptz,
  attempts integer not null default 0
);
create index notices_incident on notices (incident);
create index notices_unfinished on notices (status_at) where status in ('received', 'classified', 'admitted');
create index notices_batch on notices (batch) where batch is not null;
create index notices_created on notices (created_at);
create index notices_status on notices (status, created_at);

-- One message to one channel, with its attempts. `fence` grows with each claim: an old claimant cannot mark.
create table deliveries (
  id bigint generated always as identity primary key,
  notice text not null references notices,
  channel text not null,
  status text not null default 'planned' check (status in ('planned', 'sending', 'sent', 'dead')),
  attempts integer not null default 0,
  unknown_outcomes integer not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz,
  fence integer not null default 0,
  provider_id text,
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz,
  unique (notice, channel)
);
create index deliveries_due on deliveries (next_attempt_at) where status in ('planned', 'sending');

-- What people said about a pattern. Append-only: taking a decision back is a row of its own.
create table decisions (
  id bigint generated always as identity primary key,
  pattern text not null references patterns,
  kind text not null check (kind in ('ignore', 'quiet', 'digest', 'snooze', 'important', 'note', 'revoke')),
  until timestamptz,
  note text,
  actor text not null,
  generation bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  decided_at timestamptz not null,
  unique (pattern, generation)
);
create function refuse_change() returns trigger language plpgsql as
$$ begin raise exception '% is append-only', tg_table_name; end $$;
create trigger decisions_append_only before update or delete on decisions
  for each row execute function refuse_change();

-- The counts of one capture window, as last computed.
create table digests (
  window_start timestamptz not null,
  window_end timestamptz not null,
  zone text not null,
  facts jsonb not null,
  built_at timestamptz not null default clock_timestamp(),
  primary key (window_start, window_end)
);

-- Events the broker gave up on: a record, not a queue (the sweep owns progress).
create table dead_letters (
  id bigint generated always as identity primary key,
  event_id text not null,
  type text not null,
  subject text,
  destination text,
  code text,
  detail text,
  recorded_at timestamptz not null default clock_timestamp()
);

-- Numbers that only grow and have no rows of their own.
create table counters (
  name text primary key,
  value bigint not null
);

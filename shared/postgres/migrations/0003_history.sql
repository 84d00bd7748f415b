-- What was normal: a rollup of episodes per pattern and hour, kept longer than the episodes; and decisions that know it.

-- Durations are counted in buckets with these upper bounds, in seconds (shared/envelope.ts has the same list).
create function duration_bounds() returns integer[] language sql immutable parallel safe as
$$ select array[15, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400,
  21600, 28800, 43200, 64800, 86400, 172800, 259200, 604800, 1209600, 2592000] $$;

-- An episode belongs to the hour in which it was first received: that never changes, so an hour can be counted again.
create table pattern_hours (
  pattern text not null,
  hour timestamptz not null,
  -- Episodes first received in the hour; those that were resolved; those that ended without a resolve.
  opened integer not null,
  healed integer not null,
  lost integer not null,
  -- Of those that were resolved: seconds in all, the longest, and how many by bucket of duration_bounds().
  seconds double precision not null,
  longest double precision not null,
  durations integer[] not null,
  -- Incidents that opened in the hour, and the most alerts that fired at once in one of them.
  incidents integer not null,
  at_once integer not null,
  primary key (pattern, hour)
);
create index pattern_hours_hour on pattern_hours (hour);

-- Hours to count again. Rows are only added by writers and only taken by the roll-up: nobody waits for anybody. A row
-- is seen exactly when the change that made it is seen, so no change is ever missed.
create table history_queue (
  id bigint generated always as identity primary key,
  pattern text not null,
  hour timestamptz not null
);
create index history_queue_hour on history_queue (pattern, hour);

create function queue_new_episodes() returns trigger language plpgsql set search_path from current as
$$ begin
  insert into history_queue (pattern, hour) select distinct pattern, date_trunc('hour', received_at, 'UTC') from added;
  return null;
end $$;
create trigger episodes_added after insert on episodes referencing new table as added
  for each statement execute function queue_new_episodes();

-- By row, with a condition: repeats are most of all updates, change nothing that is counted and cost nothing here.
-- A reopened episode joins an incident of the hour in which it was seen again.
create function queue_changed_episode() returns trigger language plpgsql set search_path from current as
$$ begin
  insert into history_queue (pattern, hour) values (new.pattern, date_trunc('hour', new.received_at, 'UTC'));
  if new.incident is distinct from old.incident then
    insert into history_queue (pattern, hour) values (new.pattern, date_trunc('hour', new.last_seen, 'UTC'));
  end if;
  return null;
end $$;
create trigger episodes_changed after update on episodes for each row
  when ((old.ended_at, old.end_reason, old.incident) is distinct from (new.ended_at, new.end_reason, new.incident))
  execute function queue_changed_episode();

-- The most alerts of an incident that fired at once; read it as greatest(peak, open_episodes).
alter table incidents add column peak integer not null default 1;
create function raise_peak() returns trigger language plpgsql set search_path from current as
$$ begin
  new.peak := greatest(old.peak, old.open_episodes, new.open_episodes);
  insert into history_queue (pattern, hour) values (new.pattern, date_trunc('hour', new.opened_at, 'UTC'));
  return new;
end $$;
create trigger incidents_peak before update on incidents for each row
  when (greatest(old.open_episodes, new.open_episodes) > old.peak) execute function raise_peak();

insert into history_queue (pattern, hour) select distinct pattern, date_trunc('hour', received_at, 'UTC') from episodes;
update incidents set peak = grown_to where grown_to > 1;

-- Criticals by namespace and time, the open lives of a pattern, and the twins of a pattern in another severity.
create index episodes_critical on episodes ((coalesce(namespace, '')), received_at) include (pattern, incident)
  where severity = 'critical' and not own;
create index episodes_open_pattern on episodes (pattern, starts_at) where ended_at is null;
create index patterns_alertname on patterns (alertname);
create index patterns_decided on patterns (pattern) where generation > 0;

-- What was normal for a pattern when a decision on it was made. The decision holds while this stays true.
create table decision_envelopes (
  pattern text not null,
  generation bigint not null,
  envelope jsonb not null,
  stored_at timestamptz not null default clock_timestamp(),
  primary key (pattern, generation)
);

-- Decisions that what they were made of has left: told once, and set aside until somebody decides again.
create table broken_decisions (
  pattern text not null,
  generation bigint not null,
  broken_at timestamptz not null,
  -- The notice that broke it and was told.
  notice text not null,
  sentence text not null,
  evidence jsonb not null,
  primary key (pattern, generation)
);

-- What the model said of a pattern, kept so that the next night asks nothing; who waits for it; how many ask at once.

create table explanations (
  pattern text not null references patterns on delete cascade,
  prompt_version text not null,
  -- Digest of the model's files; empty when no model could be asked.
  model_digest text not null,
  model text not null,
  -- The verified answer, or null and the reason why there is none.
  content jsonb,
  reason text,
  detail text,
  -- The facts of cluster and logs that the model was given, as the issue's page shows them.
  context jsonb not null,
  -- Raw texts; the retention of alerts empties them.
  prompt text,
  response text,
  prompt_tokens integer not null,
  output_tokens integer not null,
  calls integer not null,
  duration_ms integer not null,
  created_at timestamptz not null default clock_timestamp(),
  -- A pattern without an explanation is not asked about again before this.
  retry_at timestamptz,
  primary key (pattern, prompt_version, model_digest),
  check ((content is null) = (reason is not null))
);
create index explanations_created on explanations (created_at) where prompt is not null;

-- Patterns that wait for the model. `fence` grows with each claim: an old claimant stores nothing.
create table explanation_queue (
  pattern text primary key references patterns on delete cascade,
  -- The notice that brought it.
  notice text not null,
  wanted_at timestamptz not null default clock_timestamp(),
  -- Until then deliveries that are not critical wait for the explanation; they never wait longer.
  wait_until timestamptz not null,
  -- Since then nobody waits.
  released_at timestamptz,
  lease_until timestamptz,
  fence integer not null default 0
);
create index explanation_queue_wanted on explanation_queue (wanted_at);

-- One row per call to the model that may run at once, over all instances.
create table model_slots (
  slot integer primary key,
  holder text not null,
  lease_until timestamptz not null
);

-- Planned for later only because an explanation is on its way; and when a sent message was edited to carry one.
alter table deliveries add column waits boolean not null default false;
alter table deliveries add column edited_at timestamptz;

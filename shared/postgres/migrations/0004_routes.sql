-- Deliveries of digests beside those of notices; what stands in for a delivery that died; pace; escalation.

alter table deliveries alter column notice drop not null;
alter table deliveries
  add column digest bigint,
  -- Channels that get the message once when this delivery dies, as planned with it.
  add column fallback text[] not null default '{}',
  -- The channel whose delivery died and for which this one stands in; null for one that was planned.
  add column instead_of text,
  -- Pushed without sound because of the channel's quiet hours when it was planned.
  add column quiet boolean not null default false,
  -- When it was last handed to the provider; what a channel's pace is counted by.
  add column attempted_at timestamptz,
  -- The delivery whose message tells of this one: "40 alerts while phone was unreachable". It follows that one's fate.
  add column carrier bigint,
  add constraint deliveries_owner check (num_nonnulls(notice, digest) = 1);
create unique index deliveries_digest on deliveries (digest, channel) where digest is not null;
create index deliveries_pace on deliveries (channel, attempted_at) where attempted_at is not null;
create index deliveries_carrier on deliveries (carrier) where carrier is not null;

-- Who else is told when nobody acknowledged an incident. `step` names the route: each escalates an incident once.
create table escalations (
  id bigint generated always as identity primary key,
  incident text not null references incidents on delete cascade,
  step text not null,
  -- Alerts' time, as rules about alerts are judged.
  planned_at timestamptz not null,
  at timestamptz not null,
  channels text[] not null,
  -- What became of it; null while it waits.
  outcome text check (outcome in ('told', 'acknowledged', 'over')),
  -- The notice that tells of it.
  notice text,
  unique (incident, step),
  check ((outcome is not distinct from 'told') = (notice is not null))
);
create index escalations_due on escalations (at) where outcome is null;
create index escalations_notice on escalations (notice) where notice is not null;

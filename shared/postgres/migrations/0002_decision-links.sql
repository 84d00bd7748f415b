-- The links behind "Not concerning" and "Undo". All meaning sits here; the token only names a row and proves itself.

-- Which decision a notice tells of: the pattern's generation that the decision made; null for every other notice.
alter table notices add column decision bigint;

create table decision_links (
  id uuid primary key default gen_random_uuid(),
  pattern text not null references patterns on delete cascade,
  -- The notice whose message carries it; its retention ends the link too.
  notice text not null references notices on delete cascade,
  channel text not null,
  purpose text not null check (purpose in ('decide', 'undo')),
  -- For 'undo': the generation of the decision to take back.
  undo_generation bigint,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  -- The last try to act on it and from where, to see one network try many links.
  tried_at timestamptz,
  tried_from text,
  used_at timestamptz,
  -- Network of whoever used it (/24 or /48), never an address.
  used_from text,
  -- Generation of the decision it made.
  generation bigint,
  -- A message that is sent again carries the link it carried before.
  unique (notice, channel, purpose),
  check ((purpose = 'undo') = (undo_generation is not null)),
  check (used_at is not null or (used_from is null and generation is null))
);
create index decision_links_pattern on decision_links (pattern);
create index decision_links_tried on decision_links (tried_from, tried_at) where tried_at is not null;

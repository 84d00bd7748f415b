-- What became of the last test message of each channel. `asked_at` is set while a test waits for notify; the row called
-- '*' asks for every channel that notify has.
create table channel_tests (
  channel text primary key,
  asked_at timestamptz,
  asked_by text not null,
  tested_at timestamptz,
  taken boolean,
  -- The provider's answer or its refusal, for people.
  answer text
);

-- Numbers for /metrics that rows cannot give, because retention deletes rows and because rows do not say how long things
-- took. Writers only add changes, the sweep adds them up: nobody waits for anybody, and no number ever falls.

-- A change of a counter, or one observation of a histogram: `value` seconds, in the bucket with the upper bound `le`.
create table metric_changes (
  id bigint generated always as identity primary key,
  name text not null,
  labels jsonb not null default '{}',
  le double precision not null default 'infinity',
  value double precision not null
);

-- The sums of all changes so far; `times` is how many observations `value` is the sum of.
create table metric_totals (
  name text not null,
  labels jsonb not null,
  le double precision not null,
  value double precision not null,
  times bigint not null,
  primary key (name, labels, le)
);

-- Upper bounds of the buckets of every histogram, in seconds; the goals (90 s of the model, 120 s of a digest) among them.
create function metric_bounds() returns double precision[] language sql immutable parallel safe as
$$ select array[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 90, 120, 180, 300, 600, 1800, 3600, 14400]::double precision[] $$;

create function metric_bucket(seconds double precision) returns double precision language sql immutable parallel safe
  set search_path from current as
$$ select coalesce(min(bound), 'infinity') from unnest(metric_bounds()) as bound where bound >= seconds $$;

create function observe_metric(metric text, labels jsonb, seconds double precision) returns void language sql
  set search_path from current as
$$ insert into metric_changes (name, labels, le, value) values ($1, $2, metric_bucket(greatest($3, 0)), greatest($3, 0)) $$;

-- A reason is one word of the code's own; whatever else should ever stand there must not become a label.
create function count_final_notice() returns trigger language plpgsql set search_path from current as
$$ begin
  insert into metric_changes (name, labels, value) values ('alertgest_notices_total', jsonb_build_object('status', new.status,
    'reason', case when coalesce(new.reason, '') ~ '^[a-z-]{0,30}$' then coalesce(new.reason, '') else 'other' end), 1);
  return null;
end $$;
create trigger notices_final after update of status on notices for each row
  when (new.status in ('suppressed', 'notified', 'digested', 'dead') and old.status is distinct from new.status)
  execute function count_final_notice();

-- An attempt ends when a delivery is no longer being sent, or when its claim ran out and another has it.
create function count_delivery() returns trigger language plpgsql set search_path from current as
$$ begin
  if old.status = 'sending' then
    insert into metric_changes (name, labels, value) values ('alertgest_delivery_attempts_total', jsonb_build_object(
      'channel', new.channel, 'outcome', case
        when new.unknown_outcomes > old.unknown_outcomes then 'unknown'
        when new.status = 'sent' then 'sent'
        when new.status = 'dead' then 'refused'
        else 'retry' end), 1);
  end if;
  if new.status in ('sent', 'dead') and old.status <> new.status then
    insert into metric_changes (name, labels, value)
      select name, jsonb_build_object('channel', new.channel, 'status', new.status), 1
      from unnest(array['alertgest_delivery_total'] || case when new.digest is null then '{}'::text[]
        else array['alertgest_digest_delivery_total'] end) as name;
    if new.status = 'sent' and new.notice is not null then
      perform observe_metric('alertgest_delivery_duration_seconds', jsonb_build_object('channel', new.channel),
        extract(epoch from new.sent_at - (select created_at from notices where id = new.notice)));
    elsif new.status = 'sent' and not exists (
      select 1 from deliveries d where d.digest = new.digest and d.status = 'sent' and d.id <> new.id) then
      perform observe_metric('alertgest_digest_time_to_message_seconds', '{}',
        extract(epoch from new.sent_at - (select created_at from digests where id = new.digest)));
    end if;
  end if;
  return null;
end $$;
create trigger deliveries_counted after update on deliveries for each row
  when ((new.status <> 'sending' and new.status <> old.status) or new.unknown_outcomes > old.unknown_outcomes)
  execute function count_delivery();

create function count_model_use(model text, seconds double precision, prompt_tokens integer, completion_tokens integer)
  returns void language plpgsql set search_path from current as
$$ begin
  perform observe_metric('alertgest_llm_request_duration_seconds', jsonb_build_object('model', model), seconds);
  insert into metric_changes (name, labels, value)
    select 'alertgest_llm_tokens_total', jsonb_build_object('model', $1, 'type', t.type), t.tokens
    from (values ('prompt', prompt_tokens), ('completion', completion_tokens)) as t(type, tokens) where t.tokens > 0;
end $$;

create function count_digest() returns trigger language plpgsql set search_path from current as
$$ begin
  perform observe_metric('alertgest_digest_generation_duration_seconds', '{}', extract(epoch from new.built_at - new.created_at));
  if new.llm_model is not null then
    perform count_model_use(new.llm_model, new.llm_ms / 1000.0, new.prompt_tokens, new.completion_tokens);
  end if;
  return null;
end $$;
create trigger digests_counted after update of status on digests for each row
  when (old.status = 'building' and new.status <> 'building') execute function count_digest();

create function count_explanation() returns trigger language plpgsql set search_path from current as
$$ begin
  insert into metric_changes (name, labels, value) values ('alertgest_explanations_total', jsonb_build_object('result', case
    when new.content is not null then 'explained'
    when new.reason in ('timeout', 'aborted') then 'timeout'
    when new.reason in ('invalid-json', 'wrong-schema', 'rejected', 'truncated', 'too-long') then 'invalid'
    else 'unavailable' end), 1);
  -- No call: the model was never asked, and nothing took time.
  if new.calls > coalesce(old.calls, 0) then
    perform count_model_use(new.model, new.duration_ms / 1000.0, new.prompt_tokens, new.output_tokens);
  end if;
  return null;
end $$;
create trigger explanations_added after insert on explanations for each row execute function count_explanation();
create trigger explanations_replaced after update of created_at on explanations for each row execute function count_explanation();

create function count_rating() returns trigger language plpgsql set search_path from current as
$$ begin
  if tg_op = 'INSERT' or new.useful is distinct from old.useful then
    insert into metric_changes (name, labels, value) values ('alertgest_digest_ratings_total',
      jsonb_build_object('rating', case when new.useful then 'useful' else 'useless' end), 1);
  end if;
  return null;
end $$;
create trigger ratings_counted after insert or update of useful on ratings for each row execute function count_rating();

create function count_dead_letter() returns trigger language plpgsql set search_path from current as
$$ begin
  insert into metric_changes (name, value) values ('alertgest_dead_letters_total', 1);
  return null;
end $$;
create trigger dead_letters_counted after insert on dead_letters for each row execute function count_dead_letter();

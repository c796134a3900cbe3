-- Up Migration

-- The place of an event among those of all runs. Given out after the event is visible, by number_run_events(), one
-- numbering at a time: positions appear in their order and without gaps, whatever order writers commit in, and no
-- writer ever waits for another one.
alter table run_events add column position bigint;
create unique index run_events_position on run_events (position);
create index run_events_unnumbered on run_events (run_id, seq) where position is null;

-- now() is the time at which the transaction began: a writer that waited for the lock of its run would be dated back.
alter table run_events alter column at set default clock_timestamp();

-- By time, but never against the order of a run (its times may step back with the clock of the server).
create function number_run_events() returns void language plpgsql as $$
begin
  if not exists (select from run_events where position is null) then
    return;
  end if;
  -- Any constant: this is the only advisory lock of ours. The next statement sees what the holder before committed.
  perform pg_advisory_xact_lock(7294183016);
  with placed as (
    select run_id, seq, max(at) over (partition by run_id order by seq) as at
    from run_events where position is null
  ), numbered as (
    select run_id, seq, row_number() over (order by at, run_id, seq) as number from placed
  )
  update run_events as event
  set position = (select coalesce(max(position), 0) from run_events) + numbered.number
  from numbered where event.run_id = numbered.run_id and event.seq = numbered.seq;
end $$;

-- A wake-up and nothing more; who listens looks into the table.
create function notify_run_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('run_events', new.run_id::text);
  return null;
end $$;
create trigger run_events_notify after insert on run_events for each row execute function notify_run_event();

create index runs_state on runs (state);

-- API tokens; of the token itself only its SHA-256 is kept (it is random: there is nothing to guess).
create table tokens (
  id uuid primary key,
  name text not null,
  digest bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  -- To the minute: enough to find the ones that nobody needs.
  last_used_at timestamptz
);

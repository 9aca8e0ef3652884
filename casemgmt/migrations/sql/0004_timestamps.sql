-- Timestamps (RFC 3161) of others over what was published: what is below the size was there at that time.
create table ledger.timestamp(
  size bigint primary key references ledger.checkpoint,
  note text not null,                                       -- the exact bytes that were stamped
  time timestamptz not null,                                -- the authority's
  authority text not null,
  policy text not null,
  response bytea not null check (octet_length(response) <= 65536),
  at timestamptz not null default now()
);
create index on ledger.timestamp(at desc);

-- How it goes with the authorities just now: not a record, and overwritten.
create table ledger.timestamp_state(
  one boolean primary key default true check (one),
  failing_since timestamptz,                                 -- null: the last time one of them answered
  problem text not null default '',
  at timestamptz not null default now()
);

select access.make_append_only('ledger.timestamp');
do $$ declare t text; begin
  foreach t in array array['timestamp', 'timestamp_state'] loop
    perform access.protect(format('ledger.%I', t)::regclass);
    execute format('create policy open on ledger.%I for select to app, sequencer, verifier using (true)', t);
    execute format('create policy work on ledger.%I for insert to sequencer with check (true)', t);
  end loop;
end $$;
create policy again on ledger.timestamp_state for update to sequencer using (true);
grant select on ledger.timestamp, ledger.timestamp_state to app, sequencer, verifier;
grant insert (size, note, time, authority, policy, response) on ledger.timestamp to sequencer;
grant insert, update on ledger.timestamp_state to sequencer;

-- Who recomputes (the verifier, and the worker every day) reads, beside the ledger, the rows that are a copy of what entries say, and of them only those columns.
do $$ declare t text; begin
  foreach t in array array['custody.event', 'custody.handover', 'exhibits.exhibit', 'seizures.seizure'] loop
    execute format('create policy verify on %s for select to sequencer, verifier using (true)', t);
  end loop;
end $$;
grant usage on schema custody, exhibits, seizures to verifier;
grant select on custody.event to sequencer, verifier;
grant select (id, number, from_id, to_id, purpose) on custody.handover to sequencer, verifier;
grant select (id, seizure_id, number, seal_no, seal_state, status, holder_id, offered_to, last_seq, last_hash) on exhibits.exhibit to sequencer, verifier;
grant select (id, number) on seizures.seizure to sequencer, verifier;

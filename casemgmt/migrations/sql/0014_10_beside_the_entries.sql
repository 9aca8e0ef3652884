-- What no hash of the tree covers and nobody could make again: signatures over entries, the keys people enrolled, and what two phones
-- agreed. The sequencer
-- puts them into the object of the entries' batch; a recovery brings them back.

-- ==== reading them, for whoever sequences and whoever verifies
do $$ declare t text; begin
  foreach t in array array['custody.assertion', 'custody.signature', 'accounts.passkey'] loop
    execute format('create policy beside on %s for select to sequencer, verifier using (true)', t);
  end loop;
end $$;
grant usage on schema accounts to verifier;
grant select on custody.assertion, custody.signature, accounts.passkey to sequencer, verifier;

-- One line for everything that belongs to the entries in these places of the tree, the first entry's first. Bytes are lower-case hex;
-- what there is not is left out. docs/spec/ledger.md, The archive.
create function ledger.beside(p_first bigint, p_size bigint) returns table(entries bigint[], line jsonb)
language sql stable set search_path = '' as $$
  with e as (select l.leaf_index, x.* from ledger.leaf l join ledger.entry x on x.id = l.entry_id
              where l.leaf_index >= p_first and l.leaf_index < p_size)
  select array_agg(e.leaf_index order by e.leaf_index), jsonb_strip_nulls(jsonb_build_object('what', 'signature',
           'request', a.request_id, 'person', a.person_id, 'origin', a.origin, 'rp_id', a.rp_id, 'spki', encode(a.spki, 'hex'),
           'statement', encode(a.statement, 'hex'), 'client_data', encode(a.client_data, 'hex'),
           'authenticator_data', encode(a.authenticator_data, 'hex'), 'signature', encode(a.signature, 'hex'), 'record', encode(a.record, 'hex')))
    from e join custody.signature s on s.exhibit_id = e.exhibit_id and s.seq = e.stream_seq
    join custody.assertion a on a.id = s.assertion_id
   where e.stream like 'exhibit:%'
   group by a.id
  union all
  select array[e.leaf_index], jsonb_strip_nulls(jsonb_build_object('what', 'key', 'means', k.kind, 'person', k.person_id,
           'name', k.name, 'spki', encode(k.spki, 'hex'), 'algorithm', k.algorithm, 'credential', encode(k.credential, 'hex'),
           'aaguid', k.aaguid, 'attestation_format', k.attestation_format, 'attestation', encode(k.attestation, 'hex'),
           'client_data', encode(k.client_data, 'hex'), 'transports', to_jsonb(k.transports), 'backup_eligible', k.backup_eligible,
           'backed_up', k.backed_up, 'rp_id', k.rp_id, 'origin', k.origin, 'device', k.device, 'proof', encode(k.proof, 'hex')))
    from e join accounts.passkey k on k.fingerprint = decode(convert_from(e.body, 'UTF8')::jsonb #>> '{data,key}', 'hex')
   where e.stream like 'passkeys:%' and e.type like '%:enrolled'
  union all
  select array[e.leaf_index], jsonb_strip_nulls(jsonb_build_object('what', 'agreement', 'id', a.client_id, 'from', a.from_id, 'to', a.to_id,
           'from_unit', a.from_unit, 'from_agency', a.from_agency, 'to_unit', a.to_unit, 'to_agency', a.to_agency,
           'offer', encode(a.offer, 'hex'), 'offer_signature', encode(a.offer_signature, 'hex'), 'offer_spki', encode(a.offer_spki, 'hex'),
           'answer', encode(a.answer, 'hex'), 'answer_signature', encode(a.answer_signature, 'hex'), 'answer_spki', encode(a.answer_spki, 'hex')))
    from e join custody.agreement a on e.stream = 'agreement:' || a.client_id
     and encode(a.offer_sha256, 'hex') = convert_from(e.body, 'UTF8')::jsonb #>> '{data,offer}'
     and encode(a.answer_sha256, 'hex') = convert_from(e.body, 'UTF8')::jsonb #>> '{data,answer}'
   where e.type = 'custody:agreement:brought'
  order by 1 $$;
revoke execute on function ledger.beside from public;
grant execute on function ledger.beside to sequencer, verifier;

-- ==== what a recovery found beside the entries it brought back
create table ledger.returned(first bigint primary key, line jsonb not null);   -- the id of the first entry it belongs to
create table ledger.returned_entry(entry_id bigint primary key references ledger.entry, first bigint not null references ledger.returned);
create index on ledger.returned_entry(first);
select access.make_append_only('ledger.returned');
select access.make_append_only('ledger.returned_entry');
grant select on ledger.returned, ledger.returned_entry to sequencer, verifier, access_fn;
grant insert on ledger.returned, ledger.returned_entry to access_fn;

-- What came back signs events of another moment, perhaps with a key that was revoked since. Only whoever may migrate brings it back.
drop trigger key_holds on custody.assertion;
create trigger key_holds before insert on custody.assertion for each row when (session_user <> 'owner_login') execute function access.key_holds();
drop trigger of_the_moment on custody.signature;
create constraint trigger of_the_moment after insert on custody.signature for each row when (session_user <> 'owner_login') execute function access.of_the_moment();
create policy recover on custody.assertion for insert to access_fn with check (true);
create policy recover on custody.signature for insert to access_fn with check (true);
create policy recover on accounts.passkey for insert to access_fn with check (true);
create policy recover on accounts.passkey_revocation for insert to access_fn with check (true);
create policy recover on seizures.number_block for insert to access_fn with check (true);
grant insert on custody.assertion, custody.signature, accounts.passkey, accounts.passkey_revocation, seizures.number_block to access_fn;
grant select on seizures.number_block, accounts.unit to access_fn;
grant usage on all sequences in schema accounts, custody, seizures to access_fn;

grant create on schema ledger to access_fn;
set local role access_fn;

create function ledger.take_beside(p_lines jsonb) returns void language sql volatile security definer set search_path = '' as $$
  with x as (select (v -> 'entries' ->> 0)::bigint as first, v -> 'entries' as entries, v -> 'line' as line from jsonb_array_elements(p_lines) v),
       a as (insert into ledger.returned(first, line) select x.first, x.line from x on conflict do nothing)
  insert into ledger.returned_entry(entry_id, first) select e::bigint, x.first from x, jsonb_array_elements_text(x.entries) e on conflict do nothing $$;

-- A custody event that was made up for gets the signature that came back with its entry. False: none came back, or its key did not.
create function ledger.sign_again(p_exhibit bigint, p_seq int, p_entry bigint, p_handover bigint) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare v jsonb; k bigint; a bigint;
begin
  select r.line into v from ledger.returned_entry e join ledger.returned r on r.first = e.first where e.entry_id = p_entry and r.line ->> 'what' = 'signature';
  if not found then return false; end if;
  select x.id into k from accounts.passkey x where x.spki = decode(v ->> 'spki', 'hex') and x.person_id = (v ->> 'person')::bigint;
  if not found then return false; end if;
  select x.id into a from custody.assertion x where x.request_id = (v ->> 'request')::uuid;
  if not found then
    insert into custody.assertion(request_id, person_id, passkey_id, handover_id, spki, rp_id, origin, statement, client_data, authenticator_data, signature, record, at)
    select (v ->> 'request')::uuid, (v ->> 'person')::bigint, k, p_handover, decode(v ->> 'spki', 'hex'), v ->> 'rp_id', v ->> 'origin',
           decode(v ->> 'statement', 'hex'), decode(v ->> 'client_data', 'hex'), decode(v ->> 'authenticator_data', 'hex'),
           decode(v ->> 'signature', 'hex'), decode(v ->> 'record', 'hex'), l.at
      from ledger.entry l where l.id = p_entry returning id into a;
  end if;
  insert into custody.signature(exhibit_id, seq, assertion_id) values (p_exhibit, p_seq, a);
  return true;
end $$;

-- Custody events that came back and say that they are signed, and whose signature did not come back.
create function ledger.unsigned() returns table(stream text, stream_seq int) language sql stable security definer set search_path = '' as $$
  select l.stream, l.stream_seq from ledger.entry l join custody.event c on c.exhibit_id = l.exhibit_id and c.seq = l.stream_seq
   where l.recovered and l.stream like 'exhibit:%' and convert_from(l.body, 'UTF8')::jsonb #>> '{data,signature,means}' in ('passkey', 'pin')
     and not exists (select from custody.signature s where s.exhibit_id = c.exhibit_id and s.seq = c.seq)
   order by l.id limit 1000 $$;

-- Keys that were enrolled, and then those that were revoked, in entries that came back. What cannot be done is answered with its reason.
create function ledger.bring_back_keys() returns table(stream text, key text, done boolean) language plpgsql volatile security definer set search_path = '' as $$
declare l record; v jsonb;
begin
  for l in select x.*, convert_from(x.body, 'UTF8')::jsonb -> 'data' as d from ledger.entry x
            where x.recovered and x.stream like 'passkeys:%' and x.type like '%:enrolled' order by x.id loop
    stream := l.stream; key := l.d ->> 'key';
    continue when exists (select from accounts.passkey k where k.fingerprint = decode(l.d ->> 'key', 'hex'));
    select r.line into v from ledger.returned r where r.first = l.id and r.line ->> 'what' = 'key';
    done := found and exists (select from accounts.person p where p.id = (v ->> 'person')::bigint and l.stream = 'passkeys:' || p.login);
    if done then
      insert into accounts.passkey(person_id, kind, device, proof, credential, spki, algorithm, name, aaguid, attestation_format, attestation,
        client_data, transports, backup_eligible, backed_up, rp_id, origin, enrolled_at)
      values ((v ->> 'person')::bigint, v ->> 'means', (v ->> 'device')::uuid, decode(v ->> 'proof', 'hex'), decode(v ->> 'credential', 'hex'),
        decode(v ->> 'spki', 'hex'), (v ->> 'algorithm')::int, v ->> 'name', (v ->> 'aaguid')::uuid, v ->> 'attestation_format',
        decode(v ->> 'attestation', 'hex'), decode(v ->> 'client_data', 'hex'), array(select jsonb_array_elements_text(v -> 'transports')),
        (v ->> 'backup_eligible')::boolean, (v ->> 'backed_up')::boolean, v ->> 'rp_id', v ->> 'origin', l.at);
    end if;
    return next;
  end loop;
end $$;
create function ledger.bring_back_revocations() returns table(stream text, key text, done boolean) language plpgsql volatile security definer set search_path = '' as $$
declare l record; k bigint;
begin
  for l in select x.*, convert_from(x.body, 'UTF8')::jsonb -> 'data' as d from ledger.entry x
            where x.recovered and x.stream like 'passkeys:%' and x.type like '%:revoked' order by x.id loop
    stream := l.stream; key := l.d ->> 'key';
    select x.id into k from accounts.passkey x where x.fingerprint = decode(l.d ->> 'key', 'hex');
    continue when not found or exists (select from accounts.passkey_revocation r where r.passkey_id = k);
    done := exists (select from accounts.person p where p.id = l.actor_id);
    if done then
      insert into accounts.passkey_revocation(passkey_id, revoked_by, reason, note, at)
      values (k, l.actor_id, coalesce(nullif(l.d ->> 'reason', ''), 'other'), coalesce(l.d ->> 'note', ''), l.at);
    end if;
    return next;
  end loop;
end $$;

-- Numbers that a device holds: its block is its own again, and no other device and no server gives them.
create function ledger.bring_back_blocks(events uuid[], codes text[], years int[], firsts int[], counts int[], devices uuid[]) returns int
language sql volatile security definer set search_path = '' as $$
  with x as (insert into seizures.number_block(client_id, device, person_id, unit_id, year, first, count, at)
    select b.event_id, b.device, p.id, u.id, b.year, b.first, b.count, l.at
      from unnest(events, codes, years, firsts, counts, devices) b(event_id, code, year, first, count, device)
      join ledger.entry l on l.event_id = b.event_id join accounts.person p on p.id = l.actor_id join accounts.unit u on u.code = b.code
    on conflict do nothing returning 1)
  select count(*)::int from x $$;

-- ==== Every leaf is of an entry. Asked once for a batch, where a foreign key asks once for each leaf and takes most of the time that
-- placing a batch takes.
create function ledger.leaves_have_entries() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  -- an array: whatever the planner believes of the batch, entries are found by their number
  if (select count(*) from ledger.entry e where e.id = any (array(select n.entry_id from added n))) <> (select count(*) from added) then
    raise exception 'a leaf of no entry' using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

revoke execute on function ledger.take_beside, ledger.sign_again, ledger.unsigned, ledger.bring_back_keys, ledger.bring_back_revocations,
  ledger.bring_back_blocks, ledger.leaves_have_entries from public;
grant execute on function ledger.take_beside, ledger.unsigned, ledger.bring_back_keys, ledger.bring_back_revocations, ledger.bring_back_blocks
  to owner_login;
grant execute on function ledger.leaves_have_entries to owner;  -- to make the trigger

set local role owner;
revoke create on schema ledger from access_fn;

alter table ledger.leaf drop constraint leaf_entry_id_fkey;
create trigger leaves_have_entries after insert on ledger.leaf referencing new table as added for each statement execute function ledger.leaves_have_entries();
alter table ledger.leaf enable always trigger leaves_have_entries;

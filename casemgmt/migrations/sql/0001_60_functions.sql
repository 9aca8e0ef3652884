-- The event pipeline: each call is one statement and therefore one transaction, whoever sends it.

-- ==== ledger
-- The head of a stream, locked until the transaction ends. An exhibit's head is on the exhibit itself.
create function ledger.head(p_stream text) returns table(seq int, hash bytea) language plpgsql volatile security definer set search_path = '' as $$
begin
  if access.me() is null then raise exception 'no actor' using errcode = 'insufficient_privilege'; end if;
  if not access.writes_to(p_stream) then raise exception 'no such record' using errcode = 'CM004'; end if;
  return query
    insert into ledger.stream as s (stream, seq) values (p_stream, 0)
    on conflict (stream) do update set seq = s.seq returning s.seq, s.hash;
end $$;

create function ledger.on_entry() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.stream like 'exhibit:%' then return null; end if;
  update ledger.stream s set seq = new.stream_seq, hash = new.leaf_hash where s.stream = new.stream and s.seq = new.stream_seq - 1;
  if not found then raise exception 'event % of % does not follow its head', new.stream_seq, new.stream using errcode = 'CM001'; end if;
  return null;
end $$;
create trigger move_head after insert on ledger.entry for each row execute function ledger.on_entry();

-- ==== custody. CM001 = someone was first (conflict); CM002 = a rule of custody does not allow it.
-- Arrays run in parallel, one element per exhibit. The bodies were built on (seq, prev) as the page showed them;
-- the comparison here is the lock.

create function custody.step(p_exhibit bigint, p_handover bigint, p_kind text, p_expected int, p_prev bytea, p_event uuid, p_type text, p_body bytea,
    p_from bigint, p_to bigint, p_seal text, p_seal_state text, p_reason text, p_discrepancy text, p_note text, p_device_at timestamptz,
    p_set_holder bigint, p_set_offered bigint, p_set_seal text, p_set_seal_state text, p_set_status text, p_offered_was bigint)
returns void language plpgsql as $$
begin
  with x as (
    update exhibits.exhibit e
       set last_seq = e.last_seq + 1, last_hash = sha256('\x00'::bytea || p_body),
           holder_id = coalesce(p_set_holder, e.holder_id), offered_to = p_set_offered,
           seal_no = coalesce(p_set_seal, e.seal_no), seal_state = coalesce(p_set_seal_state, e.seal_state), status = coalesce(p_set_status, e.status)
     where e.id = p_exhibit and e.last_seq = p_expected and e.last_hash = p_prev
       and e.holder_id = p_from and e.offered_to is not distinct from p_offered_was
     returning e.id, e.seizure_id, e.number, e.last_seq, e.last_hash),
  c as (
    insert into custody.event(exhibit_id, seq, seizure_id, kind, handover_id, from_id, to_id, seal_no, seal_state, reason, discrepancy, note, device_at, hash, prev)
    select x.id, x.last_seq, x.seizure_id, p_kind, p_handover, p_from, p_to, p_seal, p_seal_state, p_reason, p_discrepancy, p_note, p_device_at, x.last_hash, p_prev from x)
  insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, exhibit_id, body)
  select p_event, 'exhibit:' || x.number, x.last_seq, p_type, x.seizure_id, x.id, p_body from x;
  if not found then
    raise exception 'exhibit % has moved on', p_exhibit using errcode = 'CM001';
  end if;
end $$;

-- No change without its event, held by the database itself: when the transaction ends, the head an exhibit carries must be a
-- custody event whose bytes are in the ledger, and no custody event may run ahead of its exhibit.
create function access.event_beside() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from custody.event c join exhibits.exhibit e on e.id = c.exhibit_id
                   join ledger.entry l on l.stream = 'exhibit:' || e.number and l.stream_seq = c.seq
                  where c.exhibit_id = new.id and c.seq = new.last_seq and c.hash = new.last_hash and l.leaf_hash = new.last_hash) then
    raise exception 'exhibit % changed without its event', new.id using errcode = 'CM002';
  end if;
  return null;
end $$;
create function access.exhibit_beside() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from exhibits.exhibit e join ledger.entry l on l.stream = 'exhibit:' || e.number and l.stream_seq = new.seq
                  where e.id = new.exhibit_id and e.last_seq >= new.seq and l.leaf_hash = new.hash) then
    raise exception 'custody event % of exhibit % stands alone', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  return null;
end $$;
create constraint trigger event_beside after insert or update of holder_id, offered_to, status, seal_no, seal_state, last_seq, last_hash on exhibits.exhibit
  deferrable initially deferred for each row execute function access.event_beside();
create constraint trigger exhibit_beside after insert on custody.event
  deferrable initially deferred for each row execute function access.exhibit_beside();

-- What both sides are decided on, read in one call as the actor sees it (security invoker: the policies stay on).
-- Hashes leave in base64. Generic plans: the planner would plan an array anew at every call, which costs more than the reading.
create function custody.thing(e exhibits.exhibit) returns json language sql stable return
  json_build_object('id', e.id, 'number', e.number, 'holder_id', e.holder_id, 'offered_to', e.offered_to, 'last_seq', e.last_seq,
    'last_hash', encode(e.last_hash, 'base64'), 'seal_no', e.seal_no, 'seal_state', e.seal_state);
create function custody.party(p accounts.person) returns json language sql stable return
  json_build_object('id', p.id, 'name', p.name, 'badge', p.badge);

-- The hand-over this offer made when it was sent before; or the receiver if an appointment of theirs is one of p_kinds, those of
-- the exhibits that I see, and the unit's next serial number.
create function custody.offer_facts(token bytea, p_client uuid, p_to bigint, p_kinds text[], exhibits_ bigint[], p_unit bigint, p_year int)
returns json language plpgsql set plan_cache_mode = force_generic_plan as $$
declare me bigint := access.enter(token); facts json;
begin
  if me is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  select json_build_object('earlier', o.id, 'same', o.to_id = p_to and
      (select array_agg(i.exhibit_id order by i.exhibit_id) from custody.handover_item i where i.handover_id = o.id)
        is not distinct from (select array_agg(distinct x order by x) from unnest(exhibits_) x))
    into facts from custody.handover o where o.from_id = me and o.client_id = p_client;
  if found then return facts; end if;
  -- All this transaction writes is the serial number. It may be lost with the server's power: the offer that uses it comes
  -- later in the log and is on the disk only together with it.
  perform set_config('synchronous_commit', 'off', true);
  return json_build_object(
    'receiver', (select custody.party(p) from accounts.person p where p.id = p_to and exists (
        select from accounts.appointment a where a.person_id = p_to and a.kind = any (p_kinds) and a.valid @> now())),
    'exhibits', (select coalesce(json_agg(custody.thing(e)), '[]') from exhibits.exhibit e where e.id = any (exhibits_)),
    'serial', case when p_unit is not null then accounts.next_serial(p_unit, 'handover', p_year) end);
end $$;

-- The terms of a hand-over, its two people and its exhibits: each with the seal as it was offered, and as it stands now if I see it.
create function custody.answer_facts(token bytea, p_handover bigint) returns json
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare facts json;
begin
  if access.enter(token) is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  select json_build_object('number', h.number, 'purpose', h.purpose, 'place', h.place,
      'latitude', h.latitude::text, 'longitude', h.longitude::text, 'accuracy_m', h.accuracy_m::text,
      'giver', (select custody.party(p) from accounts.person p where p.id = h.from_id),
      'receiver', (select custody.party(p) from accounts.person p where p.id = h.to_id),
      'items', (select json_agg(json_build_object('exhibit_id', i.exhibit_id, 'state', i.state, 'seal_no', c.seal_no, 'seal_state', c.seal_state,
                    'exhibit', (select custody.thing(e) from exhibits.exhibit e where e.id = i.exhibit_id)))
                  from custody.handover_item i
                  left join custody.event c on c.exhibit_id = i.exhibit_id and c.handover_id = i.handover_id and c.kind = 'offered'
                 where i.handover_id = h.id))
    into facts from custody.handover h where h.id = p_handover;
  if not found then raise exception 'no such hand-over' using errcode = 'CM004'; end if;
  return facts;
end $$;

-- Offer exhibits I hold to one person. Returns the hand-over's id.
create function custody.offer(token bytea, p_client uuid, p_number text, p_to bigint, p_purpose text, p_place text, p_note text,
    p_lat numeric, p_lon numeric, p_acc numeric, p_device_at timestamptz,
    exhibits_ bigint[], expected int[], prevs bytea[], events uuid[], bodies bytea[], seals text[], seal_states text[])
returns bigint language plpgsql as $$
declare me bigint := access.enter(token); h bigint;
begin
  if me is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  insert into custody.handover(client_id, number, to_id, purpose, place, note, latitude, longitude, accuracy_m, device_at)
    values (p_client, p_number, p_to, p_purpose, p_place, p_note, p_lat, p_lon, p_acc, p_device_at)
    on conflict (from_id, client_id) do nothing returning id into h;
  if h is null then return (select o.id from custody.handover o where o.from_id = me and o.client_id = p_client); end if;
  for i in 1 .. cardinality(exhibits_) loop
    perform custody.step(exhibits_[i], h, 'offered', expected[i], prevs[i], events[i], 'custody:handover:offered', bodies[i],
      me, p_to, seals[i], seal_states[i], null, null, p_note, p_device_at, null, p_to, null, null, null, null);
    insert into custody.handover_item(handover_id, exhibit_id, seizure_id, from_id, to_id)
      select h, e.id, e.seizure_id, me, p_to from exhibits.exhibit e where e.id = exhibits_[i];
  end loop;
  return h;
end $$;

-- Answer offered exhibits: the receiver accepts or refuses each, or the giver withdraws. All or nothing.
create function custody.answer(token bytea, p_handover bigint, p_device_at timestamptz,
    exhibits_ bigint[], kinds text[], expected int[], prevs bytea[], events uuid[], bodies bytea[],
    seals text[], seal_states text[], reasons text[], discrepancies text[], notes text[])
returns void language plpgsql as $$
declare me bigint := access.enter(token); h record; k text; was text;
begin
  if me is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  select o.from_id, o.to_id, o.purpose into h from custody.handover o where o.id = p_handover;
  if not found then raise exception 'no such hand-over' using errcode = 'CM004'; end if;
  for i in 1 .. cardinality(exhibits_) loop
    k := kinds[i];
    if k not in ('accepted', 'refused', 'withdrawn') or (k = 'withdrawn') is distinct from (me = h.from_id) or (k <> 'withdrawn' and me <> h.to_id) then
      raise exception 'this is not yours to answer' using errcode = 'CM002';
    end if;
    -- the lock: of two who answer at once, the second finds the state moved
    perform from custody.handover_item t
     where t.handover_id = p_handover and t.exhibit_id = exhibits_[i] and t.state = 'offered' for update;
    if not found then raise exception 'exhibit % is not on offer any more', exhibits_[i] using errcode = 'CM001'; end if;
    if k = 'accepted' then
      select e.seal_no into was from exhibits.exhibit e where e.id = exhibits_[i];
      if (seals[i] is distinct from was or coalesce(seal_states[i], 'none') not in ('intact', 'none')) and coalesce(discrepancies[i], '') = '' then
        raise exception 'a seal that differs needs a discrepancy' using errcode = 'CM002';
      end if;
    end if;
    perform custody.step(exhibits_[i], p_handover, k, expected[i], prevs[i], events[i], 'custody:handover:' || k, bodies[i],
      h.from_id, h.to_id, seals[i], seal_states[i], reasons[i], discrepancies[i], notes[i], p_device_at,
      case k when 'accepted' then h.to_id end, null,
      case k when 'accepted' then seals[i] end, case k when 'accepted' then seal_states[i] end,
      case when k = 'accepted' then case h.purpose when 'storage' then 'in_storage' when 'laboratory' then 'in_laboratory' when 'court' then 'in_court' when 'return' then 'returned' else 'held' end end,
      h.to_id);
    -- last: with a refusal the receiver may lose sight of the exhibit, whose event has to be written while they see it
    update custody.handover_item t set state = k, answered_at = now() where t.handover_id = p_handover and t.exhibit_id = exhibits_[i];
  end loop;
end $$;

-- ==== search: starts from what I may see, never from what matches
create function access.scope_units() returns bigint[] language sql stable security definer set search_path = '' as $$
  select access.units() || coalesce((select array_agg(u.id) from accounts.unit u where u.agency_id = any (access.agencies())), '{}') $$;

-- Words. Never returns an id the policy would hide. OFFSET 0 fences keep the second branch starting at my reach and never at the
-- word, so its time does not depend on rows I may not see; the first reads the shared index, which holds no need-to-know row.
create function access.find_text(q tsquery, before bigint, n int) returns setof bigint
language plpgsql stable security definer rows 50 set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare u bigint[] := access.scope_units(); p bigint[] := access.principals(); scope tsquery;
begin
  select string_agg('''u:' || x || '''', ' | ')::tsquery into scope from unnest(u) x;
  return query
    (select t.exhibit_id from access.exhibit_text t where scope is not null and t.tsv @@ (q && scope) and not t.ntk and t.exhibit_id < before order by t.exhibit_id desc limit n)
    union
    (select f.exhibit_id from (select distinct r.seizure_id from access.reach r where r.principal = any (p) and r.until > now() offset 0) r
        cross join lateral (select t.exhibit_id, t.tsv from access.exhibit_text t where t.seizure_id = r.seizure_id offset 0) f
      where f.tsv @@ q and f.exhibit_id < before order by f.exhibit_id desc limit n)
    order by 1 desc limit n;
end $$;

-- Keys: exact = [k, k || chr(1)), prefix = [k, next(k)). Security invoker: the policies stay on; = < >= on text are leakproof.
create function access.find_key(lo text, hi text, n int) returns setof bigint
language sql stable rows 50 set plan_cache_mode = force_generic_plan as $$
  select s from (
    (select t.seizure_id s from access.search_key t where t.unit_id = any ((select access.scope_units())::bigint[]) and not t.ntk
       and t.key >= lo collate "C" and t.key < hi collate "C" limit n)
    union
    (select f.seizure_id from (select distinct r.seizure_id from access.my_reach r offset 0) r
       cross join lateral (select t.seizure_id from access.search_key t where t.seizure_id = r.seizure_id and t.key >= lo collate "C" and t.key < hi collate "C" offset 0) f limit n)) x limit n $$;
create function access.find_case_key(lo text, hi text, n int) returns setof bigint
language sql stable rows 50 set plan_cache_mode = force_generic_plan as $$
  select s from (
    (select t.case_id s from access.case_key t where t.unit_id = any ((select access.scope_units())::bigint[]) and not t.ntk
       and t.key >= lo collate "C" and t.key < hi collate "C" limit n)
    union
    (select f.case_id from (select distinct r.case_id from access.my_case_reach r offset 0) r
       cross join lateral (select t.case_id from access.case_key t where t.case_id = r.case_id and t.key >= lo collate "C" and t.key < hi collate "C" offset 0) f limit n)) x limit n $$;

-- Need to know: only a supervisor of the seizure's unit hides it from all but these people, or shows it again. A plain UPDATE
-- could not: the row it leaves must be visible to who updates it, and reach follows only after the update.
create function access.mark(p_seizure bigint, hidden boolean, people bigint[]) returns void language plpgsql volatile security definer set search_path = '' as $$
declare u bigint;
begin
  select s.unit_id into u from seizures.seizure s where s.id = p_seizure;
  if u is null or not access.holds('supervisor', u) then
    raise exception 'only a supervisor of the unit decides who needs to know' using errcode = 'insufficient_privilege';
  end if;
  delete from access.named n where n.seizure_id = p_seizure and n.person_id <> all (people);
  insert into access.named(seizure_id, person_id) select p_seizure, x from unnest(people) x on conflict do nothing;
  update seizures.seizure s set ntk = hidden where s.id = p_seizure and s.ntk is distinct from hidden;
end $$;

-- ==== ownership. access_fn may read every row, write reach and the accounts' secrets, and nothing else.
grant usage on schema accounts, access, ledger, seizures, exhibits, evidence, custody, cases, sharing, packages to access_fn;
grant create on schema accounts, access, ledger to access_fn;
grant select on all tables in schema accounts, access, ledger, seizures, exhibits, evidence, custody, cases, sharing, packages to access_fn;
grant insert, update, delete on access.reach, access.case_reach to access_fn;
grant insert, delete on access.named to access_fn;
grant insert, update, delete on accounts.session, accounts.credential, accounts.failed_sign_in, accounts.serial to access_fn;
grant insert, update on ledger.stream to access_fn;
grant update (ntk) on seizures.seizure, exhibits.exhibit, evidence.file, access.search_key, access.exhibit_text to access_fn;
grant update (status) on cases.case_file to access_fn;
create policy write_fn on access.named for insert to access_fn with check (true);
create policy drop_fn on access.named for delete to access_fn using (true);
revoke execute on all functions in schema accounts, access, ledger, custody from public;
grant execute on all functions in schema access to access_fn;
grant execute on all functions in schema accounts to access_fn;
grant execute on function access.me, access.enter, access.reader, access.units, access.agencies, access.principals, access.scope_units, access.holds,
  access.is_administrator, access.between, access.find_text, access.find_key, access.find_case_key, access.mark to app;
grant execute on function accounts.whoami, accounts.end_session, accounts.end_sessions, accounts.my_sessions, accounts.reset_password, accounts.next_serial to app;
-- whoever runs the migrations also makes the first administrator (owner itself cannot: the function is not its own any more)
grant usage on schema accounts to owner_login;
grant execute on function accounts.first_administrator to owner_login;
grant execute on function accounts.credential_of, accounts.note_failure, accounts.open_session to gate;
grant execute on function ledger.head, custody.step, custody.thing, custody.party, custody.offer_facts, custody.answer_facts, custody.offer, custody.answer
  to app;
grant execute on function access.enter_as, access.drift, access.case_drift, access.begin_grants, access.me, access.reader, access.units, access.agencies, access.principals to sequencer;
grant execute on function access.refuse, access.only_projection to app, sequencer, access_fn;

-- Last of all: after this only access_fn itself could take a right on these functions back.
do $$ declare f record; begin
  for f in select p.oid::regprocedure as sig from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname in ('accounts', 'access', 'ledger') and p.prosecdef loop
    execute 'alter function ' || f.sig || ' owner to access_fn';
  end loop;
end $$;
revoke create on schema accounts, access, ledger from access_fn;

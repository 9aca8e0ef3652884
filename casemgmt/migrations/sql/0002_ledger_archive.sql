-- Between an entry and its signature: waiting, in the tree, in the write-once store, signed. Each step is kept by itself,
-- so that a crash between any two leaves one way on.

-- ==== waiting: entries that have no place in the tree yet. A row becomes visible when its transaction commits, so nothing is
-- passed over, whatever commits late; and it says nothing of this server, so a dump may be loaded into another one.
create table ledger.waiting(entry_id bigint primary key)
  with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0.2);
create policy migrate on ledger.entry for select to owner using (true);
insert into ledger.waiting(entry_id)
  select e.id from ledger.entry e where not exists (select from ledger.leaf l where l.entry_id = e.id);
drop policy migrate on ledger.entry;

-- ==== a batch of entries in the tree, the object it is kept in, and the checkpoint over it
create table ledger.batch(
  first bigint primary key,                   -- index of its first entry
  size bigint not null unique,                -- of the tree with it
  root bytea not null check (octet_length(root) = 32),
  at timestamptz not null default now(),
  check (first >= 0 and size > first)
);
insert into ledger.batch(first, size, root, at)
  select x.first, x.size, x.root, x.at
    from (select lag(c.size) over (order by c.size) as first, c.size, c.root, c.at from ledger.checkpoint c) x
   where x.first is not null;
create table ledger.archived(
  first bigint primary key references ledger.batch,
  object_key text not null unique,
  version text,
  size bigint not null,                       -- in bytes
  sha256 bytea not null check (octet_length(sha256) = 32),
  retained_until timestamptz,
  at timestamptz not null default now()
);

-- Batches follow one another without a gap; and the database itself takes no checkpoint of a tree whose entries are not in the
-- write-once store, nor one that does not follow the last.
create function ledger.batch_follows() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.first is distinct from (select coalesce(max(b.size), 0) from ledger.batch b) then
    raise exception 'a batch from % does not follow the last one', new.first using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger follows before insert on ledger.batch for each row execute function ledger.batch_follows();
create function ledger.checkpoint_follows() returns trigger language plpgsql set search_path = '' as $$
declare last bigint := (select max(c.size) from ledger.checkpoint c);
begin
  if last is null and new.size = 0 then return new; end if;
  if not exists (select from ledger.batch b join ledger.archived a on a.first = b.first
                  where b.first = last and b.size = new.size and b.root = new.root) then
    raise exception 'the tree of % entries is not in the write-once store, or does not follow the last checkpoint', new.size
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger follows before insert on ledger.checkpoint for each row execute function ledger.checkpoint_follows();

-- ==== the log stopped for good: what it would sign is not what it signed before. Until somebody recovered it, nobody writes
-- events that could have no place.
create table ledger.halt(
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  reason text not null
);
create table ledger.recovery(
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  from_size bigint not null, to_size bigint not null,
  missing jsonb not null                      -- what the archive's entries speak of and this database has no rows for, by number
);
-- An entry that came back from the store (recovered), and one whose records did not come back with it (detached): only who
-- made it reads that one.
alter table ledger.entry add column recovered boolean not null default false;
alter table ledger.entry add column detached boolean not null default false;
create policy detached on ledger.entry as restrictive for select to app using (not detached or actor_id = (select access.reader()));

create function ledger.halted() returns text language sql stable security definer set search_path = '' as $$
  select h.reason from ledger.halt h
   where not exists (select from ledger.recovery r where r.at >= h.at) order by h.id desc limit 1 $$;
create function ledger.await_place() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if session_user <> 'owner_login' and exists (select from ledger.halt) and ledger.halted() is not null then
    raise exception 'the ledger has stopped: %', ledger.halted() using errcode = 'CM006';
  end if;
  insert into ledger.waiting(entry_id) values (new.id);
  return null;
end $$;
create trigger await_place after insert on ledger.entry for each row execute function ledger.await_place();
alter table ledger.entry enable always trigger await_place;

-- ==== what the last recomputations found
create table ledger.verification(
  id bigint generated always as identity primary key,
  began timestamptz not null, ended timestamptz not null default now(),
  entries bigint not null, checkpoints bigint not null, streams bigint not null, objects bigint not null,
  waiting bigint not null, root bytea not null,
  faults text[] not null
);

-- nothing is looked for by the transaction's number any more
drop index ledger.entry_xid_id_idx;

-- ==== walls and rights
do $$ declare t text; begin
  foreach t in array array['ledger.batch', 'ledger.archived', 'ledger.halt', 'ledger.recovery', 'ledger.verification'] loop
    perform access.make_append_only(t::regclass);
  end loop;
end $$;
-- faults name exhibits: for those who watch over the log
select access.protect('ledger.verification');
create policy watch on ledger.verification for select to app using (
  (select access.is_administrator())
  or exists (select from accounts.appointment a where a.person_id = (select access.me()) and a.kind = 'auditor' and a.valid @> now()));
create policy background on ledger.verification for select to sequencer, verifier using (true);
create policy background_add on ledger.verification for insert to sequencer with check (true);
grant select on ledger.verification to app;
grant select on ledger.waiting, ledger.batch, ledger.archived, ledger.halt, ledger.recovery, ledger.verification to sequencer, verifier;
grant delete on ledger.waiting to sequencer;
grant insert (first, size, root) on ledger.batch to sequencer;
grant insert (first, object_key, version, size, sha256, retained_until) on ledger.archived to sequencer;
grant insert (reason) on ledger.halt to sequencer;
grant insert (began, entries, checkpoints, streams, objects, waiting, root, faults) on ledger.verification to sequencer;
grant select on ledger.halt, ledger.recovery to access_fn;
grant insert on ledger.waiting to access_fn;
revoke execute on function ledger.halted(), ledger.await_place(), ledger.batch_follows(), ledger.checkpoint_follows() from public;
grant execute on function ledger.halted() to app, sequencer;
grant execute on function ledger.batch_follows(), ledger.checkpoint_follows() to sequencer;

-- ==== recovery, for whoever may migrate: entries come back as they were, custody of what is still there is made up for
create policy reimport on ledger.entry for insert to access_fn with check (true);
grant insert on ledger.entry to access_fn;
create function ledger.known(seizures bigint[], exhibits bigint[], cases bigint[]) returns table(kind text, id bigint, number text)
language sql stable security definer set search_path = '' as $$
  select 'seizure', s.id, s.number from seizures.seizure s where s.id = any (seizures)
  union all select 'exhibit', e.id, e.number from exhibits.exhibit e where e.id = any (exhibits)
  union all select 'case', c.id, c.number from cases.case_file c where c.id = any (cases) $$;

create function ledger.reimport(ids bigint[], event_ids uuid[], streams text[], seqs int[], types text[], seizures bigint[],
    exhibits bigint[], cases bigint[], actors bigint[], ats timestamptz[], bodies bytea[], loose boolean[])
returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  insert into ledger.stream(stream, seq)
    select distinct x, 0 from unnest(streams) x where x not like 'exhibit:%' on conflict do nothing;
  for i in 1 .. cardinality(ids) loop
    insert into ledger.entry(id, event_id, stream, stream_seq, type, seizure_id, exhibit_id, case_id, actor_id, at, body, recovered, detached)
      overriding system value values (ids[i], event_ids[i], streams[i], seqs[i], types[i], seizures[i], exhibits[i], cases[i],
        actors[i], ats[i], bodies[i], true, loose[i]);
  end loop;
end $$;

-- Custody events of exhibits that are there, from the bytes of their entries: the hand-over, the event, and where the exhibit
-- stands now. One exhibit at a time; what cannot be made up for stays as the backup has it and is answered with a reason.
grant insert on custody.event, custody.handover, custody.handover_item to access_fn;
grant update (state, answered_at) on custody.handover_item to access_fn;
grant update (seal_no, seal_state, status, holder_id, offered_to, last_seq, last_hash) on exhibits.exhibit to access_fn;
create policy recover on custody.event for insert to access_fn with check (true);
create policy recover on custody.handover for insert to access_fn with check (true);
create policy recover on custody.handover_item for insert to access_fn with check (true);
create policy recover_answer on custody.handover_item for update to access_fn using (true) with check (true);
do $$ begin
  if not exists (select from pg_policy where polrelid = 'exhibits.exhibit'::regclass and polcmd = 'w' and 'access_fn'::regrole = any (polroles)) then
    create policy recover on exhibits.exhibit for update to access_fn using (true) with check (true);
  end if;
end $$;
create function ledger.catch_up_one(p_exhibit bigint) returns int language plpgsql volatile security definer set search_path = '' as $$
declare l record; d jsonb; e record; h bigint; k text; seal text; state text; n int := 0; done boolean;
begin
  select x.id, x.seizure_id, x.number, x.last_seq into e from exhibits.exhibit x where x.id = p_exhibit for update;
  for l in select x.* from ledger.entry x where x.stream = 'exhibit:' || e.number and x.stream_seq > e.last_seq order by x.stream_seq loop
    if l.type not in ('custody:handover:offered', 'custody:handover:accepted', 'custody:handover:refused', 'custody:handover:withdrawn') then
      raise exception 'event % is of another kind: %', l.stream_seq, l.type;
    end if;
    perform access.act_as(l.actor_id);  -- the rules of custody are asked once more, of who did it
    d := convert_from(l.body, 'UTF8')::jsonb; k := split_part(l.type, ':', 3); d := d -> 'data'; done := k = 'accepted';
    select o.id into h from custody.handover o where o.number = d ->> 'handover';
    if h is null then
      insert into custody.handover(client_id, number, from_id, to_id, purpose, place, note, latitude, longitude, accuracy_m, device_at, created_at)
      values (l.event_id, d ->> 'handover', (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint, d ->> 'purpose', coalesce(d #>> '{place,claimed}', ''),
        coalesce(d ->> 'note', ''), (d #>> '{place,latitude}')::numeric, (d #>> '{place,longitude}')::numeric, (d #>> '{place,accuracy_m}')::numeric,
        (d ->> 'device_at')::timestamptz, l.at) returning id into h;
    end if;
    seal := case when k = 'offered' then d #>> '{seal,giver}' else d #>> '{seal,receiver}' end; state := d #>> '{seal,state}';
    if k = 'offered' then
      insert into custody.handover_item(handover_id, exhibit_id, seizure_id, from_id, to_id)
      values (h, e.id, e.seizure_id, (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint);
    else
      update custody.handover_item i set state = k, answered_at = l.at where i.handover_id = h and i.exhibit_id = e.id;
    end if;
    insert into custody.event(exhibit_id, seq, seizure_id, kind, actor_id, handover_id, from_id, to_id, seal_no, seal_state, reason, discrepancy, note, at, device_at, hash, prev)
    values (e.id, l.stream_seq, e.seizure_id, k, l.actor_id, h, (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint, seal, state, d ->> 'reason',
      d ->> 'discrepancy', d ->> 'note', l.at, (d ->> 'device_at')::timestamptz, l.leaf_hash, decode(convert_from(l.body, 'UTF8')::jsonb ->> 'prev', 'hex'));
    update exhibits.exhibit x set last_seq = l.stream_seq, last_hash = l.leaf_hash,
        offered_to = case when k = 'offered' then (d #>> '{to,id}')::bigint end,
        holder_id = case when done then (d #>> '{to,id}')::bigint else x.holder_id end,
        seal_no = case when done then coalesce(seal, x.seal_no) else x.seal_no end, seal_state = case when done then coalesce(state, x.seal_state) else x.seal_state end,
        status = case when not done then x.status else case d ->> 'purpose' when 'storage' then 'in_storage' when 'laboratory' then 'in_laboratory'
          when 'court' then 'in_court' when 'return' then 'returned' else 'held' end end
      where x.id = e.id;
    n := n + 1;
  end loop;
  set constraints all immediate;
  set constraints all deferred;
  return n;
end $$;
create function ledger.catch_up() returns table(exhibit text, behind int, reason text)
language plpgsql volatile security definer set search_path = '' as $$
declare x record;
begin
  for x in select e.id, e.number, max(l.stream_seq) - e.last_seq as behind from exhibits.exhibit e
             join ledger.entry l on l.stream = 'exhibit:' || e.number and l.stream_seq > e.last_seq
            group by e.id, e.number, e.last_seq order by e.id loop
    exhibit := x.number; behind := x.behind; reason := null;
    begin
      perform ledger.catch_up_one(x.id);
    exception when others then
      reason := sqlerrm;
    end;
    return next;
  end loop;
end $$;

-- Numbers that were given are not given again.
create function ledger.raise_ids(entry bigint, seizure bigint, exhibit bigint, case_file bigint) returns void
language sql volatile security definer set search_path = '' as $$
  select setval(pg_get_serial_sequence(t, 'id'), greatest(n, nextval(pg_get_serial_sequence(t, 'id'))))
    from (values ('ledger.entry', entry), ('seizures.seizure', seizure), ('exhibits.exhibit', exhibit), ('cases.case_file', case_file)) x(t, n)
   where n is not null $$;
create function ledger.raise_serials(codes text[], kinds text[], years int[], serials int[]) returns void
language sql volatile security definer set search_path = '' as $$
  insert into accounts.serial(unit_id, kind, year, last)
  select u.id, x.kind, x.year, max(x.serial) from unnest(codes, kinds, years, serials) x(code, kind, year, serial)
    join accounts.unit u on u.code = x.code group by u.id, x.kind, x.year
  on conflict (unit_id, kind, year) do update set last = greatest(accounts.serial.last, excluded.last) $$;
create function ledger.end_recovery(p_from bigint, p_to bigint, p_missing jsonb) returns void
language sql volatile security definer set search_path = '' as $$
  insert into ledger.recovery(from_size, to_size, missing) values (p_from, p_to, p_missing) $$;
do $$ declare f text; begin
  foreach f in array array['ledger.known', 'ledger.reimport', 'ledger.catch_up_one', 'ledger.catch_up', 'ledger.raise_ids', 'ledger.raise_serials',
      'ledger.end_recovery'] loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to owner_login', f);
  end loop;
end $$;
grant usage on schema ledger to owner_login;
grant execute on function ledger.catch_up_one to access_fn;

grant create on schema ledger to access_fn;
alter function ledger.known owner to access_fn;
alter function ledger.reimport owner to access_fn;
alter function ledger.catch_up_one owner to access_fn;
alter function ledger.catch_up owner to access_fn;
alter function ledger.raise_serials owner to access_fn;
alter function ledger.halted() owner to access_fn;
alter function ledger.await_place() owner to access_fn;
revoke create on schema ledger from access_fn;

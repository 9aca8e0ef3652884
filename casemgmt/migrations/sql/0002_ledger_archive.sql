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
-- An entry that came back from the store while the records it is about did not. Only who made it reads it.
alter table ledger.entry add column detached boolean not null default false;
create policy detached on ledger.entry as restrictive for select to app using (not detached or actor_id = (select access.reader()));
create policy reimport on ledger.entry for insert to owner with check (true);

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
grant create on schema ledger to access_fn;
alter function ledger.halted() owner to access_fn;
alter function ledger.await_place() owner to access_fn;
revoke create on schema ledger from access_fn;

-- The log's name and public key, as packages tell them to a verifier. One log for the life of the installation: a worker
-- that was given another key must stop, not begin a second history.
create table ledger.log(
  origin text primary key,
  vkey text not null,
  since timestamptz not null default now()
);
create unique index one_log on ledger.log((true));
select access.make_append_only('ledger.log');
grant select on ledger.log to app, sequencer, verifier;
grant insert (origin, vkey) on ledger.log to sequencer;

-- A partial tile is replaced by its wider form; every hash it held stays in the wider one. Nothing else is ever removed.
grant delete on ledger.tile to sequencer;
-- hashes do not compress
alter table ledger.tile alter column data set storage external;

-- A package's events name the exhibits inside: they are seen by whoever may see the whole package, not by everyone in the case.
create policy package_events on ledger.entry as restrictive for select to app using (
  case when type like 'packages:%'
       then exists (select from packages.package p where p.number = convert_from(body, 'UTF8')::jsonb #>> '{data,package}')
       else true end);

-- What the background worker removes: sessions nobody can use any more.
create function accounts.purge() returns int language sql volatile security definer set search_path = '' as $$
  with gone as (delete from accounts.session where expires_at < now() returning 1),
       old as (delete from accounts.failed_sign_in where at < now() - interval '1 day')
  select count(*)::int from gone $$;
revoke execute on function accounts.purge() from public;
grant execute on function accounts.purge() to sequencer;
grant create on schema accounts to access_fn;
alter function accounts.purge() owner to access_fn;
revoke create on schema accounts from access_fn;

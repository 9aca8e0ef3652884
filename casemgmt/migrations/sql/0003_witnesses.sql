-- Who must have cosigned before anything goes out, what was cosigned, and what went out.

-- The policy in force is the newest version; without any, this log's word is enough. Each version is an administrator's act,
-- with its event in the same transaction (ledger.on_policy).
create table ledger.policy(
  version int primary key check (version > 0),
  text text not null check (octet_length(text) <= 60000),   -- C2SP tlog-policy in our one spelling; its last line is the quorum
  witnessed boolean not null generated always as (text not like E'%\nquorum none\n') stored,
  entry_id bigint not null unique references ledger.entry,
  changed_by bigint not null default access.me(),
  at timestamptz not null default now()
);

-- A line a witness answered with, checked against its key before it came here.
create table ledger.cosignature(
  size bigint not null references ledger.checkpoint,
  vkey text not null,
  signature bytea not null,                                  -- after the key id: time and Ed25519 signature, 72 bytes
  at timestamptz not null default now(),
  primary key (size, vkey)
);
create index on ledger.cosignature(vkey, size desc);

-- Signed by the log and cosigned to the quorum of one version of the policy. Under a policy without witnesses nothing is
-- written here: what is signed is published. Read through ledger.newest_published.
create table ledger.published(
  policy int not null references ledger.policy,
  size bigint not null references ledger.checkpoint,
  note text not null,
  at timestamptz not null default now(),
  primary key (policy, size)
);

-- A witness said that our history is not the one it saw. Open until the same key cosigns later, or the policy drops it.
create table ledger.alarm(
  id bigint generated always as identity primary key,
  vkey text not null,
  status int not null,                                       -- what it answered: 422, or 409
  asked bigint not null,                                     -- the size it was asked to cosign
  told bigint,                                               -- with 409: the size it says it has seen
  detail text not null,
  at timestamptz not null default now()
);
create index on ledger.alarm(vkey, id desc);

-- How it goes with each witness just now: not a record, and overwritten.
create table ledger.witness_state(
  vkey text primary key,
  failing_since timestamptz,                                 -- null: its last answer was a cosignature
  problem text,
  detail text,
  at timestamptz not null default now()
);

select access.make_append_only('ledger.policy');
select access.make_append_only('ledger.cosignature');
select access.make_append_only('ledger.published');
select access.make_append_only('ledger.alarm');

-- Public keys and public signatures: whoever is signed in may see them. Only an administrator changes who must cosign.
select access.protect('ledger.policy');
create policy open on ledger.policy for select to app, sequencer, verifier using (true);
create policy administer on ledger.policy for insert to app with check ((select access.is_administrator()));
do $$ declare t text; begin
  foreach t in array array['cosignature', 'published', 'alarm', 'witness_state'] loop
    perform access.protect(format('ledger.%I', t)::regclass);
    execute format('create policy open on ledger.%I for select to app, sequencer, verifier using (true)', t);
    execute format('create policy work on ledger.%I for insert to sequencer with check (true)', t);
  end loop;
end $$;
create policy again on ledger.witness_state for update to sequencer using (true);
grant select on ledger.policy, ledger.cosignature, ledger.published, ledger.alarm, ledger.witness_state to app, sequencer, verifier, access_fn;
grant insert (version, text, entry_id) on ledger.policy to app;
grant insert (size, vkey, signature) on ledger.cosignature to sequencer;
grant insert (policy, size, note) on ledger.published to sequencer;
grant insert (vkey, status, asked, told, detail) on ledger.alarm to sequencer;
grant insert, update on ledger.witness_state to sequencer;
grant usage on all sequences in schema ledger to sequencer;

-- Keys of logs and witnesses, and the policy, have one stream: ledger:<origin>. Only administrators write there, and nobody
-- writes such an event elsewhere.
create policy ledger_events on ledger.entry as restrictive for insert to app with check (
  case when stream like 'ledger:%' or type like 'ledger:%'
       then (select access.is_administrator()) and stream = 'ledger:' || (select l.origin from ledger.log l)
        and type in ('ledger:log:enrolled', 'ledger:log:revoked', 'ledger:witness:enrolled', 'ledger:witness:rotated',
                     'ledger:witness:revoked', 'ledger:policy:changed')
       else true end);

-- No version without the event that says the same, written in this very transaction; no version passed over.
create function ledger.on_policy() returns trigger language plpgsql security definer set search_path = '' as $$
declare said jsonb;
begin
  if new.version is distinct from coalesce((select max(p.version) from ledger.policy p), 0) + 1 then
    raise exception 'policy version % does not follow', new.version using errcode = 'CM001';
  end if;
  select convert_from(e.body, 'UTF8')::jsonb -> 'data' into said from ledger.entry e
   where e.id = new.entry_id and e.type = 'ledger:policy:changed' and e.actor_id = new.changed_by and e.xid = pg_current_xact_id();
  if said is null or said ->> 'policy' is distinct from new.text or said ->> 'version' is distinct from new.version::text then
    raise exception 'policy version % has no event that says the same', new.version using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger has_event before insert on ledger.policy for each row execute function ledger.on_policy();

-- The policy file this installation was given, if any (CASEMGMT_POLICY_FILE). While it says something else than the policy in
-- force nothing is published: a file cannot change the policy, and whoever lowers the policy behind it stops the ledger.
create table ledger.pinned(
  single boolean primary key default true check (single),
  text text not null,
  at timestamptz not null default now()
);
select access.protect('ledger.pinned');
create policy open on ledger.pinned for select to app, sequencer, verifier using (true);
create policy work on ledger.pinned for all to sequencer using (true) with check (true);
grant select on ledger.pinned to app, sequencer, verifier, access_fn;
grant insert, update, delete on ledger.pinned to sequencer;

-- The newest checkpoint that may go out: cosigned to the quorum of the policy in force, or, where no witness is asked for,
-- signed. No row: there is none yet. ``policy`` is 0 before the first version.
create function ledger.newest_published() returns table(size bigint, note text, at timestamptz, policy int)
language sql stable set search_path = '' as $$
  with p as (select x.version, x.witnessed from ledger.policy x order by x.version desc limit 1),
       meant as (select not exists (select from ledger.pinned n where n.text is distinct from
                                    (select x.text from ledger.policy x order by x.version desc limit 1)) as ok)
  (select c.size, c.note, c.at, coalesce((select p.version from p), 0) from ledger.checkpoint c
    where not coalesce((select p.witnessed from p), false) and (select meant.ok from meant) order by c.size desc limit 1)
  union all
  (select x.size, x.note, x.at, x.policy from ledger.published x
    where x.policy = (select p.version from p where p.witnessed) and (select meant.ok from meant)
    order by x.size desc limit 1) $$;

revoke execute on function ledger.on_policy(), ledger.newest_published() from public;
grant execute on function ledger.newest_published() to app, sequencer, verifier;
grant create on schema ledger to access_fn;
alter function ledger.on_policy() owner to access_fn;
revoke create on schema ledger from access_fn;

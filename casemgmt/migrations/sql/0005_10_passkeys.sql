-- People's keys: what they sign hand-overs with. A key is enrolled once and revoked at most once; both are entries of the
-- stream passkeys:<login>, written in the same transaction.

create table accounts.passkey(
  id bigint generated always as identity primary key,
  person_id bigint not null references accounts.person default access.me(),
  credential bytea not null unique check (octet_length(credential) between 1 and 1023),
  spki bytea not null check (octet_length(spki) <= 1024),
  fingerprint bytea not null unique generated always as (sha256(spki)) stored,
  algorithm int not null check (algorithm in (-7, -8, -257)),
  name text not null,
  aaguid uuid not null,
  attestation_format text not null,
  attestation bytea not null check (octet_length(attestation) <= 65536),   -- the whole object, as the authenticator made it
  client_data bytea not null check (octet_length(client_data) <= 4096),
  transports text[] not null default '{}',
  backup_eligible boolean not null, backed_up boolean not null,
  rp_id text not null, origin text not null,
  enrolled_at timestamptz not null default now()
);
create index on accounts.passkey(person_id, id);

create table accounts.passkey_revocation(
  passkey_id bigint primary key references accounts.passkey,
  revoked_by bigint not null references accounts.person default access.me(),
  reason text not null check (reason <> ''),
  note text not null default '',
  at timestamptz not null default now()
);

-- One enrolment at a time for each session. It begins only after the password was said again (the gate role writes it), its
-- challenge is handed out once, and one key comes of it.
create table accounts.ceremony(
  token_hash bytea primary key references accounts.session on delete cascade,
  person_id bigint not null references accounts.person,
  challenge bytea not null,
  expires_at timestamptz not null,
  taken_at timestamptz
);
create index on accounts.ceremony(person_id);

select access.protect('accounts.passkey');
select access.protect('accounts.passkey_revocation');
select access.make_append_only('accounts.passkey');
select access.make_append_only('accounts.passkey_revocation');

grant create on schema access, accounts, custody to access_fn;
grant select on accounts.passkey, accounts.passkey_revocation to access_fn;
grant select, insert, update, delete on accounts.ceremony to access_fn;
set local role access_fn;

-- The gate role calls this, after it has checked the password of the person behind the session.
create function accounts.begin_enrolment(token bytea, p_challenge bytea, lifetime interval) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare p bigint;
begin
  select s.person_id into p from accounts.session s where s.token_hash = token and s.expires_at > now();
  if p is null then return false; end if;
  insert into accounts.ceremony(token_hash, person_id, challenge, expires_at) values (token, p, p_challenge, now() + lifetime)
  on conflict (token_hash) do update set challenge = excluded.challenge, expires_at = excluded.expires_at, taken_at = null;
  return true;
end $$;

-- The challenge of this session's enrolment, once. Null: there is none, it was taken before, or its time is over.
create function accounts.take_challenge(token bytea) returns bytea language plpgsql volatile security definer set search_path = '' as $$
declare me bigint := access.enter(token); c bytea;
begin
  if me is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  update accounts.ceremony y set taken_at = now()
   where y.token_hash = token and y.person_id = me and y.taken_at is null and y.expires_at > now() returning y.challenge into c;
  return c;
end $$;

-- May I enrol a key now: did I say my password and answer the challenge a moment ago?
create function access.may_enrol() returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from accounts.ceremony y where y.person_id = access.me() and y.taken_at > now() - interval '1 minute') $$;
create function access.on_passkey() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from accounts.ceremony y where y.person_id = new.person_id and y.taken_at is not null;
  return null;
end $$;

-- Signing and revoking take turns at a key: whatever is signed with it stands in the ledger before its revocation.
create function access.on_revocation() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(1886544235, new.passkey_id::int);
  return new;
end $$;

-- No key without its entry and no entry without its key.
create function access.key_event_beside() returns trigger language plpgsql security definer set search_path = '' as $$
declare wanted text := case tg_table_name when 'passkey' then 'accounts:passkey:enrolled' else 'accounts:passkey:revoked' end;
begin
  if not exists (select from accounts.passkey k join accounts.person p on p.id = k.person_id
                   join ledger.entry l on l.stream = 'passkeys:' || p.login and l.type = wanted
                  where k.id = (to_jsonb(new) ->> case tg_table_name when 'passkey' then 'id' else 'passkey_id' end)::bigint
                    and convert_from(l.body, 'UTF8')::jsonb #>> '{data,key}' = encode(k.fingerprint, 'hex')) then
    raise exception 'a key changed without its event' using errcode = 'CM002';
  end if;
  return null;
end $$;
create function access.key_beside() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from accounts.passkey k join accounts.person p on p.id = k.person_id
                   left join accounts.passkey_revocation r on r.passkey_id = k.id
                  where new.stream = 'passkeys:' || p.login
                    and convert_from(new.body, 'UTF8')::jsonb #>> '{data,key}' = encode(k.fingerprint, 'hex')
                    and case new.type when 'accounts:passkey:enrolled' then k.person_id = new.actor_id
                                      when 'accounts:passkey:revoked' then r.passkey_id is not null else false end) then
    raise exception 'event % of % has no key', new.stream_seq, new.stream using errcode = 'CM002';
  end if;
  return null;
end $$;

-- As before, and people write the stream of their own keys.
create or replace function access.writes_to(stream text) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare about text := substr(stream, strpos(stream, ':') + 1);
begin
  case split_part(stream, ':', 1)
    when 'seizure', 'sharing', 'case' then
      return exists (select from seizures.seizure s where stream not like 'case:%' and s.number = about
                      and ((not s.ntk and (s.unit_id = any (access.units()) or s.agency_id = any (access.agencies())))
                           or exists (select from access.my_reach r where r.seizure_id = s.id)))
          or exists (select from cases.case_file c where stream not like 'seizure:%' and c.number = about
                      and ((not c.ntk and (c.unit_id = any (access.units()) or c.agency_id = any (access.agencies())))
                           or exists (select from access.my_case_reach r where r.case_id = c.id)));
    when 'exhibit' then return false;  -- an exhibit carries its own head
    else return access.is_administrator()
      or exists (select from accounts.person p where p.id = access.me() and stream in ('person:' || p.login, 'passkeys:' || p.login));
  end case;
end $$;

revoke execute on function accounts.begin_enrolment, accounts.take_challenge, access.may_enrol, access.on_passkey,
  access.on_revocation, access.key_event_beside, access.key_beside from public;
grant execute on function access.on_passkey, access.on_revocation, access.key_event_beside, access.key_beside to owner;  -- to make triggers

set local role owner;

create trigger on_passkey after insert on accounts.passkey for each row execute function access.on_passkey();
create trigger on_revocation before insert on accounts.passkey_revocation for each row execute function access.on_revocation();
create constraint trigger key_event_beside after insert on accounts.passkey
  deferrable initially deferred for each row execute function access.key_event_beside();
create constraint trigger key_event_beside after insert on accounts.passkey_revocation
  deferrable initially deferred for each row execute function access.key_event_beside();
-- (what a recovery brings back from the store is in the ledger already; its key may be lost with the database)
create constraint trigger key_beside after insert on ledger.entry
  deferrable initially deferred for each row when (new.stream like 'passkeys:%' and not new.recovered) execute function access.key_beside();

-- a key is seen by its holder and by administrators, who may have to revoke it
create policy visible on accounts.passkey for select to app
  using (person_id = (select access.me()) or (select access.is_administrator()));
create policy add on accounts.passkey for insert to app with check (person_id = (select access.me()) and (select access.may_enrol()));
create policy visible on accounts.passkey_revocation for select to app using (exists (select from accounts.passkey k where k.id = passkey_id));
create policy add on accounts.passkey_revocation for insert to app
  with check (revoked_by = (select access.me()) and exists (select from accounts.passkey k where k.id = passkey_id));

create policy add_key_event on ledger.entry for insert to app with check (
  num_nonnulls(seizure_id, exhibit_id, case_id) = 0 and stream = 'passkeys:' || (select p.login from accounts.person p where p.id = (select access.me())));
-- into somebody else's stream an administrator writes revocations and nothing else
create policy key_events on ledger.entry as restrictive for insert to app with check (
  stream not like 'passkeys:%' or type = 'accounts:passkey:revoked'
  or stream = 'passkeys:' || (select p.login from accounts.person p where p.id = (select access.me())));

grant select on accounts.passkey, accounts.passkey_revocation to app;
grant insert (credential, spki, algorithm, name, aaguid, attestation_format, attestation, client_data, transports,
  backup_eligible, backed_up, rp_id, origin) on accounts.passkey to app;
grant insert (passkey_id, reason, note) on accounts.passkey_revocation to app;

-- The key behind an officer's PIN: made by the phone, kept there wrapped by the PIN, and enrolled here with its public half. It
-- stands among the person's other keys, with a kind of its own: an entry says by which means it is signed, and the two means are
-- never taken for each other.

alter table accounts.passkey add column kind text not null default 'passkey' check (kind in ('passkey', 'pin'));
alter table accounts.passkey add column device uuid;   -- the phone, by the identifier it made for itself
alter table accounts.passkey add column proof bytea check (octet_length(proof) <= 80);  -- the key's own yes to person and device
alter table accounts.passkey alter column credential drop not null, alter column aaguid drop not null,
  alter column attestation_format drop not null, alter column attestation drop not null, alter column client_data drop not null,
  alter column rp_id drop not null;
alter table accounts.passkey add constraint passkey_of_its_kind check (case kind
  when 'passkey' then num_nulls(credential, aaguid, attestation_format, attestation, client_data, rp_id) = 0
                      and num_nonnulls(device, proof) = 0
  else num_nonnulls(credential, aaguid, attestation_format, attestation, client_data, rp_id) = 0 and num_nulls(device, proof) = 0
       and algorithm = -7 and not backup_eligible and not backed_up and transports = '{}' end);
create index on accounts.passkey(person_id, device) where kind = 'pin';

-- A signature by PIN has a statement and a signature, and nothing of an authenticator. `record`: what was signed on a phone
-- without a network, where an event repeats it; the statement is then the record's own hash.
alter table custody.assertion alter column rp_id drop not null, alter column client_data drop not null,
  alter column authenticator_data drop not null;
alter table custody.assertion add column record bytea check (octet_length(record) between 2 and 65536);
alter table custody.assertion add constraint assertion_of_its_kind check (
  num_nulls(rp_id, client_data, authenticator_data) in (0, 3) and (record is null or client_data is null));

grant create on schema access to access_fn;
set local role access_fn;

-- As before, and a key signs by its own means only.
create or replace function access.key_holds() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock_shared(1886544235, new.passkey_id::int);
  if not exists (select from accounts.passkey k where k.id = new.passkey_id and k.person_id = new.person_id
                    and k.spki = new.spki and k.origin = new.origin and k.rp_id is not distinct from new.rp_id
                    and (k.kind = 'pin') = (new.client_data is null)
                    and not exists (select from accounts.passkey_revocation r where r.passkey_id = k.id)) then
    raise exception 'the key does not hold' using errcode = 'CM008';
  end if;
  return new;
end $$;

-- As before; the password and the challenge belong to a passkey, and a phone's key does not use them up.
create or replace function access.on_passkey() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from accounts.ceremony y where y.person_id = new.person_id and y.taken_at is not null and new.kind = 'passkey';
  return null;
end $$;

-- As before, and the entry of a phone's key is called after it.
create function access.key_event(kind text, what text) returns text language sql immutable set search_path = '' as $$
  select case kind when 'pin' then 'accounts:pinkey:' else 'accounts:passkey:' end || what $$;
create or replace function access.key_event_beside() returns trigger language plpgsql security definer set search_path = '' as $$
declare what text := case tg_table_name when 'passkey' then 'enrolled' else 'revoked' end;
begin
  if not exists (select from accounts.passkey k join accounts.person p on p.id = k.person_id
                   join ledger.entry l on l.stream = 'passkeys:' || p.login and l.type = access.key_event(k.kind, what)
                  where k.id = (to_jsonb(new) ->> case tg_table_name when 'passkey' then 'id' else 'passkey_id' end)::bigint
                    and convert_from(l.body, 'UTF8')::jsonb #>> '{data,key}' = encode(k.fingerprint, 'hex')) then
    raise exception 'a key changed without its event' using errcode = 'CM002';
  end if;
  return null;
end $$;
create or replace function access.key_beside() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from accounts.passkey k join accounts.person p on p.id = k.person_id
                   left join accounts.passkey_revocation r on r.passkey_id = k.id
                  where new.stream = 'passkeys:' || p.login
                    and convert_from(new.body, 'UTF8')::jsonb #>> '{data,key}' = encode(k.fingerprint, 'hex')
                    and case new.type when access.key_event(k.kind, 'enrolled') then k.person_id = new.actor_id
                                      when access.key_event(k.kind, 'revoked') then r.passkey_id is not null else false end) then
    raise exception 'event % of % has no key', new.stream_seq, new.stream using errcode = 'CM002';
  end if;
  return null;
end $$;

-- As before, for both means: an event that says it is signed with a key is signed with that key, by that means, by its actor, over
-- its very bytes or over the record it names; one that says something else has no signature.
create or replace function access.exhibit_beside() returns trigger language plpgsql security definer set search_path = '' as $$
declare bytes bytea; back boolean; said jsonb; signed record;
begin
  select l.body, l.recovered into bytes, back from exhibits.exhibit e join ledger.entry l on l.stream = 'exhibit:' || e.number and l.stream_seq = new.seq
   where e.id = new.exhibit_id and e.last_seq >= new.seq and l.leaf_hash = new.hash;
  if not found then
    raise exception 'custody event % of exhibit % stands alone', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  said := convert_from(bytes, 'UTF8')::jsonb #> '{data,signature}';
  select a.person_id, a.handover_id, a.statement, a.spki, a.record, a.client_data is null as by_pin into signed
    from custody.signature s join custody.assertion a on a.id = s.assertion_id where s.exhibit_id = new.exhibit_id and s.seq = new.seq;
  if found is distinct from coalesce(said ->> 'means' in ('passkey', 'pin'), false) and (found or not back) then
    raise exception 'custody event % of exhibit % says otherwise of its signature', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  if found and (signed.person_id is distinct from new.actor_id or signed.handover_id is distinct from new.handover_id
      or said ->> 'means' is distinct from case when signed.by_pin then 'pin' else 'passkey' end
      or said ->> 'key' is distinct from encode(sha256(signed.spki), 'hex')
      or said ->> 'record' is distinct from encode(sha256(signed.record), 'hex')
      or case when signed.record is null
           then position(encode(sha256(bytes), 'hex') || E'\n' in convert_from(signed.statement, 'UTF8')) = 0
           else convert_from(signed.statement, 'UTF8') is distinct from encode(sha256(signed.record), 'hex') || E'\n' end) then
    raise exception 'the signature is not of custody event % of exhibit %', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  return null;
end $$;

revoke execute on function access.key_event from public;

set local role owner;
revoke create on schema access from access_fn;

drop policy add on accounts.passkey;
create policy add on accounts.passkey for insert to app
  with check (person_id = (select access.me()) and (kind = 'pin' or (select access.may_enrol())));
-- into somebody else's stream an administrator writes revocations and nothing else
drop policy key_events on ledger.entry;
create policy key_events on ledger.entry as restrictive for insert to app with check (
  stream not like 'passkeys:%' or type in ('accounts:passkey:revoked', 'accounts:pinkey:revoked')
  or stream = 'passkeys:' || (select p.login from accounts.person p where p.id = (select access.me())));
grant insert (kind, device, proof) on accounts.passkey to app;

-- Hand-overs signed with a key. What is to be signed waits here as the exact bytes, until its person's key has signed them.

create table custody.signature_request(
  id uuid primary key,
  person_id bigint not null references accounts.person default access.me(),
  token_hash bytea not null references accounts.session on delete cascade,
  passkey_id bigint not null references accounts.passkey,
  kind text not null check (kind in ('offer', 'answer')),
  asked bytea not null,                       -- the form as it was sent (JSON), to go on without a key
  statement bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null check (expires_at <= now() + interval '1 hour'),
  -- what custody.offer or custody.answer is called with, one element of an array for each exhibit
  client_id uuid, number text, to_id bigint, purpose text, place text, note text,
  latitude numeric, longitude numeric, accuracy_m numeric, device_at timestamptz,
  handover_id bigint references custody.handover,
  exhibits bigint[] not null, kinds text[], expected int[] not null, prevs bytea[] not null, events uuid[] not null, bodies bytea[] not null,
  seals text[] not null, seal_states text[] not null, reasons text[], discrepancies text[], notes text[],
  check ((kind = 'offer') = (handover_id is null))
);
create index on custody.signature_request(person_id, created_at);
create index on custody.signature_request(token_hash);
create index on custody.signature_request(expires_at);

-- What a key said yes to, byte for byte (docs/spec/signature.md), and which custody events that signs.
create table custody.assertion(
  id bigint generated always as identity primary key,
  request_id uuid not null unique,
  person_id bigint not null references accounts.person default access.me(),
  passkey_id bigint not null references accounts.passkey,
  handover_id bigint not null references custody.handover,
  spki bytea not null, rp_id text not null, origin text not null,   -- the key's own, so that whoever sees the signature can check it
  statement bytea not null check (octet_length(statement) between 65 and 65 * 1000),
  client_data bytea not null check (octet_length(client_data) <= 4096),
  authenticator_data bytea not null check (octet_length(authenticator_data) between 37 and 1024),
  signature bytea not null check (octet_length(signature) between 1 and 1024),
  at timestamptz not null default now()
);
create index on custody.assertion(handover_id);
create index on custody.assertion(passkey_id);
create table custody.signature(
  exhibit_id bigint not null, seq int not null,
  assertion_id bigint not null references custody.assertion,
  primary key (exhibit_id, seq),
  foreign key (exhibit_id, seq) references custody.event
);
create index on custody.signature(assertion_id);

do $$ declare t text; begin
  foreach t in array array['custody.assertion', 'custody.signature'] loop
    perform access.protect(t::regclass);
    perform access.make_append_only(t::regclass);
  end loop;
  perform access.protect('custody.signature_request');
end $$;
grant select on custody.signature_request, custody.assertion, custody.signature to access_fn;
grant delete on custody.signature_request to access_fn;
create policy purge_fn on custody.signature_request for delete to access_fn using (expires_at < now());

set local role access_fn;

-- The key is the signer's and holds at this moment. The lock is shared with everyone who signs, and not with a revocation.
create function access.key_holds() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock_shared(1886544235, new.passkey_id::int);
  if not exists (select from accounts.passkey k where k.id = new.passkey_id and k.person_id = new.person_id
                    and (k.spki, k.rp_id, k.origin) = (new.spki, new.rp_id, new.origin)
                    and not exists (select from accounts.passkey_revocation r where r.passkey_id = k.id)) then
    raise exception 'the key does not hold' using errcode = 'CM008';
  end if;
  return new;
end $$;

-- Does this assertion sign an event that the actor wrote in this transaction?
create function access.signs(assertion bigint, exhibit bigint, seq int) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from custody.assertion a join custody.event c on c.handover_id = a.handover_id
    where a.id = assertion and a.person_id = access.reader() and a.at = now()
      and c.exhibit_id = exhibit and c.seq = signs.seq and c.actor_id = access.reader() and c.at = now()) $$;

-- a signature is of this very moment's event: what is signed later signs nothing
create function access.of_the_moment() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from custody.event c where c.exhibit_id = new.exhibit_id and c.seq = new.seq and c.at = now()) then
    raise exception 'custody event % of exhibit % was signed too late', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  return null;
end $$;

-- As before, and an event that says it is signed with a key is signed with that key, by its actor, over its very bytes; one that
-- says something else has no signature.
create or replace function access.exhibit_beside() returns trigger language plpgsql security definer set search_path = '' as $$
declare bytes bytea; back boolean; said jsonb; signed record;
begin
  select l.body, l.recovered into bytes, back from exhibits.exhibit e join ledger.entry l on l.stream = 'exhibit:' || e.number and l.stream_seq = new.seq
   where e.id = new.exhibit_id and e.last_seq >= new.seq and l.leaf_hash = new.hash;
  if not found then
    raise exception 'custody event % of exhibit % stands alone', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  said := convert_from(bytes, 'UTF8')::jsonb #> '{data,signature}';
  select a.person_id, a.handover_id, a.statement, a.spki into signed
    from custody.signature s join custody.assertion a on a.id = s.assertion_id where s.exhibit_id = new.exhibit_id and s.seq = new.seq;
  if found is distinct from coalesce(said ->> 'means' = 'passkey', false) and (found or not back) then
    raise exception 'custody event % of exhibit % says otherwise of its signature', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  if found and (signed.person_id is distinct from new.actor_id or signed.handover_id is distinct from new.handover_id
      or said ->> 'key' is distinct from encode(sha256(signed.spki), 'hex')
      or position(encode(sha256(bytes), 'hex') || E'\n' in convert_from(signed.statement, 'UTF8')) = 0) then
    raise exception 'the signature is not of custody event % of exhibit %', new.seq, new.exhibit_id using errcode = 'CM002';
  end if;
  return null;
end $$;

-- The keys of everybody who signed an event of these exhibits, as the ledger tells them: the whole stream of each signer. Whoever
-- may see an exhibit may see this of its signers, and nothing else of them. ``id`` is the entry's.
create function access.signer_entries(exhibits_ bigint[]) returns table(id bigint, stream text, stream_seq int, type text, body bytea, leaf_hash bytea)
language sql stable security definer rows 10 set search_path = '' as $$
  select l.id, l.stream, l.stream_seq, l.type, l.body, l.leaf_hash
    from (select distinct a.person_id
            from exhibits.exhibit e join custody.signature s on s.exhibit_id = e.id join custody.assertion a on a.id = s.assertion_id
           where e.id = any (exhibits_)
             and ((not e.ntk and (e.unit_id = any (access.units()) or e.agency_id = any (access.agencies())))
                  or exists (select from access.my_reach r where r.seizure_id = e.seizure_id))) signer
    join accounts.person p on p.id = signer.person_id
    join ledger.entry l on l.stream = 'passkeys:' || p.login
   order by l.stream, l.stream_seq $$;

create or replace function accounts.purge() returns int language sql volatile security definer set search_path = '' as $$
  with gone as (delete from accounts.session where expires_at < now() returning 1),
       old as (delete from accounts.failed_sign_in where at < now() - interval '1 day'),
       begun as (delete from accounts.ceremony where expires_at < now() - interval '1 hour'),
       unsigned as (delete from custody.signature_request where expires_at < now())
  select count(*)::int from gone $$;

revoke execute on function access.key_holds, access.of_the_moment, access.signs, access.signer_entries from public;
grant execute on function access.key_holds, access.of_the_moment to owner;  -- to make the triggers

set local role owner;

create trigger key_holds before insert on custody.assertion for each row execute function access.key_holds();
create policy mine on custody.signature_request for select to app using (person_id = (select access.reader()));
create policy add on custody.signature_request for insert to app with check (person_id = (select access.reader()));
create policy drop on custody.signature_request for delete to app using (person_id = (select access.reader()));
create policy visible on custody.assertion for select to app
  using (person_id = (select access.reader()) or exists (select from custody.handover h where h.id = handover_id));
create policy add on custody.assertion for insert to app with check (person_id = (select access.reader()));
create policy visible on custody.signature for select to app
  using (exists (select from custody.event c where c.exhibit_id = signature.exhibit_id and c.seq = signature.seq)
    or exists (select from custody.assertion a join custody.handover h on h.id = a.handover_id
                where a.id = assertion_id and (select access.reader()) in (h.from_id, h.to_id)));
create policy add on custody.signature for insert to app with check (access.signs(assertion_id, exhibit_id, seq));

-- Make the hand-over, or the answer, that was prepared: exactly those bytes, with their signature, or nothing of it.
-- CM009: it was made before, its time is over, or it is another session's. The caller has verified the assertion.
create function custody.sign(token bytea, request uuid, p_client_data bytea, p_authenticator_data bytea, p_signature bytea)
returns bigint language plpgsql as $$
declare me bigint := access.enter(token); r custody.signature_request; h bigint; a bigint;
begin
  if me is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  delete from custody.signature_request q
   where q.id = request and q.person_id = me and q.token_hash = token and q.expires_at > now() returning q.* into r;
  if not found then raise exception 'nothing waits for this signature' using errcode = 'CM009'; end if;
  if r.kind = 'answer' then
    h := r.handover_id;
    perform custody.answer(token, h, r.device_at, r.exhibits, r.kinds, r.expected, r.prevs, r.events, r.bodies,
      r.seals, r.seal_states, r.reasons, r.discrepancies, r.notes);
  else
    if exists (select from custody.handover o where o.from_id = me and o.client_id = r.client_id) then
      raise exception 'this offer was made already' using errcode = 'CM001';
    end if;
    h := custody.offer(token, r.client_id, r.number, r.to_id, r.purpose, r.place, r.note, r.latitude, r.longitude, r.accuracy_m,
      r.device_at, r.exhibits, r.expected, r.prevs, r.events, r.bodies, r.seals, r.seal_states);
  end if;
  insert into custody.assertion(request_id, passkey_id, handover_id, spki, rp_id, origin, statement, client_data, authenticator_data, signature)
    select r.id, r.passkey_id, h, k.spki, k.rp_id, k.origin, r.statement, p_client_data, p_authenticator_data, p_signature
      from accounts.passkey k where k.id = r.passkey_id returning id into a;
  insert into custody.signature(exhibit_id, seq, assertion_id)
    select x.exhibit, x.before + 1, a from unnest(r.exhibits, r.expected) as x(exhibit, before);
  return h;
end $$;

create constraint trigger of_the_moment after insert on custody.signature for each row execute function access.of_the_moment();
-- every sequence that app draws from
grant usage on all sequences in schema accounts, custody to app;
grant select on custody.signature_request, custody.assertion, custody.signature to app;
grant insert (id, token_hash, passkey_id, kind, asked, statement, expires_at, client_id, number, to_id, purpose, place, note,
  latitude, longitude, accuracy_m, device_at, handover_id, exhibits, kinds, expected, prevs, events, bodies,
  seals, seal_states, reasons, discrepancies, notes) on custody.signature_request to app;
grant delete on custody.signature_request to app;
grant insert (request_id, passkey_id, handover_id, spki, rp_id, origin, statement, client_data, authenticator_data, signature) on custody.assertion to app;
grant insert (exhibit_id, seq, assertion_id) on custody.signature to app;
revoke execute on function custody.sign from public;
set local role access_fn;
grant execute on function accounts.begin_enrolment to gate;
grant execute on function accounts.take_challenge, access.may_enrol, access.signs, access.signer_entries to app;
set local role owner;
grant execute on function custody.sign to app;
revoke create on schema access, accounts, custody from access_fn;

-- Hand-overs that two people agreed on their phones without a network (docs/spec/agreement.md). Both signed records are kept as
-- they came. What becomes of them is decided later and never on the records themselves.

create table custody.agreement(
  id bigint generated always as identity primary key,
  client_id uuid not null,                    -- the agreement's own id, made by the giver's phone
  offer bytea not null check (octet_length(offer) <= 16384),
  offer_signature bytea not null check (octet_length(offer_signature) between 1 and 80),
  offer_spki bytea not null check (octet_length(offer_spki) <= 200),
  answer bytea not null check (octet_length(answer) <= 16384),
  answer_signature bytea not null check (octet_length(answer_signature) between 1 and 80),
  answer_spki bytea not null check (octet_length(answer_spki) <= 200),
  offer_sha256 bytea not null generated always as (sha256(offer)) stored,
  answer_sha256 bytea not null generated always as (sha256(answer)) stored,
  from_id bigint not null references accounts.person,
  to_id bigint not null references accounts.person,
  -- where the two were appointed when it arrived: who beside them sees it
  from_unit bigint, from_agency bigint, to_unit bigint, to_agency bigint,
  offered_at timestamptz not null, answered_at timestamptz not null,          -- claimed by the two phones
  created_at timestamptz not null default now(),
  unique (client_id, offer_sha256, answer_sha256),
  check (from_id <> to_id)
);
create index on custody.agreement(from_id, id desc);
create index on custody.agreement(to_id, id desc);
create index on custody.agreement(from_unit, id desc);
create index on custody.agreement(to_unit, id desc);
create index on custody.agreement(from_agency, id desc);
create index on custody.agreement(to_agency, id desc);

-- An exhibit may be named before it is registered: by its number.
create table custody.agreement_item(
  agreement_id bigint not null references custody.agreement,
  exhibit text not null,
  decision text not null check (decision in ('accepted', 'refused')),
  primary key (agreement_id, exhibit)
);
create index on custody.agreement_item(exhibit);

create table custody.agreement_bringing(
  agreement_id bigint not null references custody.agreement,
  person_id bigint not null references accounts.person,
  at timestamptz not null default now(),
  primary key (agreement_id, person_id)
);

-- What became of it. settled and disputed exclude one another; resolved follows disputed.
create table custody.agreement_outcome(
  agreement_id bigint not null references custody.agreement,
  kind text not null check (kind in ('settled', 'disputed', 'resolved')),
  at timestamptz not null default now(),
  handover_id bigint references custody.handover,
  why jsonb,
  person_id bigint references accounts.person, outcome text, words text,
  primary key (agreement_id, kind),
  check (case kind when 'settled' then num_nonnulls(handover_id) = 1 and num_nonnulls(why, person_id, outcome, words) = 0
                   when 'disputed' then num_nonnulls(why) = 1 and num_nonnulls(handover_id, person_id, outcome, words) = 0
                   else num_nonnulls(person_id, outcome, words) = 3 and num_nonnulls(handover_id, why) = 0 and words <> '' end)
);
create unique index one_decision on custody.agreement_outcome(agreement_id) where kind <> 'resolved';
create unique index one_agreement on custody.agreement_outcome(handover_id) where handover_id is not null;

-- Still to be settled. Work, not a record: a row leaves when its outcome is written. why: what it waits for.
create table custody.agreement_waiting(
  agreement_id bigint primary key references custody.agreement,
  due timestamptz not null default now(),
  tries int not null default 0,
  why jsonb not null default '[]'
);
create index on custody.agreement_waiting(due);

alter table custody.handover add column agreement_id bigint references custody.agreement;
create unique index on custody.handover(agreement_id) where agreement_id is not null;
alter table custody.event add column agreement_id bigint references custody.agreement;
create index on custody.event(agreement_id) where agreement_id is not null;
create index on custody.event(exhibit_id, seq) where kind in ('disputed', 'resolved');
alter table custody.event drop constraint event_kind_check;
alter table custody.event add constraint event_kind_check
  check (kind in ('registered', 'offered', 'accepted', 'refused', 'withdrawn', 'disputed', 'resolved'));

do $$ declare t text; begin
  foreach t in array array['agreement', 'agreement_item', 'agreement_bringing', 'agreement_outcome'] loop
    perform access.protect(('custody.' || t)::regclass);
    perform access.make_append_only(('custody.' || t)::regclass);
    execute format('create policy add_fn on custody.%I for insert to access_fn with check (true)', t);
    execute format('create policy verify on custody.%I for select to sequencer, verifier using (true)', t);
    execute format('grant select on custody.%I to app, access_fn, sequencer, verifier', t);
    execute format('grant insert on custody.%I to access_fn', t);
  end loop;
  perform access.protect('custody.agreement_waiting');
end $$;
grant select, insert, update, delete on custody.agreement_waiting to access_fn;
create policy work_fn on custody.agreement_waiting to access_fn using (true) with check (true);
grant select on custody.agreement_waiting to app, sequencer, verifier;
create policy verify on custody.agreement_waiting for select to sequencer, verifier using (true);
grant select (agreement_id) on custody.handover to sequencer, verifier;

-- access_fn writes custody only where two people signed it on their phones
create policy agreed_fn on custody.handover for insert to access_fn with check (agreement_id is not null);
create policy agreed_fn on custody.handover_item for insert to access_fn
  with check (exists (select from custody.handover h where h.id = handover_id and h.agreement_id is not null));
create policy answered_fn on custody.handover_item for update to access_fn
  using (state = 'offered' and exists (select from custody.handover h where h.id = handover_id and h.agreement_id is not null)) with check (true);
create policy agreed_fn on custody.event for insert to access_fn with check (agreement_id is not null);
create policy agreed_fn on custody.assertion for insert to access_fn with check (record is not null);
create policy agreed_fn on custody.signature for insert to access_fn
  with check (exists (select from custody.assertion a where a.id = assertion_id and a.record is not null));
create policy add_agreed on ledger.entry for insert to access_fn with check (
  case when type in ('custody:handover:offered', 'custody:handover:accepted', 'custody:handover:refused', 'custody:exhibit:resolved')
         then stream like 'exhibit:%' and exhibit_id is not null and actor_id > 0
       when type = 'custody:exhibit:disputed' then stream like 'exhibit:%' and exhibit_id is not null and actor_id = 0
       else type in ('custody:agreement:settled', 'custody:agreement:disputed') and stream like 'agreement:%' and actor_id = 0 end);
grant insert on custody.handover, custody.handover_item, custody.event, custody.assertion, custody.signature to access_fn;
grant update (state, answered_at) on custody.handover_item to access_fn;
grant insert (exhibit_id) on ledger.entry to access_fn;
grant update (seal_no, seal_state, status, holder_id, offered_to, last_seq, last_hash) on exhibits.exhibit to access_fn;
grant usage on all sequences in schema custody to access_fn;

grant create on schema access, custody to access_fn;
set local role access_fn;

-- Units whose supervisor I am.
create function access.supervised() returns bigint[] language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(a.unit_id), '{}') from accounts.appointment a
   where a.person_id = access.reader() and a.kind = 'supervisor' and a.valid @> now() $$;

-- As before, and the two people of an agreement, and those who may resolve it, write its stream.
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
    when 'agreement' then
      return exists (select from custody.agreement a where about = a.client_id::text
                      and (access.reader() in (a.from_id, a.to_id) or a.from_unit = any (access.supervised()) or a.to_unit = any (access.supervised())));
    else return access.is_administrator()
      or exists (select from accounts.person p where p.id = access.me() and stream in ('person:' || p.login, 'passkeys:' || p.login));
  end case;
end $$;

-- No entry of an agreement without its row, and no row without its entry.
create function access.agreement_beside() returns trigger language plpgsql security definer set search_path = '' as $$
declare said jsonb := convert_from(new.body, 'UTF8')::jsonb -> 'data';
begin
  if not exists (select from custody.agreement a
       where new.stream = 'agreement:' || a.client_id and encode(a.offer_sha256, 'hex') = said ->> 'offer' and encode(a.answer_sha256, 'hex') = said ->> 'answer'
         and case new.type
           when 'custody:agreement:brought'
             then exists (select from custody.agreement_bringing b where b.agreement_id = a.id and b.person_id = new.actor_id and b.at = now())
           when 'custody:agreement:settled'
             then exists (select from custody.agreement_outcome o join custody.handover h on h.id = o.handover_id
                           where o.agreement_id = a.id and o.kind = 'settled' and o.at = now() and h.number = said ->> 'handover')
           when 'custody:agreement:disputed'
             then exists (select from custody.agreement_outcome o where o.agreement_id = a.id and o.kind = 'disputed' and o.at = now() and o.why = said -> 'why')
           when 'custody:agreement:resolved'
             then exists (select from custody.agreement_outcome o where o.agreement_id = a.id and o.kind = 'resolved' and o.at = now()
                           and o.person_id = new.actor_id and (o.outcome, o.words) = (said ->> 'outcome', said ->> 'words'))
           else false end) then
    raise exception 'event % of % is of no agreement', new.stream_seq, new.stream using errcode = 'CM002';
  end if;
  return null;
end $$;
create function access.agreement_event_beside() returns trigger language plpgsql security definer set search_path = '' as $$
declare kind_ text := case tg_table_name when 'agreement_bringing' then 'brought' else to_jsonb(new) ->> 'kind' end;
  who bigint := case when kind_ in ('brought', 'resolved') then (to_jsonb(new) ->> 'person_id')::bigint else 0 end;
begin
  if not exists (select from custody.agreement a join ledger.entry l on l.stream = 'agreement:' || a.client_id
       where a.id = new.agreement_id and l.type = 'custody:agreement:' || kind_ and l.actor_id = who
         and convert_from(l.body, 'UTF8')::jsonb #>> '{data,offer}' = encode(a.offer_sha256, 'hex')
         and convert_from(l.body, 'UTF8')::jsonb #>> '{data,answer}' = encode(a.answer_sha256, 'hex')) then
    raise exception 'agreement % changed without its event', new.agreement_id using errcode = 'CM002';
  end if;
  return null;
end $$;
create function access.brought_beside() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from custody.agreement_bringing b where b.agreement_id = new.id) then
    raise exception 'nobody brought agreement %', new.id using errcode = 'CM002';
  end if;
  return null;
end $$;

-- What an agreement may wait for has come: it is looked at again at once.
create function custody.on_exhibit() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update custody.agreement_waiting w set due = now() from custody.agreement_item i where i.exhibit = new.number and i.agreement_id = w.agreement_id;
  return null;
end $$;
create function custody.on_key() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update custody.agreement_waiting w set due = now() from custody.agreement a where a.id = w.agreement_id and new.person_id in (a.from_id, a.to_id);
  return null;
end $$;

revoke execute on function access.supervised, access.agreement_beside, access.agreement_event_beside, access.brought_beside,
  custody.on_exhibit, custody.on_key from public;
grant execute on function access.supervised to app;
grant execute on function access.agreement_beside, access.agreement_event_beside, access.brought_beside, custody.on_exhibit, custody.on_key to owner;

set local role owner;

create constraint trigger brought_beside after insert on custody.agreement
  deferrable initially deferred for each row execute function access.brought_beside();
create constraint trigger event_beside after insert on custody.agreement_bringing
  deferrable initially deferred for each row execute function access.agreement_event_beside();
create constraint trigger event_beside after insert on custody.agreement_outcome
  deferrable initially deferred for each row execute function access.agreement_event_beside();
create constraint trigger agreement_beside after insert on ledger.entry
  deferrable initially deferred for each row when (new.stream like 'agreement:%' and not new.recovered) execute function access.agreement_beside();
create trigger look_again after insert on exhibits.exhibit for each row execute function custody.on_exhibit();
create trigger look_again after insert on accounts.passkey for each row when (new.kind = 'pin') execute function custody.on_key();

-- Seen by the two, by the supervisors of their units and by the auditors of their agencies.
create policy visible on custody.agreement for select to app using (
  from_id = (select access.reader()) or to_id = (select access.reader())
  or from_unit = any ((select access.supervised())::bigint[]) or to_unit = any ((select access.supervised())::bigint[])
  or from_agency = any ((select access.agencies())::bigint[]) or to_agency = any ((select access.agencies())::bigint[]));
do $$ declare t text; begin
  foreach t in array array['agreement_item', 'agreement_bringing', 'agreement_outcome', 'agreement_waiting'] loop
    execute format('create policy visible on custody.%I for select to app using (exists (select from custody.agreement a where a.id = agreement_id))', t);
  end loop;
end $$;
create policy agreement_events on ledger.entry for select to app
  using (stream ^@ 'agreement:' and exists (select from custody.agreement a where stream = 'agreement:' || a.client_id));
create policy add_agreement_event on ledger.entry for insert to app with check (
  num_nonnulls(seizure_id, exhibit_id, case_id) = 0 and type in ('custody:agreement:brought', 'custody:agreement:resolved')
  and exists (select from custody.agreement a where stream = 'agreement:' || a.client_id));

-- As before; and custody.enact, which runs as access_fn, moves the one exhibit it names as the two people signed. An event that
-- moves nothing (a dispute, its end) only lengthens the chain, and only access_fn writes it.
create or replace function access.only_by_handover() returns trigger language plpgsql as $$
declare me bigint;
begin
  if new.last_seq is distinct from old.last_seq + 1 then
    raise exception 'exhibit % changed without its event', old.id using errcode = 'CM002';
  end if;
  if current_user = 'access_fn' and (current_setting('app.agreed', true) = old.id::text
      or row(new.holder_id, new.offered_to, new.status, new.seal_no, new.seal_state) is not distinct from
         row(old.holder_id, old.offered_to, old.status, old.seal_no, old.seal_state)) then
    return new;
  end if;
  me := access.reader();
  if (old.holder_id = me and new.holder_id = me and (old.offered_to is null) <> (new.offered_to is null))
     or (old.offered_to = me and new.offered_to is null and new.holder_id in (me, old.holder_id)) then
    return new;
  end if;
  raise exception 'exhibit % is not yours to move', old.id using errcode = 'CM002';
end $$;
revoke create on schema access, custody from access_fn;

-- How an agreement becomes a hand-over, or a dispute. Whoever calls has verified the signatures over the two records; everything
-- that can be held against the records and the ledger is held against them here, by functions of access_fn, the only ones that
-- write an event in the name of somebody who is not signed in. Errors as in 0001_60: CM001 somebody was first, CM002 a rule does not allow it.
grant create on schema access, custody, ledger to access_fn;
set local role access_fn;

-- The background worker, or one of the two people.
create function access.may_settle(agreement bigint) returns boolean language sql stable security definer set search_path = '' as $$
  select session_user = 'sequencer'
      or exists (select from custody.agreement a where a.id = agreement and access.reader() in (a.from_id, a.to_id)) $$;

-- The person's first unit, as numbers are given in, and whether they may hold exhibits.
create function custody.post_of(person bigint, kinds text[]) returns table(unit_id bigint, unit_code text, agency_id bigint, holds boolean)
language sql stable security definer rows 1 set search_path = '' as $$
  select u.id, u.code, u.agency_id, exists (select from accounts.appointment b where b.person_id = person and b.kind = any (kinds) and b.valid @> now())
    from (select) one left join lateral (
      select x.* from accounts.appointment a join accounts.unit x on x.id = a.unit_id
       where a.person_id = person and a.valid @> now() order by a.id limit 1) u on true $$;

-- Keep two signed records. Their signatures are verified by the caller; who made them is read here from their own words. made: they
-- were not known before. told: this person brings them for the first time, and their event must follow in this transaction.
create function custody.bring(p_offer bytea, p_offer_signature bytea, p_offer_spki bytea, p_answer bytea, p_answer_signature bytea, p_answer_spki bytea)
returns table(id bigint, made boolean, told boolean) language plpgsql volatile security definer set search_path = '' as $$
declare o jsonb := convert_from(p_offer, 'UTF8')::jsonb; a jsonb := convert_from(p_answer, 'UTF8')::jsonb;
  giver bigint; receiver bigint; kept bigint; fresh boolean := true; known boolean;
begin
  select p.id into giver from accounts.person p where p.login = o #>> '{by,login}';
  select p.id into receiver from accounts.person p where p.login = a #>> '{by,login}';
  if giver is null or receiver is null or coalesce(access.reader() not in (giver, receiver), true) then
    raise exception 'this agreement is not between the two of you' using errcode = 'CM004';
  end if;
  if row(o ->> 'type', a ->> 'type', a ->> 'id', a ->> 'offer') is distinct from
     row('handover-offer', 'handover-answer', o ->> 'id', encode(sha256(p_offer), 'hex'))
     or (select array_agg(x ->> 'exhibit' order by x ->> 'exhibit') from jsonb_array_elements(o -> 'items') x)
        is distinct from (select array_agg(x ->> 'exhibit' order by x ->> 'exhibit') from jsonb_array_elements(a -> 'items') x) then
    raise exception 'the two records are no pair' using errcode = 'CM002';
  end if;
  -- an identifier is its giver's: nobody comes to see another's agreement by taking its name
  perform pg_advisory_xact_lock(hashtextextended('agreement:' || (o ->> 'id'), 0));
  if exists (select from custody.agreement x where x.client_id = (o ->> 'id')::uuid and x.from_id <> giver) then
    raise exception 'another agreement has this identifier' using errcode = 'CM001';
  end if;
  insert into custody.agreement(client_id, offer, offer_signature, offer_spki, answer, answer_signature, answer_spki, from_id, to_id,
      from_unit, from_agency, to_unit, to_agency, offered_at, answered_at)
    select (o ->> 'id')::uuid, p_offer, p_offer_signature, p_offer_spki, p_answer, p_answer_signature, p_answer_spki, giver, receiver,
           f.unit_id, f.agency_id, t.unit_id, t.agency_id, (o ->> 'at')::timestamptz, (a ->> 'at')::timestamptz
      from custody.post_of(giver, '{}') f, custody.post_of(receiver, '{}') t
    on conflict (client_id, offer_sha256, answer_sha256) do nothing returning agreement.id into kept;
  if kept is null then
    fresh := false;
    select x.id into kept from custody.agreement x
     where x.client_id = (o ->> 'id')::uuid and x.offer_sha256 = sha256(p_offer) and x.answer_sha256 = sha256(p_answer);
  else
    insert into custody.agreement_item(agreement_id, exhibit, decision)
      select kept, x ->> 'exhibit', x ->> 'decision' from jsonb_array_elements(a -> 'items') x;
    insert into custody.agreement_waiting(agreement_id) values (kept);
  end if;
  insert into custody.agreement_bringing(agreement_id, person_id) values (kept, access.reader()) on conflict do nothing;
  known := not found;
  return query select kept, fresh, not known;
end $$;

-- The keys of these public keys, as they are enrolled.
create function custody.keys_of(spkis bytea[]) returns table(key text, id bigint, person_id bigint, kind text, revoked boolean)
language sql stable security definer rows 2 set search_path = '' as $$
  select encode(k.fingerprint, 'hex'), k.id, k.person_id, k.kind, r.passkey_id is not null
    from accounts.passkey k left join accounts.passkey_revocation r on r.passkey_id = k.id where k.spki = any (spkis) $$;
-- The public key of a fingerprint: it is in no phone's way to send it twice.
create function custody.public_key(p_fingerprint bytea) returns bytea language sql stable security definer set search_path = '' as $$
  select k.spki from accounts.passkey k where k.fingerprint = p_fingerprint and k.kind = 'pin' and access.reader() is not null $$;

-- Everything that decides on an agreement, with its exhibits and its stream locked until the transaction ends; null when it was
-- decided before, or another process is at it.
create function custody.agreed_facts(p_agreement bigint, p_kinds text[]) returns json
language plpgsql volatile security definer set search_path = '' as $$
declare a custody.agreement; o jsonb; h record;
begin
  if not access.may_settle(p_agreement) then raise exception 'no such agreement' using errcode = 'CM004'; end if;
  perform from custody.agreement_waiting w where w.agreement_id = p_agreement for update;
  if not found then return null; end if;
  select * into a from custody.agreement x where x.id = p_agreement;
  o := convert_from(a.offer, 'UTF8')::jsonb;
  perform from exhibits.exhibit e where e.number in (select i.exhibit from custody.agreement_item i where i.agreement_id = a.id)
    order by e.id for no key update;
  insert into ledger.stream as t (stream, seq) values ('agreement:' || a.client_id, 0)
    on conflict (stream) do update set seq = t.seq returning t.seq, t.hash into h;
  return json_build_object(
    'id', a.id, 'client_id', a.client_id, 'arrived', a.created_at,
    'offer', translate(encode(a.offer, 'base64'), E'\n', ''), 'offer_signature', translate(encode(a.offer_signature, 'base64'), E'\n', ''), 'offer_spki', translate(encode(a.offer_spki, 'base64'), E'\n', ''),
    'answer', translate(encode(a.answer, 'base64'), E'\n', ''), 'answer_signature', translate(encode(a.answer_signature, 'base64'), E'\n', ''), 'answer_spki', translate(encode(a.answer_spki, 'base64'), E'\n', ''),
    'giver', (select custody.party(p) from accounts.person p where p.id = a.from_id),
    'receiver', (select custody.party(p) from accounts.person p where p.id = a.to_id),
    'unit_code', (select p.unit_code from custody.post_of(a.from_id, p_kinds) p where p.holds),
    'receiver_holds', (select p.holds from custody.post_of(a.to_id, p_kinds) p),
    'keys', (select coalesce(json_agg(k), '[]') from custody.keys_of(array[a.offer_spki, a.answer_spki]) k),
    'exhibits', (select coalesce(json_agg(json_build_object('thing', custody.thing(e), 'category', e.category,
        'held', exists (select from custody.event c where c.exhibit_id = e.id and c.to_id = a.from_id and c.kind in ('registered', 'accepted')),
        'got_at', (select case when c.agreement_id is null then c.at else c.device_at end from custody.event c
                    where c.exhibit_id = e.id and c.to_id = a.from_id and c.kind = 'accepted' order by c.seq desc limit 1),
        'noted', exists (select from custody.event c where c.exhibit_id = e.id and c.agreement_id = a.id and c.kind = 'disputed')) order by e.id), '[]')
      from exhibits.exhibit e where e.number in (select i.exhibit from custody.agreement_item i where i.agreement_id = a.id)),
    'after', (select coalesce(json_agg(distinct b.client_id), '[]') from custody.agreement b join custody.agreement_outcome s on s.agreement_id = b.id
               where s.kind = 'settled' and b.client_id::text in (select x ->> 'after' from jsonb_array_elements(o -> 'items') x)),
    'answered', exists (select from custody.agreement b join custody.agreement_outcome s on s.agreement_id = b.id
                         where s.kind = 'settled' and b.client_id = a.client_id)
             or exists (select from custody.handover g where g.from_id = a.from_id and g.client_id = a.client_id),
    'disputed', (select s.why from custody.agreement_outcome s where s.agreement_id = a.id and s.kind = 'disputed'),
    'seq', h.seq, 'hash', encode(h.hash, 'base64'));
end $$;

-- The next number of hand-overs of the giver's unit.
create function custody.agreed_serial(p_agreement bigint, p_year int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare n int; u bigint;
begin
  if not access.may_settle(p_agreement) then raise exception 'no such agreement' using errcode = 'CM004'; end if;
  select p.unit_id into u from custody.agreement a, custody.post_of(a.from_id, '{}') p
   where a.id = p_agreement and exists (select from custody.agreement_waiting w where w.agreement_id = a.id);
  if u is null then raise exception 'nothing to number' using errcode = 'CM002'; end if;
  insert into accounts.serial(unit_id, kind, year, last) values (u, 'handover', p_year, 1)
    on conflict (unit_id, kind, year) do update set last = accounts.serial.last + 1 returning last into n;
  return n;
end $$;

-- It goes on waiting, and for what.
create function custody.postpone(p_agreement bigint, p_why jsonb) returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  if not access.may_settle(p_agreement) then raise exception 'no such agreement' using errcode = 'CM004'; end if;
  update custody.agreement_waiting w set why = p_why, tries = w.tries + 1,
    due = now() + least(interval '1 hour', interval '1 minute' * 2 ^ least(w.tries, 8)) where w.agreement_id = p_agreement;
end $$;

-- One more event of an exhibit: the row, its entry, and where the exhibit stands after it. The body must be the one that follows.
create function custody.enact(p_exhibit bigint, p_kind text, p_actor bigint, p_agreement bigint, p_handover bigint, p_from bigint, p_to bigint,
    p_event uuid, p_body bytea, p_seal text, p_seal_state text, p_reason text, p_discrepancy text, p_note text, p_device_at timestamptz)
returns void language plpgsql volatile security definer set search_path = '' as $$
declare e exhibits.exhibit; b jsonb := convert_from(p_body, 'UTF8')::jsonb; purpose text;
  type_ text := case when p_kind in ('disputed', 'resolved') then 'custody:exhibit:' else 'custody:handover:' end || p_kind;
begin
  select * into e from exhibits.exhibit x where x.id = p_exhibit;
  if row(b ->> 'stream', b ->> 'seq', b ->> 'prev') is distinct from row('exhibit:' || e.number, (e.last_seq + 1)::text, encode(e.last_hash, 'hex')) then
    raise exception 'exhibit % has moved on', e.id using errcode = 'CM001';
  end if;
  if row(b ->> 'type', b #>> '{actor,id}', b #>> '{data,exhibit}', b #>> '{data,agreement}') is distinct from
     row(type_, p_actor::text, e.number, (select a.client_id::text from custody.agreement a where a.id = p_agreement)) then
    raise exception 'the entry is not what was agreed' using errcode = 'CM002';
  end if;
  select h.purpose into purpose from custody.handover h where h.id = p_handover;
  perform set_config('app.agreed', e.id::text, true);
  update exhibits.exhibit x set last_seq = e.last_seq + 1, last_hash = sha256('\x00'::bytea || p_body),
    offered_to = case p_kind when 'offered' then p_to when 'accepted' then null when 'refused' then null else x.offered_to end,
    holder_id = case p_kind when 'accepted' then p_to else x.holder_id end,
    seal_no = case p_kind when 'accepted' then coalesce(p_seal, x.seal_no) else x.seal_no end,
    seal_state = case p_kind when 'accepted' then coalesce(p_seal_state, x.seal_state) else x.seal_state end,
    status = case when p_kind = 'accepted' then case purpose when 'storage' then 'in_storage' when 'laboratory' then 'in_laboratory'
      when 'court' then 'in_court' when 'return' then 'returned' else 'held' end else x.status end
   where x.id = e.id;
  perform set_config('app.agreed', '', true);
  insert into custody.event(exhibit_id, seq, seizure_id, kind, actor_id, handover_id, from_id, to_id, seal_no, seal_state, reason, discrepancy, note,
      device_at, hash, prev, agreement_id)
    values (e.id, e.last_seq + 1, e.seizure_id, p_kind, p_actor, p_handover, p_from, p_to, p_seal, p_seal_state, p_reason, p_discrepancy, p_note,
      p_device_at, sha256('\x00'::bytea || p_body), e.last_hash, p_agreement);
  insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, exhibit_id, actor_id, body)
    values (p_event, 'exhibit:' || e.number, e.last_seq + 1, type_, e.seizure_id, e.id, p_actor, p_body);
end $$;

-- It takes effect: a hand-over, and on each exhibit the two events that the two people signed. p_offers and p_answers: their exact
-- bytes, in one order. Returns the hand-over's id.
create function custody.settle(p_agreement bigint, p_number text, p_entry uuid, p_body bytea,
    p_offer_events uuid[], p_offers bytea[], p_answer_events uuid[], p_answers bytea[])
returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare a custody.agreement; o jsonb; w jsonb; b jsonb := convert_from(p_body, 'UTF8')::jsonb; x jsonb; y jsonb; io jsonb; iw jsonb;
  e exhibits.exhibit; handover bigint; halves bigint[]; kind_ text;
begin
  if not access.may_settle(p_agreement) then raise exception 'no such agreement' using errcode = 'CM004'; end if;
  delete from custody.agreement_waiting q where q.agreement_id = p_agreement;
  if not found then raise exception 'agreement % was decided before', p_agreement using errcode = 'CM001'; end if;
  select * into a from custody.agreement q where q.id = p_agreement;
  o := convert_from(a.offer, 'UTF8')::jsonb; w := convert_from(a.answer, 'UTF8')::jsonb;
  if row(b ->> 'type', b ->> 'stream', b #>> '{actor,id}', b #>> '{data,handover}') is distinct from
     row('custody:agreement:settled', 'agreement:' || a.client_id, '0', p_number)
     or cardinality(p_offers) <> (select count(*) from custody.agreement_item i where i.agreement_id = a.id) then
    raise exception 'the entry is not what was agreed' using errcode = 'CM002';
  end if;
  insert into custody.handover(client_id, number, from_id, to_id, purpose, place, note, device_at, agreement_id)
    values (a.client_id, p_number, a.from_id, a.to_id, o ->> 'purpose', coalesce(o ->> 'place', ''), coalesce(o ->> 'note', ''), a.offered_at, a.id)
    returning id into handover;
  with made as (
    insert into custody.assertion(request_id, person_id, passkey_id, handover_id, spki, origin, statement, signature, record)
    select gen_random_uuid(), k.person_id, k.id, handover, k.spki, k.origin, convert_to(encode(sha256(r.record), 'hex') || E'\n', 'UTF8'), r.signature, r.record
      from (values (1, a.from_id, a.offer_spki, a.offer_signature, a.offer), (2, a.to_id, a.answer_spki, a.answer_signature, a.answer))
             as r(half, person, spki, signature, record)
      join accounts.passkey k on k.spki = r.spki and k.person_id = r.person and k.kind = 'pin'
     order by r.half returning id, person_id)
  select array[(select m.id from made m where m.person_id = a.from_id), (select m.id from made m where m.person_id = a.to_id)] into halves;
  if array_position(halves, null) is not null then raise exception 'the key is not theirs' using errcode = 'CM008'; end if;
  for i in 1 .. cardinality(p_offers) loop
    x := convert_from(p_offers[i], 'UTF8')::jsonb -> 'data'; y := convert_from(p_answers[i], 'UTF8')::jsonb -> 'data';
    select * into e from exhibits.exhibit q where q.number = x ->> 'exhibit' and q.number = y ->> 'exhibit';
    select z into io from jsonb_array_elements(o -> 'items') z where z ->> 'exhibit' = e.number;
    select z into iw from jsonb_array_elements(w -> 'items') z where z ->> 'exhibit' = e.number;
    kind_ := iw ->> 'decision';
    -- what is missing is different, not unknown
    if row(x -> 'agreed', y -> 'agreed', x ->> 'handover', y ->> 'handover', x -> 'signature', y -> 'signature',
           x #>> '{from,id}', y #>> '{from,id}', x #>> '{to,id}', y #>> '{to,id}', x ->> 'purpose', y ->> 'purpose')
       is distinct from row(io, iw, p_number, p_number,
           jsonb_build_object('means', 'pin', 'key', encode(sha256(a.offer_spki), 'hex'), 'record', encode(a.offer_sha256, 'hex')),
           jsonb_build_object('means', 'pin', 'key', encode(sha256(a.answer_spki), 'hex'), 'record', encode(a.answer_sha256, 'hex')),
           a.from_id::text, a.from_id::text, a.to_id::text, a.to_id::text, o ->> 'purpose', o ->> 'purpose')
       or row(y ->> 'reason', y ->> 'discrepancy', x ->> 'note', y ->> 'note', x #>> '{place,claimed}')
       is distinct from row(iw ->> 'reason', iw ->> 'discrepancy', coalesce(o ->> 'note', ''), coalesce(iw ->> 'note', ''), coalesce(o ->> 'place', ''))
       or row((x ->> 'device_at')::timestamptz, (y ->> 'device_at')::timestamptz)
       is distinct from row(date_trunc('milliseconds', a.offered_at), date_trunc('milliseconds', a.answered_at)) then
      raise exception 'the entry is not what was agreed' using errcode = 'CM002';
    end if;
    if e.holder_id <> a.from_id or e.offered_to is not null then
      raise exception 'exhibit % is not the giver''s to hand over', e.id using errcode = 'CM001';
    end if;
    if kind_ = 'accepted' and coalesce(y ->> 'discrepancy', '') = '' and (y #>> '{seal,receiver}' is distinct from e.seal_no
        or coalesce(y #>> '{seal,state}', 'none') not in ('intact', 'none')) then
      raise exception 'a seal that differs needs a discrepancy' using errcode = 'CM002';
    end if;
    perform custody.enact(e.id, 'offered', a.from_id, a.id, handover, a.from_id, a.to_id, p_offer_events[i], p_offers[i],
      x #>> '{seal,giver}', x #>> '{seal,state}', null, null, nullif(x ->> 'note', ''), a.offered_at);
    insert into custody.handover_item(handover_id, exhibit_id, seizure_id, from_id, to_id) values (handover, e.id, e.seizure_id, a.from_id, a.to_id);
    perform custody.enact(e.id, kind_, a.to_id, a.id, handover, a.from_id, a.to_id, p_answer_events[i], p_answers[i],
      y #>> '{seal,receiver}', y #>> '{seal,state}', y ->> 'reason', y ->> 'discrepancy', nullif(y ->> 'note', ''), a.answered_at);
    update custody.handover_item t set state = kind_, answered_at = now() where t.handover_id = handover and t.exhibit_id = e.id;
    insert into custody.signature(exhibit_id, seq, assertion_id) values (e.id, e.last_seq + 1, halves[1]), (e.id, e.last_seq + 2, halves[2]);
  end loop;
  insert into custody.agreement_outcome(agreement_id, kind, handover_id) values (a.id, 'settled', handover);
  insert into ledger.entry(event_id, stream, stream_seq, type, actor_id, body)
    values (p_entry, b ->> 'stream', (b ->> 'seq')::int, b ->> 'type', 0, p_body);
  -- whatever is agreed about the same exhibits is looked at again
  update custody.agreement_waiting q set due = now() from custody.agreement_item i
   where i.agreement_id = q.agreement_id and i.exhibit in (select j.exhibit from custody.agreement_item j where j.agreement_id = a.id);
  return handover;
end $$;

-- It does not take effect, and every exhibit it names says so. p_body: its event, null when that is written and only exhibits that
-- were registered since are missing. Exhibits and holders stay where they are.
create function custody.dispute(p_agreement bigint, p_why jsonb, p_entry uuid, p_body bytea, p_events uuid[], p_bodies bytea[])
returns void language plpgsql volatile security definer set search_path = '' as $$
declare a custody.agreement; b jsonb := convert_from(p_body, 'UTF8')::jsonb; x jsonb; e bigint;
begin
  if not access.may_settle(p_agreement) then raise exception 'no such agreement' using errcode = 'CM004'; end if;
  perform from custody.agreement_waiting q where q.agreement_id = p_agreement for update;
  if not found then raise exception 'agreement % was decided before', p_agreement using errcode = 'CM001'; end if;
  select * into a from custody.agreement q where q.id = p_agreement;
  if p_body is not null then
    if row(b ->> 'type', b ->> 'stream', b #>> '{actor,id}', b #> '{data,why}') is distinct from
       row('custody:agreement:disputed', 'agreement:' || a.client_id, '0', p_why) or jsonb_array_length(p_why) = 0 then
      raise exception 'the entry does not say the dispute' using errcode = 'CM002';
    end if;
    insert into custody.agreement_outcome(agreement_id, kind, why) values (a.id, 'disputed', p_why);
    insert into ledger.entry(event_id, stream, stream_seq, type, actor_id, body)
      values (p_entry, b ->> 'stream', (b ->> 'seq')::int, b ->> 'type', 0, p_body);
  end if;
  for i in 1 .. cardinality(p_bodies) loop
    x := convert_from(p_bodies[i], 'UTF8')::jsonb -> 'data';
    select q.id into e from exhibits.exhibit q join custody.agreement_item t on t.exhibit = q.number
     where q.number = x ->> 'exhibit' and t.agreement_id = a.id;
    if e is null or x -> 'why' is distinct from (select s.why from custody.agreement_outcome s where s.agreement_id = a.id and s.kind = 'disputed')
       or exists (select from custody.event c where c.exhibit_id = e and c.agreement_id = a.id and c.kind = 'disputed') then
      raise exception 'the entry does not say the dispute' using errcode = 'CM002';
    end if;
    perform custody.enact(e, 'disputed', 0, a.id, null, a.from_id, a.to_id, p_events[i], p_bodies[i], null, null, x #>> '{why,0,code}', null, null, null);
  end loop;
  -- no exhibit that is there may be left out; one that is not registered yet keeps it waiting
  if exists (select from custody.agreement_item t join exhibits.exhibit q on q.number = t.exhibit
              where t.agreement_id = a.id and not exists (select from custody.event c where c.exhibit_id = q.id and c.agreement_id = a.id and c.kind = 'disputed')) then
    raise exception 'an exhibit does not say the dispute' using errcode = 'CM002';
  end if;
  if not exists (select from custody.agreement_item t where t.agreement_id = a.id and not exists (select from exhibits.exhibit q where q.number = t.exhibit)) then
    delete from custody.agreement_waiting q where q.agreement_id = a.id;
  else
    perform custody.postpone(a.id, '[]');
  end if;
end $$;

-- The exhibits that say the dispute and not its end, locked: what a resolution has to write.
create function custody.dispute_facts(p_agreement bigint) returns json language plpgsql volatile security definer set search_path = '' as $$
declare a custody.agreement;
begin
  select * into a from custody.agreement q where q.id = p_agreement;
  if not access.may_resolve(a.from_id, a.to_id, a.from_unit, a.to_unit) then raise exception 'not yours to resolve' using errcode = 'CM002'; end if;
  if not exists (select from custody.agreement_outcome s where s.agreement_id = a.id and s.kind = 'disputed')
     or exists (select from custody.agreement_outcome s where s.agreement_id = a.id and s.kind = 'resolved') then
    raise exception 'nothing to resolve' using errcode = 'CM001';
  end if;
  perform from exhibits.exhibit e where e.number in (select i.exhibit from custody.agreement_item i where i.agreement_id = a.id) order by e.id for no key update;
  return (select coalesce(json_agg(custody.thing(e) order by e.id), '[]') from exhibits.exhibit e
           where exists (select from custody.event c where c.exhibit_id = e.id and c.agreement_id = a.id and c.kind = 'disputed'));
end $$;

-- A supervisor has said what became of the dispute. Their event in the agreement's own stream must follow in this transaction.
create function custody.resolve(p_agreement bigint, p_outcome text, p_words text, p_events uuid[], p_bodies bytea[])
returns void language plpgsql volatile security definer set search_path = '' as $$
declare a custody.agreement; x jsonb; e bigint; me bigint := access.reader();
begin
  perform custody.dispute_facts(p_agreement);  -- may I, and is there anything
  select * into a from custody.agreement q where q.id = p_agreement;
  insert into custody.agreement_outcome(agreement_id, kind, person_id, outcome, words) values (a.id, 'resolved', me, p_outcome, p_words);
  delete from custody.agreement_waiting q where q.agreement_id = a.id;
  for i in 1 .. cardinality(p_bodies) loop
    x := convert_from(p_bodies[i], 'UTF8')::jsonb -> 'data';
    select c.exhibit_id into e from custody.event c join exhibits.exhibit q on q.id = c.exhibit_id
     where q.number = x ->> 'exhibit' and c.agreement_id = a.id and c.kind = 'disputed';
    if e is null or row(x ->> 'outcome', x ->> 'words') is distinct from row(p_outcome, p_words)
       or exists (select from custody.event c where c.exhibit_id = e and c.agreement_id = a.id and c.kind = 'resolved') then
      raise exception 'the entry does not say the end of the dispute' using errcode = 'CM002';
    end if;
    perform custody.enact(e, 'resolved', me, a.id, null, a.from_id, a.to_id, p_events[i], p_bodies[i], null, null, p_outcome, null, p_words, null);
  end loop;
  if exists (select from custody.event c where c.agreement_id = a.id and c.kind = 'disputed'
              and not exists (select from custody.event d where d.exhibit_id = c.exhibit_id and d.agreement_id = a.id and d.kind = 'resolved')) then
    raise exception 'an exhibit does not say the end of the dispute' using errcode = 'CM002';
  end if;
end $$;

-- A supervisor of one of the two units, who is neither of the two.
create function access.may_resolve(giver bigint, receiver bigint, giver_unit bigint, receiver_unit bigint) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(access.reader() not in (giver, receiver) and array[giver_unit, receiver_unit] && access.supervised(), false) $$;

-- As before; and the events of agreements. A recovery has the entries, and not always the agreement they name.
create or replace function ledger.catch_up_one(p_exhibit bigint) returns int language plpgsql volatile security definer set search_path = '' as $$
declare l record; d jsonb; e record; h bigint; g bigint; k text; seal text; state text; n int := 0; done boolean;
begin
  select x.id, x.seizure_id, x.number, x.last_seq into e from exhibits.exhibit x where x.id = p_exhibit for update;
  for l in select x.* from ledger.entry x where x.stream = 'exhibit:' || e.number and x.stream_seq > e.last_seq order by x.stream_seq loop
    d := convert_from(l.body, 'UTF8')::jsonb; k := split_part(l.type, ':', 3); d := d -> 'data';
    select a.id into g from custody.agreement a
     where a.client_id::text = d ->> 'agreement' and encode(a.offer_sha256, 'hex') = coalesce(d ->> 'offer', encode(a.offer_sha256, 'hex'))
     order by a.id limit 1;
    if l.type in ('custody:exhibit:disputed', 'custody:exhibit:resolved') then
      insert into custody.event(exhibit_id, seq, seizure_id, kind, actor_id, from_id, to_id, reason, note, at, hash, prev, agreement_id)
      values (e.id, l.stream_seq, e.seizure_id, k, l.actor_id, (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint,
        coalesce(d #>> '{why,0,code}', d ->> 'outcome'), d ->> 'words', l.at, l.leaf_hash, decode(convert_from(l.body, 'UTF8')::jsonb ->> 'prev', 'hex'), g);
      update exhibits.exhibit x set last_seq = l.stream_seq, last_hash = l.leaf_hash where x.id = e.id;
      n := n + 1;
      continue;
    end if;
    if l.type not in ('custody:handover:offered', 'custody:handover:accepted', 'custody:handover:refused', 'custody:handover:withdrawn') then
      raise exception 'event % is of another kind: %', l.stream_seq, l.type;
    end if;
    perform access.act_as(l.actor_id);  -- the rules of custody are asked once more, of who did it
    done := k = 'accepted';
    select o.id into h from custody.handover o where o.number = d ->> 'handover';
    if h is null then
      insert into custody.handover(client_id, number, from_id, to_id, purpose, place, note, latitude, longitude, accuracy_m, device_at, created_at, agreement_id)
      values (coalesce((d ->> 'agreement')::uuid, l.event_id), d ->> 'handover', (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint, d ->> 'purpose', coalesce(d #>> '{place,claimed}', ''),
        coalesce(d ->> 'note', ''), (d #>> '{place,latitude}')::numeric, (d #>> '{place,longitude}')::numeric, (d #>> '{place,accuracy_m}')::numeric,
        (d ->> 'device_at')::timestamptz, l.at, g) returning id into h;
    end if;
    seal := case when k = 'offered' then d #>> '{seal,giver}' else d #>> '{seal,receiver}' end; state := d #>> '{seal,state}';
    if k = 'offered' then
      insert into custody.handover_item(handover_id, exhibit_id, seizure_id, from_id, to_id)
      values (h, e.id, e.seizure_id, (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint);
    else
      update custody.handover_item i set state = k, answered_at = l.at where i.handover_id = h and i.exhibit_id = e.id;
    end if;
    insert into custody.event(exhibit_id, seq, seizure_id, kind, actor_id, handover_id, from_id, to_id, seal_no, seal_state, reason, discrepancy, note, at, device_at, hash, prev, agreement_id)
    values (e.id, l.stream_seq, e.seizure_id, k, l.actor_id, h, (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint, seal, state, d ->> 'reason',
      d ->> 'discrepancy', d ->> 'note', l.at, (d ->> 'device_at')::timestamptz, l.leaf_hash, decode(convert_from(l.body, 'UTF8')::jsonb ->> 'prev', 'hex'), g);
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

revoke execute on function access.may_settle, access.may_resolve, custody.post_of, custody.bring, custody.keys_of, custody.public_key, custody.agreed_facts,
  custody.agreed_serial, custody.postpone, custody.enact, custody.settle, custody.dispute, custody.dispute_facts, custody.resolve from public;
grant execute on function custody.agreed_facts, custody.agreed_serial, custody.postpone, custody.settle, custody.dispute to app, sequencer;
grant execute on function custody.bring, custody.public_key, custody.dispute_facts, custody.resolve, access.may_resolve to app;

set local role owner;
grant execute on function custody.thing, custody.party to access_fn;
revoke create on schema access, custody, ledger from access_fn;

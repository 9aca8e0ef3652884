-- Hand-overs that two phones agreed: the pair of records comes back from beside the entry of whoever brought it, the rest from the
-- entries of its stream.
do $$ declare t text; begin
  foreach t in array array['agreement', 'agreement_item', 'agreement_bringing', 'agreement_outcome', 'agreement_waiting'] loop
    if not exists (select from pg_policy where polrelid = ('custody.' || t)::regclass and polcmd in ('a', '*') and 'access_fn'::regrole = any (polroles)) then
      execute format('create policy recover on custody.%I for insert to access_fn with check (true)', t);
    end if;
  end loop;
end $$;

grant create on schema ledger to access_fn;
set local role access_fn;

-- The agreement an entry's data speaks of: by the record it was signed as, by its two halves, or by the two records' own identifier.
create function ledger.agreement_of(d jsonb) returns custody.agreement language sql stable security definer set search_path = '' as $$
  select a.* from custody.agreement a
   where a.client_id::text = d ->> 'agreement'
     and coalesce(d #>> '{signature,record}' in (encode(a.offer_sha256, 'hex'), encode(a.answer_sha256, 'hex')), true)
     and (d ->> 'offer' is null or d ->> 'offer' = encode(a.offer_sha256, 'hex')) and (d ->> 'answer' is null or d ->> 'answer' = encode(a.answer_sha256, 'hex'))
   order by a.id limit 1 $$;

create function ledger.bring_back_agreements() returns table(stream text, done boolean) language plpgsql volatile security definer set search_path = '' as $$
declare l record; v jsonb; a bigint; answer bytea;
begin
  for l in select x.*, convert_from(x.body, 'UTF8')::jsonb -> 'data' as d from ledger.entry x
            where x.recovered and x.stream like 'agreement:%' and x.type = 'custody:agreement:brought' order by x.id loop
    stream := l.stream; a := (ledger.agreement_of(l.d)).id;
    continue when exists (select from custody.agreement_bringing b where b.agreement_id = a and b.person_id = l.actor_id);
    select r.line into v from ledger.returned r where r.first = l.id and r.line ->> 'what' = 'agreement';
    done := found and (select count(*) = 2 from accounts.person p where p.id in ((v ->> 'from')::bigint, (v ->> 'to')::bigint));
    if done then
      answer := decode(v ->> 'answer', 'hex');
      if a is null then
        insert into custody.agreement(client_id, offer, offer_signature, offer_spki, answer, answer_signature, answer_spki, from_id, to_id,
            from_unit, from_agency, to_unit, to_agency, offered_at, answered_at, created_at)
        values ((v ->> 'id')::uuid, decode(v ->> 'offer', 'hex'), decode(v ->> 'offer_signature', 'hex'), decode(v ->> 'offer_spki', 'hex'), answer,
            decode(v ->> 'answer_signature', 'hex'), decode(v ->> 'answer_spki', 'hex'), (v ->> 'from')::bigint, (v ->> 'to')::bigint,
            (v ->> 'from_unit')::bigint, (v ->> 'from_agency')::bigint, (v ->> 'to_unit')::bigint, (v ->> 'to_agency')::bigint,
            (convert_from(decode(v ->> 'offer', 'hex'), 'UTF8')::jsonb ->> 'at')::timestamptz, (convert_from(answer, 'UTF8')::jsonb ->> 'at')::timestamptz, l.at)
          returning id into a;
        insert into custody.agreement_item(agreement_id, exhibit, decision)
          select a, i ->> 'exhibit', i ->> 'decision' from jsonb_array_elements(convert_from(answer, 'UTF8')::jsonb -> 'items') i;
      end if;
      insert into custody.agreement_bringing(agreement_id, person_id, at) values (a, l.actor_id, l.at);
    end if;
    return next;
  end loop;
end $$;

-- As before, with its signature; and what came of an agreement is tied to it. A dispute and its end only lengthen the chain.
create or replace function ledger.catch_up_one(p_exhibit bigint) returns int language plpgsql volatile security definer set search_path = '' as $$
declare l record; d jsonb; e record; h bigint; k text; seal text; state text; n int := 0; done boolean; g custody.agreement; t timestamptz;
begin
  select x.id, x.seizure_id, x.number, x.last_seq into e from exhibits.exhibit x where x.id = p_exhibit for update;
  for l in select x.* from ledger.entry x where x.stream = 'exhibit:' || e.number and x.stream_seq > e.last_seq order by x.stream_seq loop
    if l.type not in ('custody:handover:offered', 'custody:handover:accepted', 'custody:handover:refused', 'custody:handover:withdrawn',
        'custody:exhibit:disputed', 'custody:exhibit:resolved') then
      raise exception 'event % is of another kind: %', l.stream_seq, l.type;
    end if;
    d := convert_from(l.body, 'UTF8')::jsonb -> 'data'; k := split_part(l.type, ':', 3); g := ledger.agreement_of(d);
    if k in ('disputed', 'resolved') then
      if g.id is null then raise exception 'event % is of an agreement that did not come back', l.stream_seq; end if;
      insert into custody.event(exhibit_id, seq, seizure_id, kind, actor_id, from_id, to_id, reason, note, at, hash, prev, agreement_id)
      values (e.id, l.stream_seq, e.seizure_id, k, l.actor_id, g.from_id, g.to_id, case k when 'disputed' then d #>> '{why,0,code}' else d ->> 'outcome' end,
        d ->> 'words', l.at, l.leaf_hash, decode(convert_from(l.body, 'UTF8')::jsonb ->> 'prev', 'hex'), g.id);
      update exhibits.exhibit x set last_seq = l.stream_seq, last_hash = l.leaf_hash where x.id = e.id;
      n := n + 1;
      continue;
    end if;
    perform access.act_as(l.actor_id);  -- the rules of custody are asked once more, of who did it
    done := k = 'accepted';
    -- of an agreement as exactly as the phone said it
    t := case when g.id is null then (d ->> 'device_at')::timestamptz when k = 'offered' then g.offered_at else g.answered_at end;
    select o.id into h from custody.handover o where o.number = d ->> 'handover';
    if h is null then
      insert into custody.handover(client_id, number, from_id, to_id, purpose, place, note, latitude, longitude, accuracy_m, device_at, created_at, agreement_id)
      values (coalesce(g.client_id, l.event_id), d ->> 'handover', (d #>> '{from,id}')::bigint, (d #>> '{to,id}')::bigint, d ->> 'purpose', coalesce(d #>> '{place,claimed}', ''),
        coalesce(d ->> 'note', ''), (d #>> '{place,latitude}')::numeric, (d #>> '{place,longitude}')::numeric, (d #>> '{place,accuracy_m}')::numeric,
        t, l.at, g.id) returning id into h;
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
      d ->> 'discrepancy', case when g.id is null then d ->> 'note' else nullif(d ->> 'note', '') end, l.at, t, l.leaf_hash, decode(convert_from(l.body, 'UTF8')::jsonb ->> 'prev', 'hex'), g.id);
    if d #>> '{signature,means}' in ('passkey', 'pin') then perform ledger.sign_again(e.id, l.stream_seq, l.id, h); end if;
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

-- What became of them, after custody has caught up; who is still waited for is looked at again by the worker.
create function ledger.bring_back_outcomes() returns table(stream text, done boolean) language plpgsql volatile security definer set search_path = '' as $$
declare l record; a bigint; h bigint; k text;
begin
  for l in select x.*, convert_from(x.body, 'UTF8')::jsonb -> 'data' as d from ledger.entry x
            where x.recovered and x.stream like 'agreement:%' and x.type in ('custody:agreement:settled', 'custody:agreement:disputed', 'custody:agreement:resolved')
            order by x.id loop
    stream := l.stream; k := split_part(l.type, ':', 3); a := (ledger.agreement_of(l.d)).id;
    continue when exists (select from custody.agreement_outcome o where o.agreement_id = a and o.kind = k);
    select o.id into h from custody.handover o where o.number = l.d ->> 'handover';
    done := a is not null and case k when 'settled' then h is not null when 'resolved' then exists (select from accounts.person p where p.id = l.actor_id) else true end;
    if done then
      insert into custody.agreement_outcome(agreement_id, kind, at, handover_id, why, person_id, outcome, words)
      values (a, k, l.at, case k when 'settled' then h end, case k when 'disputed' then l.d -> 'why' end, case k when 'resolved' then l.actor_id end,
        case k when 'resolved' then l.d ->> 'outcome' end, case k when 'resolved' then l.d ->> 'words' end);
      delete from custody.agreement_waiting w where w.agreement_id = a;
    end if;
    return next;
  end loop;
  -- decided nowhere, or disputed and an exhibit that it names has yet to say so
  insert into custody.agreement_waiting(agreement_id)
    select q.id from custody.agreement q
     where not exists (select from ledger.entry x where x.stream = 'agreement:' || q.client_id and x.type in ('custody:agreement:settled', 'custody:agreement:resolved')
                         and (ledger.agreement_of(convert_from(x.body, 'UTF8')::jsonb -> 'data')).id = q.id)
       and (not exists (select from custody.agreement_outcome o where o.agreement_id = q.id)
            or exists (select from custody.agreement_item i where i.agreement_id = q.id and not exists (select from exhibits.exhibit e where e.number = i.exhibit)
                         and exists (select from custody.agreement_outcome o where o.agreement_id = q.id and o.kind = 'disputed')))
  on conflict do nothing;
end $$;

revoke execute on function ledger.agreement_of, ledger.bring_back_agreements, ledger.bring_back_outcomes from public;
grant execute on function ledger.bring_back_agreements, ledger.bring_back_outcomes to owner_login;

set local role owner;
revoke create on schema ledger from access_fn;

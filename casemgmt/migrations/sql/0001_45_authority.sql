-- Who may change what they see. The application asks the same before it acts and says no in words; what stands here holds
-- also against a statement that slipped past it. A grant, an audit, a hand-over long done: each shows, none of them writes.

-- Team, status and referral of a case: its leads, the supervisors of its unit, and whoever opens it until it has a team.
create function access.leads(case_ bigint) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from cases.case_file c where c.id = case_ and (access.holds('supervisor', c.unit_id)
      or exists (select from cases.case_member m where m.case_id = c.id and m.person_id = access.reader() and m.role = 'lead' and m.left_at is null)
      or (c.opened_by = access.reader() and not exists (select from cases.case_member m where m.case_id = c.id)))) $$;

-- Its seizures and links: the whole team.
create function access.works_on(case_ bigint) returns boolean language sql stable security definer set search_path = '' as $$
  select access.leads(case_)
      or exists (select from cases.case_member m where m.case_id = case_ and m.person_id = access.reader() and m.left_at is null) $$;

-- Was another agency's seizure given to the actor with the right to pass it on, and for so long?
create function access.may_pass_on(seizure bigint, wanted timestamptz) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from sharing.grant g
    where g.seizure_id = seizure and g.onward and g.until >= wanted and g.to_id = any (access.principals())
      and g.starts_at <= now() and g.until > now() and not exists (select from sharing.grant_end e where e.grant_id = g.id)) $$;

-- May the actor write events of this stream? Of a record that is hidden and of one that is not there the answer is the same.
create function access.writes_to(stream text) returns boolean language plpgsql stable security definer set search_path = '' as $$
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
    else return access.is_administrator() or exists (select from accounts.person p where p.id = access.me() and stream = 'person:' || p.login);
  end case;
end $$;

-- An exhibit moves by one event at a time, and only between who holds it and whom it is offered to.
create function access.only_by_handover() returns trigger language plpgsql as $$
declare me bigint := access.reader();
begin
  if new.last_seq is distinct from old.last_seq + 1 then
    raise exception 'exhibit % changed without its event', old.id using errcode = 'CM002';
  end if;
  if (old.holder_id = me and new.holder_id = me and (old.offered_to is null) <> (new.offered_to is null))
     or (old.offered_to = me and new.offered_to is null and new.holder_id in (me, old.holder_id)) then
    return new;
  end if;
  raise exception 'exhibit % is not yours to move', old.id using errcode = 'CM002';
end $$;
create trigger only_by_handover before update of holder_id, offered_to, status, seal_no, seal_state, last_seq, last_hash on exhibits.exhibit
  for each row execute function access.only_by_handover();

-- An appointment begins or ends: what its person was named for is looked at again.
create function access.on_appointment() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  perform access.refresh(coalesce((select array_agg(n.seizure_id) from access.named n where n.person_id = new.person_id), '{}'), '{}');
  return null;
end $$;
create trigger reach after insert or update on accounts.appointment for each row execute function access.on_appointment();

grant execute on function access.leads, access.works_on, access.may_pass_on to app;

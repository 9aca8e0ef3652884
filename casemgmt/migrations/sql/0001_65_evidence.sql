-- Receiving a file. Security invoker: the policies stay on, and where nothing is seen nothing is found.

-- The record a file is for and who keeps it. A file of an exhibit need not name the seizure; if it does, it is the exhibit's own.
create function evidence.place(p_seizure bigint, p_exhibit bigint)
returns table(seizure_id bigint, seizure text, exhibit text, agency_id bigint, unit_id bigint, ntk boolean, holder_id bigint, offered_to bigint)
language sql stable as $$
  select s.id, s.number, null, s.agency_id, s.unit_id, s.ntk, null, null
    from seizures.seizure s where p_exhibit is null and s.id = p_seizure
  union all
  select s.id, s.number, e.number, s.agency_id, s.unit_id, s.ntk, e.holder_id, e.offered_to
    from exhibits.exhibit e join seizures.seizure s on s.id = e.seizure_id
   where e.id = p_exhibit and e.seizure_id = coalesce(p_seizure, e.seizure_id) $$;

-- Everything that is asked before the first byte, in one call: the place, and the file this person sent under this
-- identifier before.
create function evidence.ask(token bytea, p_seizure bigint, p_exhibit bigint, p_client uuid) returns json language plpgsql as $$
declare me bigint := access.enter(token); found_ json;
begin
  if me is null then raise exception 'session has ended' using errcode = 'CM003'; end if;
  select json_build_object('place', row_to_json(p), 'earlier', (select f.id from evidence.file f where f.received_by = me and f.client_id = p_client))
    into found_ from evidence.place(p_seizure, p_exhibit) p;
  if not found then raise exception 'no such record' using errcode = 'CM004'; end if;
  return found_;
end $$;

revoke execute on function evidence.place, evidence.ask from public;
grant execute on function evidence.place, evidence.ask to app;

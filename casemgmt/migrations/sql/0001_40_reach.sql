-- Who may see what beyond their own unit: one definition each, used by the build, the upkeep and the nightly check.
--
-- * A live grant on a seizure, or on a case "with seizures", reaches its receiver until it ends.
-- * A case's team reaches the seizures that the case's own agency put into it. Another agency's seizure in the case
--   stays reachable only through that agency's grant: putting it into a case shares nothing (originator control).
-- * Whoever was offered or has accepted an exhibit sees its seizure, need-to-know or not: they hold the thing.
-- * A need-to-know seizure reaches only people named on it who also have a right of their own.
--
-- What has begun is asked of clock_timestamp(): now() is the transaction's beginning, and a transaction that waited here
-- for another's grant would find that grant not begun yet and take its reach away.
create function access.reach_of(ids bigint[]) returns table(principal bigint, seizure_id bigint, until timestamptz)
language sql stable security definer set search_path = '' as $$
  with live as (
    select g.seizure_id, g.case_id, g.with_seizures, g.to_id, g.until from sharing.grant g
     where g.starts_at <= clock_timestamp() and g.until > now() and not exists (select from sharing.grant_end e where e.grant_id = g.id)
       and (g.seizure_id = any (ids)
            or (g.with_seizures and g.case_id in (select cs.case_id from cases.case_seizure cs where cs.seizure_id = any (ids))))),
  in_case as (
    select cs.case_id, cs.seizure_id from cases.case_seizure cs
      join cases.case_file c on c.id = cs.case_id join seizures.seizure s on s.id = cs.seizure_id
     where cs.seizure_id = any (ids) and cs.left_at is null and s.agency_id = c.agency_id),
  wide as (
    select m.person_id as principal, i.seizure_id, 'infinity'::timestamptz as until
      from in_case i join cases.case_member m on m.case_id = i.case_id and m.left_at is null
    union all select l.to_id, l.seizure_id, l.until from live l where l.seizure_id is not null
    union all select l.to_id, i.seizure_id, l.until from live l join in_case i on i.case_id = l.case_id where l.with_seizures),
  named as (
    select n.person_id, n.seizure_id,
           -- a right that comes from an appointment ends with it
           (select max(least(r.until, coalesce(upper(r.valid), 'infinity'))) from (
              select 'infinity'::timestamptz as until, a.valid from accounts.appointment a where a.person_id = n.person_id and a.unit_id = s.unit_id
              union all select w.until, null from wide w where w.seizure_id = n.seizure_id and w.principal = n.person_id
              union all select w.until, a.valid from wide w join accounts.unit u on w.principal in (u.id, u.agency_id)
                          join accounts.appointment a on a.unit_id = u.id and a.person_id = n.person_id
                         where w.seizure_id = n.seizure_id) r
            where r.valid is null or r.valid @> clock_timestamp()) as until
      from access.named n join seizures.seizure s on s.id = n.seizure_id and s.ntk
     where n.seizure_id = any (ids)),
  held as (
    select i.to_id, i.seizure_id, 'infinity'::timestamptz as until
      from custody.handover_item i where i.seizure_id = any (ids) and i.state in ('offered', 'accepted'))
  select x.principal, x.seizure_id, max(x.until) from (
    select w.* from wide w join seizures.seizure s on s.id = w.seizure_id where not s.ntk
    union all select * from named where until is not null
    union all select * from held) x(principal, seizure_id, until)
   group by 1, 2 $$;

create function access.case_reach_of(ids bigint[]) returns table(principal bigint, case_id bigint, until timestamptz)
language sql stable security definer set search_path = '' as $$
  select x.principal, x.case_id, max(x.until) from (
    select m.person_id, m.case_id, 'infinity'::timestamptz from cases.case_member m where m.case_id = any (ids) and m.left_at is null
    union all
    select g.to_id, g.case_id, g.until from sharing.grant g
     where g.case_id = any (ids) and g.starts_at <= clock_timestamp() and g.until > now() and not exists (select from sharing.grant_end e where e.grant_id = g.id)
  ) x(principal, case_id, until) group by 1, 2 $$;

-- Recompute the rows of these seizures and cases. Locks first, then reads: of two changes that meet, the second sees the first.
create function access.refresh(seizure_ids bigint[], case_ids bigint[]) returns void language plpgsql security definer set search_path = '' as $$
begin
  if cardinality(case_ids) > 0 then
    merge into access.case_reach t using (
        select coalesce(n.principal, o.principal) as principal, coalesce(n.case_id, o.case_id) as case_id, n.until
          from access.case_reach_of(case_ids) n
          full join (select * from access.case_reach r where r.case_id = any (case_ids)) o on o.principal = n.principal and o.case_id = n.case_id
         where n.until is distinct from o.until) d
      on t.principal = d.principal and t.case_id = d.case_id
      when matched and d.until is null then delete
      when matched then update set until = d.until
      when not matched then insert (principal, case_id, until) values (d.principal, d.case_id, d.until);
  end if;
  if cardinality(seizure_ids) > 0 then
    perform 1 from seizures.seizure s where s.id = any (seizure_ids) order by s.id for no key update;
    merge into access.reach t using (
        select coalesce(n.principal, o.principal) as principal, coalesce(n.seizure_id, o.seizure_id) as seizure_id, n.until
          from access.reach_of(seizure_ids) n
          full join (select * from access.reach r where r.seizure_id = any (seizure_ids)) o on o.principal = n.principal and o.seizure_id = n.seizure_id
         where n.until is distinct from o.until) d
      on t.principal = d.principal and t.seizure_id = d.seizure_id
      when matched and d.until is null then delete
      when matched then update set until = d.until
      when not matched then insert (principal, seizure_id, until) values (d.principal, d.seizure_id, d.until);
  end if;
end $$;

create function access.on_link() returns trigger language plpgsql security definer set search_path = '' as $$
declare ids bigint[] := '{}'; cases_ bigint[] := '{}';
begin
  case tg_table_name
    when 'case_seizure' then select array_agg(distinct n.seizure_id), array_agg(distinct n.case_id) into ids, cases_ from n;
    when 'case_member' then select array_agg(distinct n.case_id) into cases_ from n;
    when 'grant' then
      select array_agg(n.seizure_id) filter (where n.seizure_id is not null), array_agg(n.case_id) filter (where n.case_id is not null) into ids, cases_ from n;
    when 'grant_end' then
      select array_agg(g.seizure_id) filter (where g.seizure_id is not null), array_agg(g.case_id) filter (where g.case_id is not null) into ids, cases_
        from n join sharing.grant g on g.id = n.grant_id;
    when 'named' then
      if tg_op = 'DELETE' then select array_agg(distinct o.seizure_id) into ids from o; else select array_agg(distinct n.seizure_id) into ids from n; end if;
    when 'handover_item' then
      if tg_op = 'INSERT' then
        -- an offer only ever adds reach without end: no need to recompute the seizure
        insert into access.reach(principal, seizure_id) select distinct n.to_id, n.seizure_id from n
          on conflict (principal, seizure_id) do update set until = 'infinity' where access.reach.until <> 'infinity';
        return null;
      end if;
      select array_agg(distinct n.seizure_id) into ids from n where n.state in ('refused', 'withdrawn');
  end case;
  -- the case row is the lock between "a member comes or goes" and "a seizure comes or goes"
  perform 1 from cases.case_file c where c.id = any (cases_) order by c.id for no key update;
  if tg_table_name in ('case_member', 'grant', 'grant_end') then
    ids := coalesce(ids, '{}') || coalesce((select array_agg(distinct cs.seizure_id) from cases.case_seizure cs where cs.case_id = any (cases_)), '{}');
  end if;
  perform access.refresh(coalesce(ids, '{}'), coalesce(cases_, '{}'));
  return null;
end $$;

create trigger reach_i after insert on cases.case_seizure referencing new table as n for each statement execute function access.on_link();
create trigger reach_u after update on cases.case_seizure referencing new table as n for each statement execute function access.on_link();
create trigger reach_i after insert on cases.case_member referencing new table as n for each statement execute function access.on_link();
create trigger reach_u after update on cases.case_member referencing new table as n for each statement execute function access.on_link();
create trigger reach_i after insert on sharing.grant referencing new table as n for each statement execute function access.on_link();
create trigger reach_i after insert on sharing.grant_end referencing new table as n for each statement execute function access.on_link();
create trigger reach_i after insert on access.named referencing new table as n for each statement execute function access.on_link();
create trigger reach_d after delete on access.named referencing old table as o for each statement execute function access.on_link();
create trigger reach_i after insert on custody.handover_item referencing new table as n for each statement execute function access.on_link();
create trigger reach_u after update on custody.handover_item referencing new table as n for each statement execute function access.on_link();

-- A seizure marked (or unmarked) need-to-know: the copies on its rows follow, and reach is recomputed.
create function access.on_ntk() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update exhibits.exhibit e set ntk = new.ntk where e.seizure_id = new.id;
  update evidence.file f set ntk = new.ntk where f.seizure_id = new.id;
  update access.search_key k set ntk = new.ntk where k.seizure_id = new.id;
  update access.exhibit_text t set ntk = new.ntk where t.seizure_id = new.id;
  perform access.refresh(array[new.id], '{}');
  return null;
end $$;
create trigger ntk_copies after update of ntk on seizures.seizure for each row when (old.ntk is distinct from new.ntk) execute function access.on_ntk();

-- What differs between reach as kept and reach as defined. Nothing, unless something went wrong. In pages of seizures.
create function access.drift(after_id bigint, page int) returns table(last_id bigint, differences bigint)
language sql stable security definer set search_path = '' as $$
  with ids as (select array_agg(x.id) as a, max(x.id) as last from (select s.id from seizures.seizure s where s.id > after_id order by s.id limit page) x)
  select ids.last, (select count(*) from access.reach_of(ids.a) n
      full join (select * from access.reach r where r.seizure_id = any (ids.a) and r.until > now()) o on o.principal = n.principal and o.seizure_id = n.seizure_id
     where n.until is distinct from o.until)
    from ids where ids.a is not null $$;
create function access.case_drift(after_id bigint, page int) returns table(last_id bigint, differences bigint)
language sql stable security definer set search_path = '' as $$
  with ids as (select array_agg(x.id) as a, max(x.id) as last from (select c.id from cases.case_file c where c.id > after_id order by c.id limit page) x)
  select ids.last, (select count(*) from access.case_reach_of(ids.a) n
      full join (select * from access.case_reach r where r.case_id = any (ids.a) and r.until > now()) o on o.principal = n.principal and o.case_id = n.case_id
     where n.until is distinct from o.until)
    from ids where ids.a is not null $$;

-- Grants, and appointments of people who are named, whose beginning has come since the last time: refresh what they open.
-- Returns how many.
create function access.begin_grants(since timestamptz) returns int language plpgsql volatile security definer set search_path = '' as $$
declare s bigint[]; c bigint[];
begin
  select array_agg(g.seizure_id) filter (where g.seizure_id is not null), array_agg(g.case_id) filter (where g.case_id is not null) into s, c
    from sharing.grant g where g.starts_at > since and g.starts_at <= now() and g.given_at < g.starts_at;
  s := coalesce(s, '{}') || coalesce((select array_agg(distinct n.seizure_id) from access.named n
         join accounts.appointment a on a.person_id = n.person_id where lower(a.valid) > since and lower(a.valid) <= now()), '{}');
  s := s || coalesce((select array_agg(distinct cs.seizure_id) from cases.case_seizure cs where cs.case_id = any (c)), '{}');
  perform access.refresh(s, coalesce(c, '{}'));
  return cardinality(s) + coalesce(cardinality(c), 0);
end $$;

-- Is this hand-over of mine between us two? (A policy of the items cannot ask the hand-overs, whose policy asks the items.)
create function access.between(handover bigint, giver bigint, receiver bigint) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from custody.handover h where h.id = handover and h.from_id = giver and h.to_id = receiver
                  and h.from_id = access.reader()) $$;

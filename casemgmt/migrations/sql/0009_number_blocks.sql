-- Numbers a device may give by itself while it has no network. A block is drawn from the same counter as every other number
-- of the unit, so no two devices and no server ever give the same one. What a device never used stays a gap with its reason.
create table seizures.number_block(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  device uuid not null,
  person_id bigint not null references accounts.person default access.me(),
  unit_id bigint not null references accounts.unit,
  year int not null,
  first int not null check (first > 0),
  count int not null check (count between 1 and 50),
  at timestamptz not null default now(),
  unique (person_id, client_id),
  unique (unit_id, year, first)
);
create index on seizures.number_block(device, unit_id, year);
select access.protect('seizures.number_block');
select access.make_append_only('seizures.number_block');
-- Seen in the unit that numbers, and by whoever reads its whole agency.
create policy visible on seizures.number_block for select to app using (
  unit_id = any ((select access.units())::bigint[])
  or unit_id in (select u.id from accounts.unit u where u.agency_id = any ((select access.agencies())::bigint[])));
create policy add on seizures.number_block for insert to app with check (
  person_id = (select access.me()) and unit_id = any ((select access.units())::bigint[]));
grant select on seizures.number_block to app;
grant insert (client_id, device, unit_id, year, first, count) on seizures.number_block to app;
grant usage on all sequences in schema seizures to app;

-- The first of as many serial numbers in a row.
create function accounts.next_serials(unit bigint, p_kind text, p_year int, p_count int) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare n int;
begin
  if not unit = any (access.units()) then
    raise exception 'no appointment in this unit' using errcode = 'insufficient_privilege';
  end if;
  if p_count not between 1 and 50 then
    raise exception 'between 1 and 50 numbers' using errcode = 'insufficient_privilege';
  end if;
  insert into accounts.serial(unit_id, kind, year, last) values (unit, p_kind, p_year, p_count)
  on conflict (unit_id, kind, year) do update set last = accounts.serial.last + p_count returning last into n;
  return n - p_count + 1;
end $$;
revoke execute on function accounts.next_serials(bigint, text, int, int) from public;
grant execute on function accounts.next_serials(bigint, text, int, int) to app;
grant create on schema accounts to access_fn;
alter function accounts.next_serials(bigint, text, int, int) owner to access_fn;
revoke create on schema accounts from access_fn;

-- Which numbers of a unit and year exist, hidden seizures too: that a number is in use says nothing of what it names.
create function seizures.numbers_used(p_unit bigint, p_numbers text[]) returns table(number text)
language sql stable security definer set search_path = '' as $$
  select s.number from seizures.seizure s
   where s.unit_id = p_unit and s.number = any (p_numbers)
     and (p_unit = any (access.units()) or exists (
       select from accounts.unit u where u.id = p_unit and u.agency_id = any (access.agencies())))
$$;
revoke execute on function seizures.numbers_used(bigint, text[]) from public;
grant execute on function seizures.numbers_used(bigint, text[]) to app;
grant usage, create on schema seizures to access_fn;
alter function seizures.numbers_used(bigint, text[]) owner to access_fn;
revoke create on schema seizures from access_fn;

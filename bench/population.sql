-- A population for benchmarks, the same for the same number of seizures. Run by the superuser, ordinary triggers off.
-- Agency i has id i, unit u id 10 + u, person p id 1000 + p. Seizures are made in 42 units of agencies 1, 2 and 4.
-- `plan` (id, number, unit, person, year, exhibits, first_exhibit) is a temporary table with a row for each seizure.

-- ==== people
insert into accounts.principal(id, kind) overriding system value
  select i, 'agency' from generate_series(1, 5) i
  union all select 10 + u, 'unit' from generate_series(1, 200) u
  union all select 1000 + p, 'person' from generate_series(1, 3000) p;
insert into accounts.agency(id, code, kind, name)
  select i, 'A' || i, case i when 3 then 'prosecution' when 4 then 'police' else 'customs' end, 'Agency ' || i from generate_series(1, 5) i;
insert into accounts.unit(id, agency_id, code, name, place)
  select 10 + u, (u - 1) % 5 + 1, to_char(1000 + u, 'FM0000'), 'Unit ' || u, 'Place ' || u from generate_series(1, 200) u;
insert into accounts.person(id, login, name, badge)
  select 1000 + p, 'p' || p, 'Person ' || p, to_char(p, 'FM00000') from generate_series(1, 3000) p;
insert into accounts.appointment(person_id, kind, unit_id)
  select 1000 + p, case when p = 1001 then 'investigator' when p = 203 then 'prosecutor' when p = 212 then 'custodian' else 'officer' end,
         10 + (p - 1) % 200 + 1 from generate_series(1, 3000) p where p not in (1, 12, 405);
insert into accounts.appointment(person_id, kind, unit_id) select 1012, 'supervisor', 10 + u from unnest(array[12, 7, 17, 22, 27]) u;
insert into accounts.appointment(person_id, kind, agency_id) values (1405, 'auditor', 1);
insert into accounts.appointment(person_id, kind) values (1001, 'administrator');

-- ==== seizures
insert into seizures.seizure(id, client_id, number, agency_id, unit_id, ntk, created_by, created_at, seized_at, place, latitude, longitude, accuracy_m, direction, detection, ground)
  overriding system value
  select p.id, lpad(to_hex(p.id), 32, '0')::uuid, p.number, (p.unit - 1) % 5 + 1, 10 + p.unit, (p.id / 42) % 64 = 63, 1000 + p.person,
         p.seized_at + interval '20 minutes', p.seized_at, 'Place ' || p.unit, 42.87 + p.id % 100 / 1000.0, 74.59, 12.5, 'import', null, 'Customs code, article 321'
    from plan p;
insert into seizures.conveyance(seizure_id, kind, identifier, country, verdict)
  select id, 'container', 'MSCU' || lpad((id * 31337 % 9999991)::text, 7, '0'), 'KG', 'unknown' from plan where id % 3 = 0;
insert into access.search_key(key, kind, seizure_id, unit_id, agency_id, ntk)
  select k.key, k.kind, s.id, s.unit_id, s.agency_id, s.ntk from seizures.seizure s
   cross join lateral (values ('d:' || replace(s.number, '-', ''), 'number'), ('s:' || (s.id / 42 + 1), 'number')) k(key, kind)
  union all
  select 'i:' || c.identifier, 'container', s.id, s.unit_id, s.agency_id, s.ntk
    from seizures.conveyance c join seizures.seizure s on s.id = c.seizure_id;

-- ==== exhibits: a page of seizures, $1 < id <= $2; the first link of each chain and its bytes in the ledger
with e as materialized (
  select p.first_exhibit + j as id, s.id as seizure_id, s.agency_id, s.unit_id, s.ntk, j + 1 as no, s.number || '/' || j + 1 as number,
         s.number as seizure, (array['DRUG', 'TOBA', 'CURR', 'WEAP', 'CITES', 'MED'])[(p.id + j) % 6 + 1] as category,
         format('package %s %s %s', w.a, w.b, w.c) as description, round((p.id * 7 + j * 13) % 5000 / 10.0, 1) as quantity,
         'B' || lpad((p.first_exhibit + j)::text, 7, '0') as seal, s.created_by as person, s.created_at as at
    from plan p join seizures.seizure s on s.id = p.id
   cross join lateral generate_series(0, p.exhibits - 1) j
   cross join lateral (select to_hex((p.id * 7919 + j * 31) % 20011) a, to_hex((p.id * 104729 + j) % 4001) b, to_hex((p.id + j) % 997) c) w
   where p.id > $1 and p.id <= $2),
b as materialized (
  select e.*, convert_to(format(
    '{"actor":{"badge":"%s","id":%s,"name":"Person %s"},"at":"%s","data":{"basis":"net","category":"%s","currency":null,"description":"%s","exhibit":"%s",'
    '"holder":{"badge":"%s","id":%s,"name":"Person %s"},"quantity":"%s","seal":"%s","seizure":"%s","unit":"kg","value":null},'
    '"nonce":"%s","prev":null,"seq":1,"stream":"exhibit:%s","type":"custody:exhibit:registered","v":1}',
    to_char(person - 1000, 'FM00000'), person, person - 1000, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), category, description, number,
    to_char(person - 1000, 'FM00000'), person, person - 1000, quantity, seal, seizure, md5(number), number), 'UTF8') as body
    from e),
x as (
  insert into exhibits.exhibit(id, seizure_id, agency_id, unit_id, ntk, no, number, category, description, quantity, unit, quantity_basis,
                               seal_no, seal_state, created_by, created_at, holder_id, last_seq, last_hash)
  overriding system value
  select id, seizure_id, agency_id, unit_id, ntk, no, number, category, description, quantity, 'kg', 'net', seal, 'intact', person, at, person, 1,
         sha256('\x00'::bytea || body) from b order by id),
c as (
  insert into custody.event(exhibit_id, seq, seizure_id, kind, actor_id, to_id, seal_no, seal_state, at, hash)
  select id, 1, seizure_id, 'registered', person, person, seal, 'intact', at, sha256('\x00'::bytea || body) from b order by id),
f as (
  insert into evidence.file(id, client_id, seizure_id, exhibit_id, agency_id, unit_id, ntk, object_key, original_name, media_type, size, sha256, crc32,
                            hash_declared, received_by, received_at)
  overriding system value
  select id, lpad(to_hex(id), 32, '0')::uuid, seizure_id, id, agency_id, unit_id, ntk, lpad(to_hex(id), 32, '0')::uuid::text, 'IMG_' || id || '.jpg', 'image/jpeg',
         1000000 + id % 4000000, sha256(int8send(id)), id * 2654435761 % 4294967296, true, person, at from b order by id),
t as (
  insert into access.exhibit_text(exhibit_id, seizure_id, unit_id, agency_id, ntk, tsv)
  select id, seizure_id, unit_id, agency_id, ntk, array_to_tsvector(string_to_array(lower(description || ' ' || category), ' ') || ('u:' || unit_id)) from b order by id)
insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, exhibit_id, actor_id, at, body)
select lpad(to_hex(id), 32, '0')::uuid, 'exhibit:' || number, 1, 'custody:exhibit:registered', seizure_id, id, person, at, body from b order by id;

-- ==== cases
insert into cases.case_file(id, client_id, number, agency_id, unit_id, title, status, opened_by, opened_at)
  overriding system value
  select c.id, lpad(to_hex(c.id), 32, '0')::uuid, c.number, s.agency_id, s.unit_id, 'Case ' || c.id, 'open', s.created_by, s.created_at
    from case_plan c join seizures.seizure s on s.id = c.first_seizure;
insert into cases.case_seizure(case_id, seizure_id, added_by)
  select id, first_seizure, 1000 + person from case_plan
  union select id, second_seizure, 1000 + person from case_plan where id % 2 = 1 and second_seizure <> first_seizure;
insert into cases.case_member(case_id, person_id, role)
  select distinct c.id, 1000 + c.agency_id + 5 * ((c.id * 31 + j * 97) % 600), 'member' from cases.case_file c, generate_series(0, 2) j;
-- the investigator works on up to 2,000 cases of her agency
insert into cases.case_member(case_id, person_id, role)
  select x.id, 2001, 'lead' from (select id from cases.case_file where agency_id = 1 order by md5(id::text) limit 2000) x
   where not exists (select from cases.case_member m where m.case_id = x.id and m.person_id = 2001);
insert into access.case_key(key, case_id, unit_id, agency_id, ntk)
  select 'd:' || replace(number, '-', ''), id, unit_id, agency_id, ntk from cases.case_file;

-- ==== sharing: 800 cases to the prosecutor's unit, 500 seizures to her agency, and what others share
insert into sharing.grant(case_id, with_seizures, to_id, purpose, given_by, starts_at)
  select id, true, 13, 'prosecution', opened_by, now() - interval '1 year'
    from (select * from cases.case_file order by md5('y' || id) limit 800) c;
insert into sharing.grant(seizure_id, to_id, purpose, given_by, starts_at)
  select id, 3, 'investigation', created_by, now() - interval '1 year' from (select * from seizures.seizure order by md5('z' || id) limit 500) s;
insert into sharing.grant(seizure_id, to_id, purpose, given_by, starts_at, until)
  select id, 1001 + id * 7919 % 3000, 'investigation', created_by, now() - interval '1 year', now() + interval '1 year' from seizures.seizure where id % 30 = 0;
insert into sharing.grant(case_id, with_seizures, to_id, purpose, given_by, starts_at, until)
  select id, true, 11 + id * 31 % 200, 'investigation', opened_by, now() - interval '1 year', case when id % 5 = 0 then now() - interval '1 day' else 'infinity' end
    from cases.case_file where id % 40 = 0;
insert into sharing.grant_end(grant_id, ended_by, reason) select id, given_by, 'no longer needed' from sharing.grant where id % 70 = 0;
insert into access.named(seizure_id, person_id)
  select distinct s.id, 1001 + (s.id * 17 + j * 5) % 3000 from seizures.seizure s, generate_series(1, 3) j where s.ntk;

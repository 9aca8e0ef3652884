-- What exists for the actor. The same expression stands in UPDATE policies: an UPDATE without WHERE asks no SELECT policy.

do $$
declare r record; mine text := '(not ntk and (unit_id = any ((select access.units())::bigint[]) or agency_id = any ((select access.agencies())::bigint[])))';
begin
  for r in values ('seizures.seizure', 'seizure', 'id'), ('exhibits.exhibit', 'exhibit', 'seizure_id'), ('evidence.file', 'file', 'seizure_id'),
                  ('access.search_key', 'search_key', 'seizure_id'), ('access.exhibit_text', 'exhibit_text', 'seizure_id') loop
    perform access.protect(r.column1::regclass);
    execute format('create policy visible on %s for select to app using (%s or exists (select from access.my_reach r where r.seizure_id = %s.%I))',
                   r.column1, mine, r.column2, r.column3);
  end loop;
  for r in values ('cases.case_file', 'case_file', 'id'), ('access.case_key', 'case_key', 'case_id') loop
    perform access.protect(r.column1::regclass);
    execute format('create policy visible on %s for select to app using (%s or exists (select from access.my_case_reach r where r.case_id = %s.%I))',
                   r.column1, mine, r.column2, r.column3);
  end loop;
  execute format('create policy change on exhibits.exhibit for update to app using (%s or exists (select from access.my_reach r where r.seizure_id = exhibit.seizure_id))', mine);
end $$;
create policy change on cases.case_file for update to app using (access.leads(id));

-- New records are born in a unit where the actor is appointed.
create policy add on seizures.seizure for insert to app with check (unit_id = any ((select access.units())::bigint[])
  and agency_id = (select u.agency_id from accounts.unit u where u.id = unit_id));
-- what belongs to a seizure carries the seizure's own agency, unit and mark, whoever writes it
create policy add on exhibits.exhibit for insert to app with check (unit_id = any ((select access.units())::bigint[])
  and holder_id = (select access.reader())
  and exists (select from seizures.seizure s where s.id = seizure_id and (s.agency_id, s.unit_id, s.ntk) = (exhibit.agency_id, exhibit.unit_id, exhibit.ntk)));
-- files: by the seizure's own agency, or by whoever holds or is offered one of its exhibits (who sees a torn seal
-- photographs it before answering); a grant is for reading
create policy add on evidence.file for insert to app with check (
  exists (select from seizures.seizure s where s.id = seizure_id and (s.agency_id, s.unit_id, s.ntk) = (file.agency_id, file.unit_id, file.ntk)
    and (s.agency_id = any ((select access.principals())::bigint[])
         or exists (select from exhibits.exhibit e where e.seizure_id = s.id and (select access.reader()) in (e.holder_id, e.offered_to))))
  and (exhibit_id is null or exists (select from exhibits.exhibit e where e.id = exhibit_id and e.seizure_id = file.seizure_id)));
create policy add on cases.case_file for insert to app with check (unit_id = any ((select access.units())::bigint[])
  and agency_id = (select u.agency_id from accounts.unit u where u.id = unit_id));
create policy add on access.search_key for insert to app with check (
  exists (select from seizures.seizure s where s.id = seizure_id and (s.agency_id, s.unit_id, s.ntk) = (search_key.agency_id, search_key.unit_id, search_key.ntk)));
create policy add on access.exhibit_text for insert to app with check (
  exists (select from seizures.seizure s where s.id = seizure_id and (s.agency_id, s.unit_id, s.ntk) = (exhibit_text.agency_id, exhibit_text.unit_id, exhibit_text.ntk)));
create policy add on access.case_key for insert to app with check (
  exists (select from cases.case_file c where c.id = case_id and (c.agency_id, c.unit_id, c.ntk) = (case_key.agency_id, case_key.unit_id, case_key.ntk)));
create policy ntk_fn on exhibits.exhibit for update to access_fn using (true);
create policy ntk_fn on evidence.file for update to access_fn using (true);
create policy ntk_fn on access.search_key for update to access_fn using (true);
create policy ntk_fn on access.exhibit_text for update to access_fn using (true);
-- SELECT ... FOR UPDATE asks for an update policy
create policy lock_fn on seizures.seizure for update to access_fn using (true);
create policy lock_fn on cases.case_file for update to access_fn using (true);

-- Rows that belong to one record: whoever sees the record sees them. Reads are always by that record, never over all.
do $$
declare r record;
begin
  for r in values ('seizures.participant'), ('seizures.conveyance'), ('evidence.refusal') loop
    perform access.protect(r.column1::regclass);
    execute format('create policy visible on %s for select to app using (exists (select from seizures.seizure s where s.id = seizure_id))', r.column1);
  end loop;
  for r in values ('evidence.fixity'), ('evidence.reading') loop
    perform access.protect(r.column1::regclass);
    execute format('create policy visible on %s for select to app using (exists (select from evidence.file f where f.id = file_id))', r.column1);
    execute format('create policy add on %s for insert to app with check (exists (select from evidence.file f where f.id = file_id))', r.column1);
  end loop;
end $$;
-- who and what was there is recorded by the unit that made the seizure
create policy add on seizures.participant for insert to app
  with check (exists (select from seizures.seizure s where s.id = seizure_id and s.unit_id = any ((select access.units())::bigint[])));
create policy add on seizures.conveyance for insert to app
  with check (exists (select from seizures.seizure s where s.id = seizure_id and s.unit_id = any ((select access.units())::bigint[])));
create policy add on evidence.refusal for insert to app with check (exists (select from seizures.seizure s where s.id = seizure_id)
  and (exhibit_id is null or exists (select from exhibits.exhibit e where e.id = exhibit_id and e.seizure_id = refusal.seizure_id)));

-- a membership, and a seizure's place in a case, end once and do not begin again: who comes back gets a new row
select access.protect('cases.case_member');
create policy visible on cases.case_member for select to app using (exists (select from cases.case_file c where c.id = case_id));
create policy add on cases.case_member for insert to app with check (access.leads(case_id));
create policy change on cases.case_member for update to app using (left_at is null and access.leads(case_id)) with check (left_at is not null);
-- which of another agency's seizures a case holds is seen only by those who see the seizure as well
select access.protect('cases.case_seizure');
create policy visible on cases.case_seizure for select to app
  using (exists (select from cases.case_file c where c.id = case_id) and exists (select from seizures.seizure s where s.id = seizure_id));
create policy add on cases.case_seizure for insert to app
  with check (access.works_on(case_id) and exists (select from seizures.seizure s where s.id = seizure_id));
create policy change on cases.case_seizure for update to app using (left_at is null and access.works_on(case_id)) with check (left_at is not null);

-- a link shows two cases: only to those who see both
select access.protect('cases.case_link');
create policy visible on cases.case_link for select to app
  using (exists (select from cases.case_file c where c.id = case_id) and exists (select from cases.case_file c where c.id = other_id));
create policy add on cases.case_link for insert to app
  with check (access.works_on(case_id) and exists (select from cases.case_file c where c.id = case_id) and exists (select from cases.case_file c where c.id = other_id));

-- custody
select access.protect('custody.event');
create policy visible on custody.event for select to app using (exists (select from exhibits.exhibit e where e.id = exhibit_id));
create policy add on custody.event for insert to app with check (exists (select from exhibits.exhibit e where e.id = exhibit_id)
  and (handover_id is null or exists (select from custody.handover h where h.id = handover_id)));
select access.protect('custody.handover_item');
create policy visible on custody.handover_item for select to app
  using (from_id = (select access.reader()) or to_id = (select access.reader()) or exists (select from exhibits.exhibit e where e.id = exhibit_id));
create policy add on custody.handover_item for insert to app
  with check (from_id = (select access.reader())
    -- what I hold and have just offered to them: being offered a thing opens its seizure
    and exists (select from exhibits.exhibit e where e.id = exhibit_id and e.seizure_id = handover_item.seizure_id
                 and e.holder_id = handover_item.from_id and e.offered_to = handover_item.to_id)
    and access.between(handover_id, from_id, to_id));
create policy change on custody.handover_item for update to app
  using (state = 'offered' and (select access.reader()) in (from_id, to_id))
  with check ((select access.reader()) = case state when 'withdrawn' then from_id else to_id end
    and exists (select from custody.event c where c.handover_id = handover_item.handover_id and c.exhibit_id = handover_item.exhibit_id and c.kind = state));
select access.protect('custody.handover');
create policy visible on custody.handover for select to app
  using (from_id = (select access.reader()) or to_id = (select access.reader()) or exists (select from custody.handover_item i where i.handover_id = handover.id));
create policy add on custody.handover for insert to app with check (from_id = (select access.reader()));

-- sharing: seen by the unit that gave and by those it was given to
select access.protect('sharing.grant');
create policy visible on sharing.grant for select to app using (
  to_id = any ((select access.principals())::bigint[])
  or exists (select from seizures.seizure s where s.id = seizure_id and (s.unit_id = any ((select access.units())::bigint[]) or s.agency_id = any ((select access.agencies())::bigint[])))
  or exists (select from cases.case_file c where c.id = case_id and (c.unit_id = any ((select access.units())::bigint[]) or c.agency_id = any ((select access.agencies())::bigint[])))
  or given_by = (select access.reader()));
-- given by a supervisor of the unit that owns the record; or in one transaction with a referral, by whoever made it: the case
-- itself, its own agency's seizures, and of another agency's what the actor was given the right to pass on, for so long
create policy add on sharing.grant for insert to app with check (
  exists (select from seizures.seizure s where s.id = seizure_id and access.holds('supervisor', s.unit_id))
  or exists (select from cases.case_file c where c.id = case_id and access.holds('supervisor', c.unit_id))
  or (not with_seizures and not onward
      and exists (select from sharing.referral f join cases.case_file c on c.id = f.case_id
           where f.id = referral_id and f.made_by = (select access.reader()) and f.at = now() and f.to_id = sharing.grant.to_id
             and (f.case_id = sharing.grant.case_id
                  or exists (select from cases.case_seizure i join seizures.seizure s on s.id = i.seizure_id
                              where i.case_id = f.case_id and i.left_at is null and i.seizure_id = sharing.grant.seizure_id
                                and (s.agency_id = c.agency_id or access.may_pass_on(s.id, sharing.grant.until)))))));
select access.protect('sharing.grant_end');
create policy visible on sharing.grant_end for select to app using (exists (select from sharing.grant g where g.id = grant_id));
create policy add on sharing.grant_end for insert to app with check (
  exists (select from sharing.grant g where g.id = grant_id and (g.given_by = (select access.reader())
    or exists (select from seizures.seizure s where s.id = g.seizure_id and access.holds('supervisor', s.unit_id))
    or exists (select from cases.case_file c where c.id = g.case_id and access.holds('supervisor', c.unit_id)))));
select access.protect('sharing.referral');
create policy visible on sharing.referral for select to app using (exists (select from cases.case_file c where c.id = case_id));
create policy add on sharing.referral for insert to app with check (access.leads(case_id)
  and exists (select from accounts.unit u join accounts.agency a on a.id = u.agency_id where u.id = to_id and a.kind = 'prosecution'));
select access.protect('access.named');

-- packages: only to those who see everything inside
select access.protect('packages.package');
create policy visible on packages.package for select to app using (
  exists (select from cases.case_file c where c.id = case_id)
  and not exists (select from unnest(seizure_ids) x where not exists (select from seizures.seizure s where s.id = x)));
create policy add on packages.package for insert to app with check (
  exists (select from cases.case_file c where c.id = case_id)
  and not exists (select from unnest(seizure_ids) x where not exists (select from seizures.seizure s where s.id = x)));
select access.protect('packages.part');
create policy visible on packages.part for select to app using (exists (select from packages.package p where p.id = package_id));
-- filled by who seals it; the proof of its seal, place 0, by whoever looks first
create policy add on packages.part for insert to app with check (
  exists (select from packages.package p where p.id = package_id and (p.sealed_by = (select access.reader()) or ord = 0))
  and (file_id is null or exists (select from evidence.file f where f.id = file_id)));

-- ledger: an event is seen by whoever sees everything it is about; account events by the person and by administrators
select access.protect('ledger.entry');
create policy visible on ledger.entry for select to app using (
  case when seizure_id is null and case_id is null then actor_id = (select access.me()) or (select access.is_administrator())
       else (seizure_id is null or exists (select from seizures.seizure s where s.id = seizure_id))
        and (case_id is null or exists (select from cases.case_file c where c.id = case_id)) end);
-- and written only into the stream of a record the actor sees, about that record: a chain that somebody else's entry has
-- broken into stays broken
create policy add on ledger.entry for insert to app with check (
  (seizure_id is null or exists (select from seizures.seizure s where s.id = seizure_id))
  and (case_id is null or exists (select from cases.case_file c where c.id = case_id))
  and (exhibit_id is null or exists (select from exhibits.exhibit e where e.id = exhibit_id and e.seizure_id = entry.seizure_id))
  and case split_part(stream, ':', 1)
        when 'exhibit' then exists (select from exhibits.exhibit e where e.id = exhibit_id and stream = 'exhibit:' || e.number)
        when 'seizure' then exists (select from seizures.seizure s where s.id = seizure_id and stream = 'seizure:' || s.number)
        when 'case' then exists (select from cases.case_file c where c.id = case_id and stream = 'case:' || c.number)
        when 'sharing' then exists (select from seizures.seizure s where s.id = seizure_id and stream = 'sharing:' || s.number)
                         or exists (select from cases.case_file c where c.id = case_id and stream = 'sharing:' || c.number)
        else num_nonnulls(seizure_id, exhibit_id, case_id) = 0 and ((select access.is_administrator())
             or stream = 'person:' || (select p.login from accounts.person p where p.id = (select access.me()))) end);
-- who was granted what is between the unit that gave, whoever gave, and (through the grant itself) the receiver: one receiver
-- does not read in the timeline who the others are
create policy sharing_events on ledger.entry as restrictive for select to app using (
  case when type in ('sharing:grant:given', 'sharing:grant:ended')
       then actor_id = (select access.reader())
         or exists (select from seizures.seizure s where s.id = seizure_id
                     and (s.unit_id = any ((select access.units())::bigint[]) or s.agency_id = any ((select access.agencies())::bigint[])))
         or exists (select from cases.case_file c where c.id = case_id
                     and (c.unit_id = any ((select access.units())::bigint[]) or c.agency_id = any ((select access.agencies())::bigint[])))
       else true end);
create policy sequence on ledger.entry for select to sequencer using (true);
create policy verify on ledger.entry for select to verifier using (true);

-- append-only, for everybody
do $$ declare t text; begin
  foreach t in array array['ledger.entry', 'ledger.leaf', 'ledger.checkpoint', 'custody.event', 'custody.handover', 'seizures.participant', 'seizures.conveyance',
      'evidence.refusal', 'evidence.fixity', 'evidence.reading', 'cases.case_link', 'sharing.grant', 'sharing.grant_end', 'sharing.referral',
      'packages.package', 'packages.part'] loop
    perform access.make_append_only(t::regclass);
  end loop;
end $$;
-- seizures, exhibits and files: the record never changes; only the projection and the need-to-know mark do
create function access.only_projection() returns trigger language plpgsql as $$
declare free text[] := tg_argv[0]::text[];
begin
  if tg_op = 'DELETE' then raise exception 'append-only: DELETE on %.% is not possible', tg_table_schema, tg_table_name using errcode = 'insufficient_privilege'; end if;
  if (to_jsonb(new) - free) is distinct from (to_jsonb(old) - free) then
    raise exception 'append-only: UPDATE on %.% is not possible', tg_table_schema, tg_table_name using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger no_change before update or delete on seizures.seizure for each row execute function access.only_projection('{ntk}');
create trigger no_change before delete or update of id, seizure_id, agency_id, unit_id, no, number, category, description, quantity, unit, quantity_basis, value, currency, created_by, created_at
  on exhibits.exhibit for each row execute function access.only_projection('{ntk,seal_no,seal_state,status,holder_id,offered_to,last_seq,last_hash}');
create trigger no_change before update or delete on evidence.file for each row execute function access.only_projection('{ntk}');
do $$ declare t text; begin
  foreach t in array array['seizures.seizure', 'exhibits.exhibit', 'evidence.file'] loop
    execute format('create trigger no_truncate before truncate on %s execute function access.refuse()', t);
    execute format('alter table %s enable always trigger no_change', t);
    execute format('alter table %s enable always trigger no_truncate', t);
  end loop;
end $$;

-- ==== rights
grant select on all tables in schema seizures, exhibits, evidence, custody, cases, sharing, packages to app;
grant select on ledger.entry, ledger.leaf, ledger.tile, ledger.checkpoint to app;
grant select on access.my_reach, access.my_case_reach, access.search_key, access.case_key, access.exhibit_text to app;
grant insert (client_id, number, agency_id, unit_id, seized_at, device_at, device_offset, place, latitude, longitude, accuracy_m, direction, detection, ground, circumstances) on seizures.seizure to app;
grant insert (seizure_id, role, name, document, address, note, refused_signature, salt) on seizures.participant to app;
grant insert (seizure_id, kind, identifier, country, verdict) on seizures.conveyance to app;
grant insert (seizure_id, agency_id, unit_id, ntk, no, number, category, description, quantity, unit, quantity_basis, value, currency, seal_no, seal_state, status, holder_id, last_seq, last_hash) on exhibits.exhibit to app;
grant update (seal_no, seal_state, status, holder_id, offered_to, last_seq, last_hash) on exhibits.exhibit to app;
grant insert (client_id, seizure_id, exhibit_id, agency_id, unit_id, ntk, kind, object_key, store_version, original_name, media_type, declared_type, size, sha256, crc32, hash_declared, device_at, latitude, longitude, accuracy_m, retained_until) on evidence.file to app;
grant insert (seizure_id, exhibit_id, original_name, reason, size, declared_sha256, actual_sha256) on evidence.refusal to app;
grant insert (file_id, outcome, found_sha256) on evidence.fixity to app;
grant insert (file_id, how, reason) on evidence.reading to app;
grant insert (event_id, stream, stream_seq, type, seizure_id, exhibit_id, case_id, body) on ledger.entry to app;
grant insert (client_id, number, to_id, purpose, place, note, latitude, longitude, accuracy_m, device_at) on custody.handover to app;
grant insert (handover_id, exhibit_id, seizure_id, from_id, to_id) on custody.handover_item to app;
grant update (state, answered_at) on custody.handover_item to app;
grant insert (exhibit_id, seq, seizure_id, kind, handover_id, from_id, to_id, seal_no, seal_state, reason, discrepancy, note, device_at, hash, prev) on custody.event to app;
grant insert (client_id, number, agency_id, unit_id, title, summary) on cases.case_file to app;
grant update (status) on cases.case_file to app;
grant insert (case_id, person_id, role) on cases.case_member to app;
grant update (left_at) on cases.case_member, cases.case_seizure to app;
grant insert (case_id, seizure_id, reason) on cases.case_seizure to app;
grant insert (case_id, other_id, reason, note) on cases.case_link to app;
grant insert (client_id, case_id, to_id, qualification, note) on sharing.referral to app;
grant insert (seizure_id, case_id, with_seizures, to_id, purpose, note, onward, starts_at, until, referral_id) on sharing.grant to app;
grant insert (grant_id, reason) on sharing.grant_end to app;
grant insert (client_id, number, case_id, seizure_ids, ledger_size, tagmanifest_sha256) on packages.package to app;
grant insert (package_id, ord, path, size, crc32, sha256, data, file_id) on packages.part to app;
grant insert on access.search_key, access.case_key, access.exhibit_text to app;
grant usage on all sequences in schema accounts, ledger, seizures, exhibits, evidence, custody, cases, sharing, packages to app;
-- the sequencer numbers entries and signs; it reads bytes and writes leaves, tiles and checkpoints, nothing else
grant select on ledger.entry, ledger.leaf, ledger.tile, ledger.checkpoint to sequencer;
grant insert on ledger.leaf, ledger.tile, ledger.checkpoint to sequencer;
-- its background tasks re-read stored files and look for objects without a row
create policy background on evidence.file for select to sequencer using (true);
create policy background on evidence.fixity for select to sequencer using (true);
create policy background_add on evidence.fixity for insert to sequencer with check (true);
grant select (id, object_key, store_version, size, sha256, received_at) on evidence.file to sequencer;
grant select on evidence.fixity to sequencer;
grant insert (file_id, outcome, found_sha256) on evidence.fixity to sequencer;
grant usage on all sequences in schema evidence to sequencer;
grant usage on schema ledger to verifier;
grant select on ledger.entry, ledger.leaf, ledger.tile, ledger.checkpoint to verifier;

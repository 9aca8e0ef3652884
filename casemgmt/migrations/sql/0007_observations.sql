-- What received photographs and films say of themselves, as the looking process read it. An observation is no judgement: the
-- claims are of whoever made the file, and a file without any says nothing by that.

-- Still to be looked into. Work, not a record: a row leaves when its observation is written.
create table evidence.to_observe(
  file_id bigint primary key references evidence.file,
  due timestamptz not null default now(),
  tries int not null default 0
);
create index on evidence.to_observe(due);

-- body: the exact bytes, RFC 8785 JSON; the event names their SHA-256, and the salt inside keeps it from being guessed.
-- summary: the same without the longest parts, for pages.
create table evidence.observation(
  id bigint generated always as identity primary key,
  file_id bigint not null references evidence.file,
  at timestamptz not null default now(),
  body bytea not null check (octet_length(body) <= 524288),
  sha256 bytea not null generated always as (sha256(body)) stored,
  summary jsonb not null
);
create index on evidence.observation(file_id, id desc);

select access.protect('evidence.to_observe');
select access.protect('evidence.observation');
select access.make_append_only('evidence.observation');
create policy visible on evidence.observation for select to app using (exists (select from evidence.file f where f.id = file_id));
create policy add_fn on evidence.observation for insert to access_fn with check (true);
create policy add_fn on evidence.to_observe for insert to access_fn with check (true);
create policy drop_fn on evidence.to_observe for delete to access_fn using (true);
create policy background on evidence.to_observe for select to sequencer using (true);
create policy background_later on evidence.to_observe for update to sequencer using (true);
-- the one entry that is nobody's doing: the installation looked, on no person's order
create policy add_observation on ledger.entry for insert to access_fn
  with check (type = 'evidence:file:observed' and actor_id = 0 and seizure_id is not null and stream like 'seizure:%');

grant select on evidence.observation to app;
grant select, insert on evidence.observation to access_fn;
grant select, insert, delete on evidence.to_observe to access_fn;
grant select, update (due, tries) on evidence.to_observe to sequencer;
grant select (media_type) on evidence.file to sequencer;
grant insert (event_id, stream, stream_seq, type, seizure_id, actor_id, body) on ledger.entry to access_fn;
grant usage on sequence evidence.observation_id_seq, ledger.entry_id_seq to access_fn;

create function evidence.on_file() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into evidence.to_observe(file_id) values (new.id);
  return null;
end $$;
create trigger look after insert on evidence.file for each row
  when (new.media_type like 'image/%' or new.media_type in ('video/mp4', 'video/quicktime')) execute function evidence.on_file();

-- The place of a file's observation in its seizure's stream, whose head stays locked until the transaction ends; nothing
-- where the file was looked into already. The only way in for the background worker, which has no actor.
create function evidence.begin_observation(p_file bigint) returns table(object_key text, sha256 bytea, seizure text, exhibit text, seq int, hash bytea)
language plpgsql volatile security definer set search_path = '' as $$
declare s text;
begin
  select 'seizure:' || z.number into s from evidence.file f join seizures.seizure z on z.id = f.seizure_id where f.id = p_file;
  if s is null then return; end if;
  insert into ledger.stream as t (stream, seq) values (s, 0) on conflict (stream) do update set seq = t.seq;
  -- asked after the lock: of two workers the second sees what the first wrote
  if exists (select from evidence.observation o where o.file_id = p_file) then
    delete from evidence.to_observe t where t.file_id = p_file;
    return;
  end if;
  return query select f.object_key, f.sha256, z.number, e.number, t.seq, t.hash
    from evidence.file f join seizures.seizure z on z.id = f.seizure_id left join exhibits.exhibit e on e.id = f.exhibit_id
    join ledger.stream t on t.stream = s where f.id = p_file;
end $$;

-- Writes the observation and its event, which must name it. Raises for a number that does not follow.
create function evidence.observe(p_file bigint, p_observation bytea, p_event uuid, p_seq int, p_event_body bytea) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare f record; told jsonb := convert_from(p_event_body, 'UTF8')::jsonb; said jsonb := convert_from(p_observation, 'UTF8')::jsonb;
begin
  select x.object_key, x.sha256, x.seizure_id, z.number into f
    from evidence.file x join seizures.seizure z on z.id = x.seizure_id where x.id = p_file;
  -- what is missing is different, not unknown
  if not found or row(told->>'type', told->>'stream', told->>'seq', told->'actor'->>'id', told->'data'->>'file', told->'data'->>'observation',
                      said->>'file', said->>'sha256')
     is distinct from row('evidence:file:observed', 'seizure:' || f.number, p_seq::text, '0', f.object_key,
                          encode(sha256(p_observation), 'hex'), f.object_key, encode(f.sha256, 'hex')) then
    raise exception 'an observation needs the event that names it' using errcode = 'CM002';
  end if;
  insert into evidence.observation(file_id, body, summary)
    values (p_file, p_observation, (said #- '{exif,fields}') #- '{c2pa,json}');
  insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, actor_id, body)
    values (p_event, 'seizure:' || f.number, p_seq, 'evidence:file:observed', f.seizure_id, 0, p_event_body);
  delete from evidence.to_observe t where t.file_id = p_file;
end $$;

revoke execute on function evidence.on_file, evidence.begin_observation, evidence.observe from public;
grant execute on function evidence.begin_observation, evidence.observe to sequencer;
grant create on schema evidence to access_fn;
alter function evidence.on_file() owner to access_fn;
alter function evidence.begin_observation(bigint) owner to access_fn;
alter function evidence.observe(bigint, bytea, uuid, int, bytea) owner to access_fn;
revoke create on schema evidence from access_fn;

-- Files that were received before there was a look inside. Forced policies hold for the migration too.
create policy migration on evidence.file for select to owner using (true);
create policy migration on evidence.to_observe for insert to owner with check (true);
insert into evidence.to_observe(file_id) select f.id from evidence.file f
  where f.media_type like 'image/%' or f.media_type in ('video/mp4', 'video/quicktime');
drop policy migration on evidence.file;
drop policy migration on evidence.to_observe;

-- Files on their way in pieces. Work, not evidence: a row says how far an upload is and is forgotten some time after its end.
create table evidence.upload(
  id bigint generated always as identity primary key,
  person_id bigint not null references accounts.person default access.reader(),
  client_id uuid not null,
  seizure_id bigint references seizures.seizure, exhibit_id bigint references exhibits.exhibit,
  kind text not null, name text not null, declared_type text not null,
  size bigint not null check (size > 0), declared_sha256 bytea,
  device_at timestamptz, latitude numeric(9, 6), longitude numeric(9, 6), accuracy_m numeric(9, 1),
  metadata text not null check (octet_length(metadata) <= 8192),        -- as it was sent
  object_key text not null unique,
  state text not null default 'receiving' check (state in ('receiving', 'stored', 'refused', 'removed', 'expired')),
  reason text,                                                          -- of a refusal
  received bigint not null default 0 check (received between 0 and size),
  head bytea not null default '' check (octet_length(head) <= 4096),    -- the file's first bytes
  staging jsonb not null default '{}',                                  -- what the store must be told again, its parts apart
  begun_at timestamptz not null default now(), seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  unique (person_id, client_id),
  check (num_nonnulls(seizure_id, exhibit_id) >= 1)
);
create index on evidence.upload(person_id) where state = 'receiving';
create index on evidence.upload(expires_at) where state = 'receiving';
create index on evidence.upload(seen_at) where state <> 'receiving';

create table evidence.upload_part(
  upload_id bigint not null references evidence.upload on delete cascade,
  no int not null, etag text not null, crc32 text not null,
  primary key (upload_id, no)
);

select access.protect('evidence.upload');
select access.protect('evidence.upload_part');
-- one's own, and nobody else's: bytes on their way are in no record yet
create policy own on evidence.upload for select to app using (person_id = (select access.reader()));
create policy begin on evidence.upload for insert to app with check (person_id = (select access.reader())
  and (seizure_id is null or exists (select from seizures.seizure s where s.id = seizure_id))
  and (exhibit_id is null or exists (select from exhibits.exhibit e where e.id = exhibit_id)));
create policy go_on on evidence.upload for update to app using (person_id = (select access.reader()));
create policy own on evidence.upload_part for select to app using (exists (select from evidence.upload u where u.id = upload_id));
create policy add on evidence.upload_part for insert to app with check (exists (select from evidence.upload u where u.id = upload_id));
create policy drop_ on evidence.upload_part for delete to app using (exists (select from evidence.upload u where u.id = upload_id));
create policy sweep on evidence.upload for select to sequencer using (true);
create policy expire on evidence.upload for update to sequencer using (true);
create policy forget on evidence.upload for delete to sequencer using (state <> 'receiving');
create policy sweep on evidence.upload_part for select to sequencer using (true);
create policy forget on evidence.upload_part for delete to sequencer using (true);

grant select on evidence.upload, evidence.upload_part to app, sequencer;
grant insert (client_id, seizure_id, exhibit_id, kind, name, declared_type, size, declared_sha256, device_at, latitude, longitude, accuracy_m,
  metadata, object_key, expires_at) on evidence.upload to app;
grant update (object_key, state, reason, received, head, staging, seen_at, expires_at, metadata, name, declared_type, kind, device_at, latitude,
  longitude, accuracy_m) on evidence.upload to app;
grant insert, delete on evidence.upload_part to app;
grant update (state, seen_at) on evidence.upload to sequencer;
grant delete on evidence.upload, evidence.upload_part to sequencer;
grant usage on sequence evidence.upload_id_seq to app;

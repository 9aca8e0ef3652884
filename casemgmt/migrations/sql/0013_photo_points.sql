-- What a photograph is said to show: a code of the list of photo points, claimed by whoever sent it. The code lists live in
-- the program and change with dates, so no code is checked here but its form.
alter table evidence.file add column shows text check (shows ~ '^[a-z][a-z0-9_]{0,39}$');
alter table evidence.upload add column shows text check (shows ~ '^[a-z][a-z0-9_]{0,39}$');
grant insert (shows) on evidence.file, evidence.upload to app;
grant update (shows) on evidence.upload to app;

-- Said after the photograph was received. The newest row of a file holds; null: it shows none of the points after all.
create table evidence.showing(
  id bigint generated always as identity primary key,
  file_id bigint not null references evidence.file,
  shows text check (shows ~ '^[a-z][a-z0-9_]{0,39}$'),
  said_by bigint not null references accounts.person default access.me(),
  at timestamptz not null default now(),
  device_at timestamptz
);
create index on evidence.showing(file_id, id desc);
select access.protect('evidence.showing');
select access.make_append_only('evidence.showing');
create policy visible on evidence.showing for select to app using (exists (select from evidence.file f where f.id = file_id));
create policy add on evidence.showing for insert to app with check (said_by = (select access.me()) and exists (select from evidence.file f where f.id = file_id));
grant select on evidence.showing to app;
grant insert (file_id, shows, device_at) on evidence.showing to app;
grant usage on sequence evidence.showing_id_seq to app;

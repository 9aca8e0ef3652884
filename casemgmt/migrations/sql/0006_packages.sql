-- Packages that are signed and stamped outside any transaction, and packages of which something is withheld.

-- The number of a package that is being made. It is drawn once for what one person sent once, however often it is sent: what
-- was interrupted goes on under the same number. A number whose package never came is not used again.
create table packages.attempt(
  client_id uuid not null,
  sealed_by bigint not null references accounts.person default access.me(),
  case_id bigint not null references cases.case_file,
  number text not null unique,
  at timestamptz not null default now(),
  primary key (sealed_by, client_id)
);
create index on packages.attempt(case_id);
select access.protect('packages.attempt');
select access.make_append_only('packages.attempt');
create policy visible on packages.attempt for select to app using (sealed_by = (select access.reader()));
create policy add on packages.attempt for insert to app with check (
  sealed_by = (select access.reader()) and exists (select from cases.case_file c where c.id = case_id));
grant select on packages.attempt to app;
grant insert (client_id, case_id, number) on packages.attempt to app;

-- How many files and entries are withheld; what was asked for, so that sending something else under the same name is noticed.
alter table packages.package add column withheld int not null default 0 check (withheld >= 0);
alter table packages.package add column asked bytea;
grant insert (withheld, asked) on packages.package to app;

-- hashes, proofs and signatures do not compress, and large documents are read in parts
alter table packages.part alter column data set storage external;

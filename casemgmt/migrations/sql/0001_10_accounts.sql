-- Who there is: agencies, units, people, and the dated appointments that carry authority.
-- Run as role owner. The roles themselves are made before any migration runs.
create schema accounts;
create schema access;
grant usage on schema accounts, access to app, gate, access_fn, sequencer;

-- One number space for agencies, units and people, so that "whom is this for" is a single column.
create table accounts.principal(
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('agency', 'unit', 'person'))
);

create table accounts.agency(
  id bigint primary key references accounts.principal,
  code text not null unique,
  kind text not null,
  name text not null,
  valid_from date not null default current_date,
  valid_to date
);

create table accounts.unit(
  id bigint primary key references accounts.principal,
  agency_id bigint not null references accounts.agency,
  code text not null unique check (code ~ '^[0-9]{4}$'),
  name text not null,
  place text not null default ''
);
create index on accounts.unit(agency_id);

create table accounts.person(
  id bigint primary key references accounts.principal,
  login text not null unique check (login = lower(login)),
  name text not null,
  badge text not null default '',
  created_at timestamptz not null default now()
);

-- Authority is an appointment with dates, to a unit or (auditor) to a whole agency. An administrator has neither.
create table accounts.appointment(
  id bigint generated always as identity primary key,
  person_id bigint not null references accounts.person,
  kind text not null check (kind in ('officer', 'custodian', 'investigator', 'supervisor', 'prosecutor', 'expert', 'auditor', 'administrator')),
  unit_id bigint references accounts.unit,
  agency_id bigint references accounts.agency,
  valid tstzrange not null default tstzrange(now(), null),
  check (case kind when 'administrator' then num_nonnulls(unit_id, agency_id) = 0
                   when 'auditor' then unit_id is null and agency_id is not null
                   else unit_id is not null and agency_id is null end)
);
create index on accounts.appointment(person_id);
create index on accounts.appointment(unit_id);

-- Secrets. No role but the definer functions of 0001_20 can read these three.
create table accounts.credential(
  person_id bigint primary key references accounts.person,
  password_hash text not null,
  changed_at timestamptz not null default now()
);
create table accounts.session(
  token_hash bytea primary key,
  person_id bigint not null references accounts.person,
  csrf text not null,
  user_agent text not null default '',
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index on accounts.session(person_id);
create index on accounts.session(expires_at);
create table accounts.failed_sign_in(
  login text not null,
  at timestamptz not null default now()
);
create index on accounts.failed_sign_in(login, at);

-- Serial numbers per unit, kind of number and year.
create table accounts.serial(
  unit_id bigint not null references accounts.unit,
  kind text not null,
  year int not null,
  last int not null,
  primary key (unit_id, kind, year)
);

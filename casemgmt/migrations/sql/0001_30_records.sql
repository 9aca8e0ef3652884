-- What is kept: ledger, seizures, exhibits, files, custody, cases, sharing, packages.
-- Every protected row carries unit_id, agency_id and ntk (need to know), so that "mine" is decided on the row itself.

create schema ledger; create schema seizures; create schema exhibits; create schema evidence;
create schema custody; create schema cases; create schema sharing; create schema packages;
grant usage on schema ledger, seizures, exhibits, evidence, custody, cases, sharing, packages to app, access_fn, sequencer;

-- ==== seizures
create table seizures.seizure(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  number text not null unique,
  agency_id bigint not null references accounts.agency,
  unit_id bigint not null references accounts.unit,
  ntk boolean not null default false,
  created_by bigint not null references accounts.person default access.me(),
  created_at timestamptz not null default now(),
  seized_at timestamptz not null,
  device_at timestamptz,
  device_offset int,                          -- minutes east of UTC, as the device claims
  place text not null default '',
  latitude numeric(9, 6), longitude numeric(9, 6), accuracy_m numeric(9, 1),   -- claimed by the device
  direction text, detection text,
  ground text not null default '',
  circumstances text not null default '',
  unique (created_by, client_id)
);
create index on seizures.seizure(unit_id, seized_at desc, id desc);
create index on seizures.seizure(agency_id, seized_at desc, id desc);
create index on seizures.seizure(seized_at desc, id desc);

-- Personal data. The ledger holds only a salted commitment to each row; values and salt live here.
create table seizures.participant(
  id bigint generated always as identity primary key,
  seizure_id bigint not null references seizures.seizure,
  role text not null, name text not null, document text not null default '', address text not null default '',
  note text not null default '', refused_signature boolean not null default false,
  salt bytea not null
);
create index on seizures.participant(seizure_id);

create table seizures.conveyance(
  id bigint generated always as identity primary key,
  seizure_id bigint not null references seizures.seizure,
  kind text not null,
  identifier text not null,                   -- as painted on it, even when wrong
  country text not null default '',
  verdict text not null default 'unknown'     -- what the identifier check said at the time
);
create index on seizures.conveyance(seizure_id);

-- ==== exhibits. holder, offer, seal and chain head are a projection of custody events, moved only by custody functions.
create table exhibits.exhibit(
  id bigint generated always as identity primary key,
  seizure_id bigint not null references seizures.seizure,
  agency_id bigint not null, unit_id bigint not null, ntk boolean not null default false,
  no int not null, number text not null unique,
  category text not null, description text not null default '',
  -- numeric without a scale keeps the decimals as they were recorded: 12.50 is not 12.5
  quantity numeric check (quantity >= 0 and quantity < 1e12 and scale(quantity) <= 6), unit text, quantity_basis text not null,
  value numeric check (value >= 0 and value < 1e16 and scale(value) <= 2), currency text,
  seal_no text, seal_state text not null default 'none' check (seal_state in ('none', 'intact', 'damaged', 'missing', 'differs')),
  created_by bigint not null references accounts.person default access.me(),
  created_at timestamptz not null default now(),
  status text not null default 'held' check (status in ('held', 'in_storage', 'in_laboratory', 'in_court', 'returned')),
  holder_id bigint not null references accounts.person,
  offered_to bigint references accounts.person,
  last_seq int not null, last_hash bytea not null,
  unique (seizure_id, no)
);
create index on exhibits.exhibit(unit_id, id desc);
create index on exhibits.exhibit(agency_id, id desc);
create index on exhibits.exhibit(holder_id, id desc);
create index on exhibits.exhibit(offered_to, id desc) where offered_to is not null;

-- ==== evidence files
create table evidence.file(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  seizure_id bigint not null references seizures.seizure,
  exhibit_id bigint references exhibits.exhibit,
  agency_id bigint not null, unit_id bigint not null, ntk boolean not null default false,
  kind text not null default 'photo',
  object_key text not null unique, store_version text,
  original_name text not null, media_type text not null, declared_type text not null default '',
  size bigint not null, sha256 bytea not null, crc32 bigint not null,
  hash_declared boolean not null,             -- did the sender say the hash beforehand (hash at capture)?
  received_by bigint not null references accounts.person default access.me(),
  received_at timestamptz not null default now(),
  device_at timestamptz, latitude numeric(9, 6), longitude numeric(9, 6), accuracy_m numeric(9, 1),
  retained_until timestamptz,                 -- null: the store holds no lock on it
  unique (received_by, client_id)
);
create index on evidence.file(exhibit_id, id);
create index on evidence.file(seizure_id, id);
create index on evidence.file(unit_id, id desc);

create table evidence.refusal(
  id bigint generated always as identity primary key,
  seizure_id bigint not null references seizures.seizure,
  exhibit_id bigint references exhibits.exhibit,
  original_name text not null, reason text not null,
  size bigint not null, declared_sha256 bytea, actual_sha256 bytea,
  refused_by bigint not null default access.me(),
  at timestamptz not null default now()
);
create index on evidence.refusal(seizure_id, id);

create table evidence.fixity(
  id bigint generated always as identity primary key,
  file_id bigint not null references evidence.file,
  at timestamptz not null default now(),
  outcome text not null check (outcome in ('unchanged', 'changed', 'missing', 'unreadable')),
  found_sha256 bytea
);
create index on evidence.fixity(file_id, id desc);

create table evidence.reading(
  id bigint generated always as identity primary key,
  file_id bigint not null references evidence.file,
  person_id bigint not null default access.me(),
  at timestamptz not null default now(),
  how text not null check (how in ('view', 'download')),
  reason text not null default ''
);
create index on evidence.reading(file_id, id desc);

-- ==== ledger: the exact bytes of every event
create table ledger.entry(
  id bigint generated always as identity primary key,
  event_id uuid not null unique,
  stream text not null, stream_seq int not null,
  type text not null,
  seizure_id bigint references seizures.seizure,
  exhibit_id bigint references exhibits.exhibit,
  case_id bigint,
  actor_id bigint not null default access.me(),
  at timestamptz not null default now(),
  body bytea not null check (octet_length(body) <= 65535),
  leaf_hash bytea not null generated always as (sha256('\x00'::bytea || body)) stored,
  xid xid8 not null default pg_current_xact_id(),
  unique (stream, stream_seq)
);
create index on ledger.entry(xid, id);
create index on ledger.entry(seizure_id, id);
create index on ledger.entry(case_id, id);
create index on ledger.entry(actor_id, id) where seizure_id is null and case_id is null;

-- The head of every stream but the exhibits' (an exhibit carries its own).
create table ledger.stream(stream text primary key, seq int not null, hash bytea);

create table ledger.leaf(leaf_index bigint primary key, entry_id bigint not null unique references ledger.entry);
create table ledger.tile(level int not null, n bigint not null, width int not null, data bytea not null, primary key (level, n, width));
create table ledger.checkpoint(size bigint primary key, root bytea not null, note text not null, at timestamptz not null default now());

-- ==== custody
create table custody.handover(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  number text not null unique,
  from_id bigint not null references accounts.person default access.me(),
  to_id bigint not null references accounts.person,
  purpose text not null, place text not null default '', note text not null default '',
  latitude numeric(9, 6), longitude numeric(9, 6), accuracy_m numeric(9, 1),
  device_at timestamptz,
  created_at timestamptz not null default now(),
  unique (from_id, client_id),
  check (from_id <> to_id)
);
create index on custody.handover(to_id, id desc);
create index on custody.handover(from_id, id desc);

create table custody.handover_item(
  handover_id bigint not null references custody.handover,
  exhibit_id bigint not null references exhibits.exhibit,
  seizure_id bigint not null,
  from_id bigint not null, to_id bigint not null,
  state text not null default 'offered' check (state in ('offered', 'accepted', 'refused', 'withdrawn')),
  answered_at timestamptz,
  primary key (handover_id, exhibit_id)
);
create unique index one_open_offer on custody.handover_item(exhibit_id) where state = 'offered';
create index on custody.handover_item(seizure_id);
create index on custody.handover_item(to_id, state, handover_id desc);
create index on custody.handover_item(from_id, state, handover_id desc);

create table custody.event(
  exhibit_id bigint not null references exhibits.exhibit,
  seq int not null,
  seizure_id bigint not null,
  kind text not null check (kind in ('registered', 'offered', 'accepted', 'refused', 'withdrawn')),
  actor_id bigint not null default access.me(),
  handover_id bigint references custody.handover,
  from_id bigint, to_id bigint,
  seal_no text, seal_state text, reason text, discrepancy text, note text,
  at timestamptz not null default now(), device_at timestamptz,
  hash bytea not null, prev bytea,
  primary key (exhibit_id, seq)
);
create index on custody.event(handover_id);

-- ==== cases
create table cases.case_file(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  number text not null unique,
  agency_id bigint not null references accounts.agency,
  unit_id bigint not null references accounts.unit,
  ntk boolean not null default false,
  title text not null, summary text not null default '',
  status text not null default 'open',
  opened_by bigint not null references accounts.person default access.me(),
  opened_at timestamptz not null default now(),
  unique (opened_by, client_id)
);
create index on cases.case_file(unit_id, id desc);
create index on cases.case_file(agency_id, id desc);
alter table ledger.entry add foreign key (case_id) references cases.case_file;

create table cases.case_member(
  id bigint generated always as identity primary key,
  case_id bigint not null references cases.case_file,
  person_id bigint not null references accounts.person,
  role text not null,
  since timestamptz not null default now(), left_at timestamptz
);
create unique index one_membership on cases.case_member(case_id, person_id) where left_at is null;
create index on cases.case_member(person_id, case_id);

create table cases.case_seizure(
  id bigint generated always as identity primary key,
  case_id bigint not null references cases.case_file,
  seizure_id bigint not null references seizures.seizure,
  reason text not null default '',
  added_by bigint not null default access.me(),
  since timestamptz not null default now(), left_at timestamptz
);
create unique index one_case_seizure on cases.case_seizure(case_id, seizure_id) where left_at is null;
create index on cases.case_seizure(seizure_id, case_id);

create table cases.case_link(
  id bigint generated always as identity primary key,
  case_id bigint not null references cases.case_file,
  other_id bigint not null references cases.case_file,
  reason text not null, note text not null default '',
  made_by bigint not null default access.me(),
  at timestamptz not null default now(),
  check (case_id <> other_id)
);
create unique index one_link on cases.case_link(least(case_id, other_id), greatest(case_id, other_id), reason);
create index on cases.case_link(other_id);

-- ==== sharing. A grant is never changed: its end is a row of its own.
create table sharing.referral(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  case_id bigint not null references cases.case_file,
  to_id bigint not null references accounts.unit,
  qualification text not null default '', note text not null default '',
  made_by bigint not null default access.me(),
  at timestamptz not null default now(),
  unique (made_by, client_id)
);
create index on sharing.referral(case_id);
create index on sharing.referral(to_id, id desc);

create table sharing.grant(
  id bigint generated always as identity primary key,
  seizure_id bigint references seizures.seizure,
  case_id bigint references cases.case_file,
  with_seizures boolean not null default false,   -- of a case: also what the case's own agency put into it
  to_id bigint not null references accounts.principal,
  purpose text not null, note text not null default '',
  onward boolean not null default false,          -- may the receiver refer it to a prosecutor?
  starts_at timestamptz not null default now(),
  until timestamptz not null default 'infinity',
  referral_id bigint references sharing.referral,
  given_by bigint not null default access.me(),
  given_at timestamptz not null default now(),
  check (num_nonnulls(seizure_id, case_id) = 1),
  check (until > starts_at)
);
create index on sharing.grant(seizure_id) where seizure_id is not null;
create index on sharing.grant(case_id) where case_id is not null;
create index on sharing.grant(to_id, id desc);
create index on sharing.grant(referral_id) where referral_id is not null;
create index on sharing.grant(starts_at);

create table sharing.grant_end(
  grant_id bigint primary key references sharing.grant,
  at timestamptz not null default now(),
  ended_by bigint not null default access.me(),
  reason text not null
);

-- Names on a need-to-know list.
create table access.named(seizure_id bigint not null references seizures.seizure, person_id bigint not null references accounts.person, primary key (seizure_id, person_id));
create index on access.named(person_id, seizure_id);

-- ==== packages
create table packages.package(
  id bigint generated always as identity primary key,
  client_id uuid not null,
  number text not null unique,
  case_id bigint not null references cases.case_file,
  seizure_ids bigint[] not null,              -- whoever may not see all of them may not see the package
  sealed_by bigint not null references accounts.person default access.me(),
  created_at timestamptz not null default now(),
  ledger_size bigint not null,                -- the tree size of every proof inside
  tagmanifest_sha256 bytea not null,
  unique (sealed_by, client_id)
);
create index on packages.package(case_id, id desc);
create table packages.part(
  package_id bigint not null references packages.package,
  ord int not null,
  path text not null, size bigint not null, crc32 bigint not null, sha256 bytea not null,
  data bytea, file_id bigint references evidence.file,
  primary key (package_id, ord),
  check (num_nonnulls(data, file_id) = 1)
);
create index on packages.part(file_id) where file_id is not null;

-- ==== search
-- Identifiers and names as folded keys; the unit is a column so that the index starts from what I may see.
create table access.search_key(
  key text collate "C" not null, kind text not null,
  seizure_id bigint not null, unit_id bigint not null, agency_id bigint not null, ntk boolean not null default false
);
create index on access.search_key(unit_id, key, seizure_id desc);
create index on access.search_key(seizure_id, key);
create table access.case_key(
  key text collate "C" not null, case_id bigint not null, unit_id bigint not null, agency_id bigint not null, ntk boolean not null default false
);
create index on access.case_key(unit_id, key, case_id desc);
create index on access.case_key(case_id, key);
-- Words of an exhibit, with the unit as one more lexeme ("u:17"): the GIN index itself intersects scope and word.
create table access.exhibit_text(
  exhibit_id bigint primary key, seizure_id bigint not null,
  unit_id bigint not null, agency_id bigint not null, ntk boolean not null default false, tsv tsvector not null
);
create index exhibit_text_gin on access.exhibit_text using gin (tsv) with (fastupdate = off) where not ntk;   -- need-to-know words are in no shared index
create index on access.exhibit_text(seizure_id);

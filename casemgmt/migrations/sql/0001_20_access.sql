-- Who is asking. The transaction enters as a session; everything below asks access.me().

-- The key that proves an actor was set by access.enter and not by a statement that slipped in: only access_fn reads it.
create table access.secret(key bytea not null);
insert into access.secret values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || clock_timestamp()::text, 'UTF8')));

-- It holds for this transaction alone: one kept from an earlier one, with what its person was then, proves nothing.
create function access.proof(said text) returns text language plpgsql stable security definer set search_path = '' as $$
declare k bytea;
begin
  select s.key into k from access.secret s;
  return encode(sha256(k || sha256(k || convert_to(concat_ws('@', said, pg_backend_pid(), extract(epoch from now())), 'UTF8'))), 'hex');
end $$;

-- What is said of a person for one transaction: id, id as a reader of evidence (empty for an administrator, who holds no
-- evidence right whatever else they are), units, agencies, and everyone a grant may name that means them (themselves, their
-- units, their units' agencies). Worked out once when the transaction begins: every policy asks for it several times.
create function access.saying(person bigint) returns text language sql stable security definer set search_path = '' as $$
  select person || ':' || case when x.administers then ':{}:{}:{}'
         else person || ':' || x.units::text || ':' || x.agencies::text || ':' || (array[person] || x.units || x.above)::text end
    from (select coalesce(bool_or(a.kind = 'administrator'), false) as administers,
                 coalesce(array_agg(distinct a.unit_id) filter (where a.unit_id is not null), '{}') as units,
                 coalesce(array_agg(distinct a.agency_id) filter (where a.agency_id is not null), '{}') as agencies,
                 coalesce(array_agg(distinct u.agency_id) filter (where u.agency_id is not null), '{}') as above
            from accounts.appointment a left join accounts.unit u on u.id = a.unit_id
           where a.person_id = person and a.valid @> now()) x $$;

-- Set the actor of this transaction, with its proof.
create function access.act_as(person bigint) returns void language plpgsql volatile security definer set search_path = '' as $$
declare said text := access.saying(person);
begin
  perform set_config('app.actor', said || ':' || access.proof(said), true);
end $$;

-- Part n of what was said, after its proof was checked; null without an actor.
create function access.said(n int) returns text language plpgsql stable security definer set search_path = '' as $$
declare v text := current_setting('app.actor', true); cut int;
begin
  if v is null or v = '' then return null; end if;
  cut := length(v) - 65;  -- a colon and 64 digits
  if substr(v, cut + 2) is distinct from access.proof(left(v, cut)) then
    raise exception 'the actor was not set by a session' using errcode = 'insufficient_privilege';
  end if;
  return split_part(v, ':', n);
end $$;

create function access.me() returns bigint language plpgsql stable security definer set search_path = '' as $$
begin return access.said(1)::bigint; end $$;
create function access.reader() returns bigint language plpgsql stable security definer set search_path = '' as $$
begin return nullif(access.said(2), '')::bigint; end $$;
create function access.units() returns bigint[] language plpgsql stable security definer set search_path = '' as $$
begin return coalesce(access.said(3)::bigint[], '{}'); end $$;
create function access.agencies() returns bigint[] language plpgsql stable security definer set search_path = '' as $$
begin return coalesce(access.said(4)::bigint[], '{}'); end $$;
create function access.principals() returns bigint[] language plpgsql stable security definer set search_path = '' as $$
begin return coalesce(access.said(5)::bigint[], '{}'); end $$;

-- Enter the transaction as the person this session belongs to. Null: no such session, or it has ended, or the
-- person holds no appointment any more. The setting is local to the transaction.
create function access.enter(token bytea) returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare p bigint;
begin
  select s.person_id into p from accounts.session s
   where s.token_hash = token and s.expires_at > now()
     and exists (select from accounts.appointment a where a.person_id = s.person_id and a.valid @> now());
  if p is null then
    perform set_config('app.actor', '', true);
  else
    perform access.act_as(p);
  end if;
  return p;
end $$;

-- The same for a background task acting for one person (only the sequencer role may call it).
create function access.enter_as(person bigint) returns bigint language plpgsql volatile security definer set search_path = '' as $$
begin
  perform access.act_as(person);
  return person;
end $$;

create function access.is_administrator() returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from accounts.appointment a where a.person_id = access.me() and a.kind = 'administrator' and a.valid @> now()) $$;

-- Does the actor hold this appointment in this unit now?
create function access.holds(appointment text, unit bigint) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from accounts.appointment a
    where a.person_id = access.reader() and a.kind = appointment and a.unit_id = unit and a.valid @> now()) $$;

-- ---- sessions and credentials: only the gate role, which serves sign-in and nothing else, may call these
create function accounts.credential_of(p_login text) returns table(person_id bigint, password_hash text, recent_failures int)
language sql stable security definer set search_path = '' as $$
  select p.id, c.password_hash,
         (select count(*)::int from accounts.failed_sign_in f where f.login = p_login and f.at > now() - interval '15 minutes')
    from (select p_login as login) q
    left join accounts.person p on p.login = q.login
    left join accounts.credential c on c.person_id = p.id $$;

create function accounts.note_failure(p_login text) returns void language sql volatile security definer set search_path = '' as $$
  delete from accounts.failed_sign_in where at < now() - interval '1 day';
  insert into accounts.failed_sign_in(login) values (left(p_login, 200)) $$;

create function accounts.open_session(person bigint, token bytea, p_csrf text, agent text, lifetime interval) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  if not exists (select from accounts.appointment a where a.person_id = person and a.valid @> now()) then return false; end if;
  delete from accounts.session where expires_at < now();
  delete from accounts.failed_sign_in f using accounts.person p where p.id = person and f.login = p.login;
  insert into accounts.session(token_hash, person_id, csrf, user_agent, expires_at) values (token, person, p_csrf, left(agent, 300), now() + lifetime);
  return true;
end $$;

create function accounts.set_password(person bigint, hash text) returns void language sql volatile security definer set search_path = '' as $$
  insert into accounts.credential(person_id, password_hash) values (person, hash)
  on conflict (person_id) do update set password_hash = excluded.password_hash, changed_at = now() $$;

-- ---- what a signed-in transaction may do with its own sessions
-- Who this session is, for the page's head and for "may do": null when it is none.
create function accounts.whoami(token bytea) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare p bigint := access.enter(token);
begin
  if p is null then return null; end if;
  update accounts.session s set seen_at = now() where s.token_hash = token and s.seen_at < now() - interval '1 minute';
  return (select jsonb_build_object('id', x.id, 'login', x.login, 'name', x.name, 'badge', x.badge, 'csrf', (select s.csrf from accounts.session s where s.token_hash = token),
      'appointments', (select jsonb_agg(jsonb_build_object('kind', a.kind, 'unit_id', a.unit_id, 'agency_id', coalesce(a.agency_id, u.agency_id),
            'unit', u.name, 'unit_code', u.code, 'agency', g.name) order by a.id)
          from accounts.appointment a left join accounts.unit u on u.id = a.unit_id left join accounts.agency g on g.id = coalesce(a.agency_id, u.agency_id)
         where a.person_id = x.id and a.valid @> now()))
    from accounts.person x where x.id = p);
end $$;
create function accounts.end_session(token bytea) returns void language sql volatile security definer set search_path = '' as $$
  delete from accounts.session s where s.token_hash = token and s.person_id = access.me() $$;
create function accounts.end_sessions() returns int language sql volatile security definer set search_path = '' as $$
  with gone as (delete from accounts.session s where s.person_id = access.me() returning 1) select count(*)::int from gone $$;
create function accounts.my_sessions() returns table(created_at timestamptz, user_agent text, expires_at timestamptz)
language sql stable security definer set search_path = '' as $$
  select s.created_at, s.user_agent, s.expires_at from accounts.session s
   where s.person_id = access.me() and s.expires_at > now() order by s.created_at desc limit 50 $$;

-- An administrator may replace a forgotten password; the person's sessions end with it.
create function accounts.reset_password(person bigint, hash text) returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  if not access.is_administrator() and person is distinct from access.me() then
    raise exception 'only an administrator or the person may set a password' using errcode = 'insufficient_privilege';
  end if;
  perform accounts.set_password(person, hash);
  delete from accounts.session s where s.person_id = person;
end $$;

-- The very first administrator of an installation, made by whoever runs the migrations; never a second one this way.
create function accounts.first_administrator(p_login text, p_name text, hash text) returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare p bigint;
begin
  if exists (select from accounts.appointment a where a.kind = 'administrator') then
    raise exception 'there is an administrator already' using errcode = 'CM001';
  end if;
  insert into accounts.principal(kind) values ('person') returning id into p;
  insert into accounts.person(id, login, name) values (p, p_login, p_name);
  insert into accounts.appointment(person_id, kind) values (p, 'administrator');
  insert into accounts.credential(person_id, password_hash) values (p, hash);
  return p;
end $$;

create function accounts.next_serial(unit bigint, p_kind text, p_year int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare n int;
begin
  if not unit = any (access.units()) then
    raise exception 'no appointment in this unit' using errcode = 'insufficient_privilege';
  end if;
  insert into accounts.serial(unit_id, kind, year, last) values (unit, p_kind, p_year, 1)
  on conflict (unit_id, kind, year) do update set last = accounts.serial.last + 1 returning last into n;
  return n;
end $$;

-- ---- reach: everything beyond one's own unit, precomputed. One row = this principal may see this record until then.
create table access.reach(
  principal bigint not null, seizure_id bigint not null, until timestamptz not null default 'infinity',
  primary key (principal, seizure_id)
);
create index on access.reach(seizure_id, principal);
create table access.case_reach(
  principal bigint not null, case_id bigint not null, until timestamptz not null default 'infinity',
  primary key (principal, case_id)
);
create index on access.case_reach(case_id, principal);

-- My own rows of reach and no one else's: app holds no right on the tables themselves.
create view access.my_reach with (security_barrier) as
  select r.seizure_id from access.reach r where r.principal = any ((select access.principals())::bigint[]) and r.until > now();
create view access.my_case_reach with (security_barrier) as
  select r.case_id from access.case_reach r where r.principal = any ((select access.principals())::bigint[]) and r.until > now();

-- Every append-only table gets this: nobody changes or removes a row, the owner included.
create function access.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'append-only: % on %.% is not possible', tg_op, tg_table_schema, tg_table_name using errcode = 'insufficient_privilege';
end $$;
create function access.make_append_only(t regclass) returns void language plpgsql as $$
begin
  execute format('create trigger no_change before update or delete on %s for each row execute function access.refuse()', t);
  execute format('create trigger no_truncate before truncate on %s execute function access.refuse()', t);
  -- ALWAYS: also under session_replication_role = replica
  execute format('alter table %s enable always trigger no_change', t);
  execute format('alter table %s enable always trigger no_truncate', t);
end $$;
-- Row-level security, forced on the owner too; the definer functions read through their own policy.
create function access.protect(t regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', t);
  execute format('alter table %s force row level security', t);
  execute format('create policy read_fn on %s for select to access_fn using (true)', t);
end $$;

do $$ declare t text; begin
  foreach t in array array['accounts.principal', 'accounts.agency', 'accounts.unit', 'accounts.person', 'accounts.appointment'] loop
    perform access.protect(t::regclass);
    -- the directory (who works where) is open to everyone who is signed in; it holds no evidence
    execute format('create policy directory on %s for select to app using ((select access.me()) is not null)', t);
    execute format('create policy appoint on %s for insert to app with check ((select access.is_administrator()))', t);
  end loop;
end $$;
do $$ declare t text; begin
  foreach t in array array['accounts.principal', 'accounts.person', 'accounts.appointment'] loop
    execute format('create policy first_administrator on %s for insert to access_fn with check (true)', t);
  end loop;
end $$;
grant insert on accounts.principal, accounts.person, accounts.appointment to access_fn;
create policy end_appointment on accounts.appointment for update to app using ((select access.is_administrator()));
grant select on accounts.agency, accounts.unit, accounts.person, accounts.appointment to app;
grant insert (kind) on accounts.principal to app;
grant select (id) on accounts.principal to app;
grant insert (id, code, kind, name, valid_from, valid_to) on accounts.agency to app;
grant insert (id, agency_id, code, name, place) on accounts.unit to app;
grant insert (id, login, name, badge) on accounts.person to app;
grant insert (person_id, kind, unit_id, agency_id, valid) on accounts.appointment to app;
grant update (valid) on accounts.appointment to app;

-- One hand-over event as one would write it by hand, for pgbench: begin; the actor; lock and read; custody row; ledger
-- row; exhibit; commit. Whoever holds the exhibit offers it, or takes the offer back. A client is the giver of the unit
-- of its number. Its exhibits are the second ones (the first are the other side's) of seizures whose ids are 42 apart;
-- every 64th of those is need-to-know and left out. The hash of the body is kept where the database's own check at
-- commit looks for it. The bodies are JSON, so that pages that
-- show these events can be measured in the same database. (A colon between quotes would begin a variable of pgbench:
-- chr(58).)
\set j random(1, :last)
\set s 42 * (:j + :j / 63) + :client_id
begin;
select access.enter(sha256(convert_to('bench-session-of-the-giver-' || cast(:client_id as text), 'UTF8')));
select id as e, number, last_seq + 1 as n, holder_id as holder,
       case when offered_to is null then 'offered' else 'withdrawn' end as kind,
       replace(concat('{"actor"~{"name"~"pgbench"},"data"~{"note"~"', repeat('x', cast(:body as int) - 47), '"}}'), '~', chr(58)) as text
  from exhibits.exhibit where seizure_id = :s and no = 2 for update \gset
insert into custody.event(exhibit_id, seq, seizure_id, kind, from_id, to_id, seal_no, seal_state, hash)
  values (:e, :n, :s, cast(:kind as text), :holder, :holder, 'B1', 'intact',
          sha256(decode('00', 'hex') || convert_to(cast(:text as text), 'UTF8')));
insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, exhibit_id, body)
  values (gen_random_uuid(),
          concat_ws(chr(58), 'exhibit', cast(:number as text)), :n,
          concat_ws(chr(58), 'custody', 'handover', cast(:kind as text)), :s, :e,
          convert_to(cast(:text as text), 'UTF8'));
update exhibits.exhibit
   set last_seq = :n, offered_to = case when offered_to is null then holder_id end,
       last_hash = sha256(decode('00', 'hex') || convert_to(cast(:text as text), 'UTF8'))
 where id = :e;
commit;

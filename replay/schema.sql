-- SPDX-License-Identifier: MIT
-- The log.  docs/log.md explains it; `chunk` and `payload` are the truth,
-- thread, object, site and event are made from them and can be made again.

-- What was run and how it ended, one name and value a row.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Packed inputs (replay/input.h) of one recording ring, in order.
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY,
  ring INTEGER NOT NULL,
  first_ticket INTEGER NOT NULL,
  last_ticket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  data BLOB NOT NULL);

-- Bytes that came in from outside, once for each content.
CREATE TABLE payload (hash INTEGER PRIMARY KEY, data BLOB NOT NULL);

CREATE TABLE thread (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE object (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
  creator INTEGER NOT NULL, born INTEGER NOT NULL);
CREATE TABLE site (
  id INTEGER PRIMARY KEY, file TEXT NOT NULL, line INTEGER NOT NULL,
  func TEXT NOT NULL);
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, thread INTEGER NOT NULL, t_ns INTEGER NOT NULL,
  kind TEXT NOT NULL, obj INTEGER NOT NULL, a INTEGER NOT NULL,
  b INTEGER NOT NULL, c INTEGER NOT NULL, site INTEGER NOT NULL, text TEXT);
CREATE TABLE input (
  ticket INTEGER PRIMARY KEY, thread INTEGER NOT NULL, kind TEXT NOT NULL,
  obj INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL);

-- How long each bottom half waited between being scheduled and running.
CREATE VIEW bh_latency AS
  SELECT b.seq, o.name AS bh, b.t_ns - (
      SELECT s.t_ns FROM event s
      WHERE s.obj = b.obj AND s.kind = 'bh.schedule' AND s.seq < b.seq
      ORDER BY s.seq DESC LIMIT 1) AS latency_ns
  FROM event b LEFT JOIN object o ON o.id = b.obj
  WHERE b.kind = 'bh.begin';

-- Each request of a BlockBackend, from its begin to its end.
CREATE VIEW io_latency AS
  SELECT b.obj AS request, b.text AS op, b.b AS offset, b.c AS bytes,
         b.seq AS begin_seq, e.seq AS end_seq, e.b AS result,
         e.t_ns - b.t_ns AS latency_ns
  FROM event b JOIN event e ON e.obj = b.obj AND e.kind = 'req.end'
  WHERE b.kind = 'req.begin';

-- Drained sections.
CREATE VIEW drain AS
  SELECT b.seq AS begin_seq, o.name AS blk, b.a AS in_flight_at_begin, (
      SELECT min(e.seq) FROM event e
      WHERE e.obj = b.obj AND e.kind = 'drain.end' AND e.seq > b.seq) AS end_seq
  FROM event b LEFT JOIN object o ON o.id = b.obj
  WHERE b.kind = 'drain.begin';

-- What scheduled each bottom half, and from which function.
CREATE VIEW who_woke AS
  SELECT s.seq, o.name AS woken, t.name AS by_thread, p.func AS by_function,
         p.file || ':' || p.line AS at
  FROM event s LEFT JOIN object o ON o.id = s.obj
  JOIN thread t ON t.id = s.thread JOIN site p ON p.id = s.site
  WHERE s.kind IN ('bh.schedule', 'co.schedule', 'co.queue');

-- Turns of each loop, with the digest that a replay compares.
CREATE VIEW turn AS
  SELECT ticket, thread, obj AS ctx, printf('%016x', a) AS digest
  FROM input WHERE kind = 'turn';

-- Explicit replay_*() calls.
CREATE VIEW replay_event AS
  SELECT ticket, thread, kind, obj FROM input WHERE kind = 'replay.bh';

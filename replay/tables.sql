-- SPDX-License-Identifier: MIT
-- Tables and views for people, made from a replay; docs/log.md explains them.
--
-- A view looks things up row by row, through the indexes that are made when
-- the tables are full (log-tables.c), so a LIMIT is worth its while.  A plus
-- before a column keeps SQLite from taking that column's index instead.

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
  b INTEGER NOT NULL, c INTEGER NOT NULL, site INTEGER NOT NULL, text TEXT,
  inside INTEGER NOT NULL, ticket INTEGER);
CREATE TABLE input (
  ticket INTEGER PRIMARY KEY, thread INTEGER NOT NULL, kind TEXT NOT NULL,
  obj INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL);

-- Each call of a bottom half: when it was scheduled, how often, by whom, and
-- how long it waited.
CREATE VIEW bh_latency AS
  SELECT r.seq, o.name AS bh, x.name AS ctx, r.scheduled_seq,
         t.name AS scheduled_by, (
           SELECT count(*) FROM event n
           WHERE n.obj = r.obj AND +n.kind = 'bh.schedule'
             AND n.seq BETWEEN r.scheduled_seq AND r.seq) AS times,
         r.t_ns - s.t_ns AS latency_ns
  FROM (SELECT b.seq, b.obj, b.a, b.t_ns, (
            SELECT min(n.seq) FROM event n
            WHERE n.obj = b.obj AND +n.kind = 'bh.schedule' AND n.seq < b.seq
              AND n.seq > coalesce((
                SELECT p.seq FROM event p
                WHERE p.obj = b.obj AND p.seq < b.seq
                  AND +p.kind IN ('bh.begin', 'bh.cancel')
                ORDER BY p.seq DESC LIMIT 1), 0)) AS scheduled_seq
        FROM event b WHERE b.kind = 'bh.begin') r
  LEFT JOIN event s ON s.seq = r.scheduled_seq
  LEFT JOIN thread t ON t.id = s.thread
  LEFT JOIN object o ON o.id = r.obj
  LEFT JOIN object x ON x.id = r.a;

-- Each stretch that a coroutine ran, from being entered to its yield or end.
-- What it entered itself meanwhile is within.
CREATE VIEW coroutine_legs AS
  SELECT o.name AS coroutine, t.name AS thread, x.name AS ctx,
         l.seq AS begin_seq, l.end_seq,
         CASE e.kind WHEN 'co.yield' THEN 'yield' WHEN 'co.end' THEN 'end'
         END AS ending, (
           SELECT coalesce(substr(w.text, 1, instr(w.text || ' ', ' ') - 1),
                           'sleep') FROM event w
           WHERE w.obj = l.obj AND w.seq BETWEEN l.seq AND l.end_seq
             AND +w.kind IN ('co.wait', 'co.sleep')
           ORDER BY w.seq DESC LIMIT 1) AS waits_for,
         e.t_ns - l.t_ns AS duration_ns,
         coalesce(i.name, t.name) AS entered_by
  FROM (SELECT b.*, (
            SELECT n.seq FROM event n
            WHERE n.obj = b.obj AND n.seq > b.seq
              AND +n.kind IN ('co.yield', 'co.end')
            ORDER BY n.seq LIMIT 1) AS end_seq
        FROM event b WHERE b.kind = 'co.enter') l
  LEFT JOIN event e ON e.seq = l.end_seq
  LEFT JOIN thread t ON t.id = l.thread
  LEFT JOIN object o ON o.id = l.obj
  LEFT JOIN object x ON x.id = l.a
  LEFT JOIN object i ON i.id = l.inside;

-- Drained sections: idle_seq is when nothing was in flight any more.  Sections
-- of one thread nest, and so do its waits.
CREATE VIEW drain AS
  SELECT o.name AS blk, t.name AS thread, d.seq AS begin_seq, d.idle_seq,
         d.end_seq, d.a AS in_flight_at_begin, (
           SELECT count(*) FROM event q
           WHERE q.kind = 'req.end' AND +q.a = d.obj
             AND q.seq BETWEEN d.seq AND d.end_seq) AS ended, (
           SELECT count(*) FROM event q
           WHERE q.kind = 'req.queued' AND +q.a = d.obj
             AND q.seq BETWEEN d.seq AND d.end_seq) AS queued,
         i.t_ns - d.t_ns AS wait_ns, e.t_ns - d.t_ns AS duration_ns
  FROM (SELECT b.*, (
            SELECT n.seq FROM event n
            WHERE n.kind = 'wait.end' AND n.seq > b.seq
              AND +n.thread = b.thread
              AND (SELECT count(*) FROM event w
                   WHERE w.kind = 'wait.begin' AND +w.thread = b.thread
                     AND w.seq BETWEEN b.seq AND n.seq) =
                  (SELECT count(*) FROM event w
                   WHERE w.kind = 'wait.end' AND +w.thread = b.thread
                     AND w.seq BETWEEN b.seq AND n.seq)
            ORDER BY n.seq LIMIT 1) AS idle_seq, (
            SELECT n.seq FROM event n
            WHERE n.obj = b.obj AND n.seq > b.seq
              AND +n.kind = 'drain.end' AND +n.thread = b.thread
              AND (SELECT count(*) FROM event w
                   WHERE w.obj = b.obj AND +w.kind = 'drain.begin'
                     AND +w.thread = b.thread
                     AND w.seq BETWEEN b.seq AND n.seq) =
                  (SELECT count(*) FROM event w
                   WHERE w.obj = b.obj AND +w.kind = 'drain.end'
                     AND +w.thread = b.thread
                     AND w.seq BETWEEN b.seq AND n.seq)
            ORDER BY n.seq LIMIT 1) AS end_seq
        FROM event b WHERE b.kind = 'drain.begin') d
  LEFT JOIN event i ON i.seq = d.idle_seq
  LEFT JOIN event e ON e.seq = d.end_seq
  LEFT JOIN thread t ON t.id = d.thread
  LEFT JOIN object o ON o.id = d.obj;

-- Each time a mutex was held: by whom, from where to where in the run, and
-- where in the source it was taken.
CREATE VIEW lock_hold AS
  SELECT o.name AS mutex, t.name AS thread, l.seq AS begin_seq, l.end_seq,
         l.end_seq - l.seq AS events, e.t_ns - l.t_ns AS hold_ns,
         coalesce(i.name, t.name) AS inside, p.func AS function,
         p.file || ':' || p.line AS at
  FROM (SELECT b.*, (
            SELECT n.seq FROM event n
            WHERE n.obj = b.obj AND n.seq > b.seq AND +n.kind = 'unlock'
            ORDER BY n.seq LIMIT 1) AS end_seq
        FROM event b WHERE b.kind = 'lock') l
  LEFT JOIN event e ON e.seq = l.end_seq
  LEFT JOIN thread t ON t.id = l.thread
  LEFT JOIN object o ON o.id = l.obj
  LEFT JOIN object i ON i.id = l.inside
  LEFT JOIN site p ON p.id = l.site;

-- What made each bottom half run, each coroutine go on, and each loop come out
-- of its wait.  A coroutine that was entered at once has nothing in between.
CREATE VIEW who_woke AS
  SELECT s.seq, s.kind AS how,
         CASE s.kind WHEN 'wait.kick' THEN 'AIO_WAIT_WHILE()'
                     ELSE o.name END AS woken,
         o.kind AS woken_kind, t.name AS by_thread,
         coalesce(i.name, t.name) AS inside, p.func AS function, (
           SELECT n.seq FROM event n
           WHERE n.obj = nullif(s.obj, 0) AND n.seq >= s.seq AND +n.kind IN (
               CASE s.kind WHEN 'bh.schedule' THEN 'bh.begin'
                           WHEN 'notify' THEN 'poll.wake'
                           ELSE 'co.enter' END)
           ORDER BY n.seq LIMIT 1) AS ran_seq,
         p.file || ':' || p.line AS at
  FROM event s
  LEFT JOIN object o ON o.id = s.obj
  LEFT JOIN object i ON i.id = s.inside
  LEFT JOIN thread t ON t.id = s.thread
  LEFT JOIN site p ON p.id = s.site
  WHERE s.kind IN ('co.schedule', 'co.queue', 'wait.kick')
     OR s.kind = 'bh.schedule' AND s.b & 2
     OR s.kind = 'notify' AND s.a
     OR s.kind = 'co.enter' AND (
          SELECT n.kind FROM event n
          WHERE n.obj = s.obj AND n.seq < s.seq AND +n.kind IN (
              'co.schedule', 'co.queue', 'co.enter', 'co.create')
          ORDER BY n.seq DESC LIMIT 1) IN ('co.enter', 'co.create');

-- Each request of a BlockBackend, from its begin to its end.
CREATE VIEW io_latency AS
  SELECT r.seq AS begin_seq, r.end_seq, q.name AS request, o.name AS blk,
         t.name AS thread, r.text AS op, r.b AS offset, r.c AS bytes,
         e.b AS result, EXISTS (
           SELECT 1 FROM event w
           WHERE w.obj = r.obj AND +w.kind = 'req.queued') AS queued,
         e.t_ns - r.t_ns AS latency_ns
  FROM (SELECT b.*, (
            SELECT n.seq FROM event n
            WHERE n.obj = b.obj AND n.seq > b.seq AND +n.kind = 'req.end'
            ORDER BY n.seq LIMIT 1) AS end_seq
        FROM event b WHERE b.kind = 'req.begin') r
  LEFT JOIN event e ON e.seq = r.end_seq
  LEFT JOIN thread t ON t.id = r.thread
  LEFT JOIN object o ON o.id = r.a
  LEFT JOIN object q ON q.id = r.obj;

-- Turns of each loop with the events that they span, what their wait brought,
-- and the digest that a replay compares.
CREATE VIEW turn AS
  SELECT x.ticket, t.name AS thread, o.name AS ctx, x.depth, x.begin_seq,
         x.end_seq, w.a AS fds, w.b AS cqes, x.progress,
         x.t_ns - b.t_ns AS duration_ns, printf('%016x', i.a) AS digest
  FROM (SELECT y.*, (
            SELECT n.seq FROM event n
            WHERE n.obj = y.obj AND n.seq BETWEEN y.begin_seq AND y.end_seq
              AND +n.kind = 'poll.wake'
            ORDER BY n.seq LIMIT 1) AS wake_seq
        FROM (SELECT e.seq AS end_seq, e.thread, e.obj, e.a AS progress,
                     e.b AS depth, e.t_ns, e.ticket, (
                  SELECT n.seq FROM event n
                  WHERE n.obj = e.obj AND n.seq < e.seq
                    AND +n.kind = 'poll.begin' AND +n.b = e.b
                  ORDER BY n.seq DESC LIMIT 1) AS begin_seq
              FROM event e WHERE e.kind = 'poll.end') y) x
  LEFT JOIN event b ON b.seq = x.begin_seq
  LEFT JOIN event w ON w.seq = x.wake_seq
  LEFT JOIN input i ON i.ticket = x.ticket
  LEFT JOIN thread t ON t.id = x.thread
  LEFT JOIN object o ON o.id = x.obj;

-- Explicit replay_*() calls: the bottom half of each, and when it ran.  Where
-- there are no events, the inputs tell what they can: numbers for names, and of
-- a log of --capture=full not even which call it was.  (Casts give both halves
-- the same affinities; only then does SQLite not copy them together first.)
CREATE VIEW replay_event AS
  SELECT r.ticket, r.seq, t.name AS thread, p.func AS call, x.name AS ctx,
         o.name AS bh, (
           SELECT n.seq FROM event n
           WHERE n.obj = r.bh AND n.seq > r.seq AND +n.kind = 'bh.begin'
           ORDER BY n.seq LIMIT 1) AS ran_seq
  FROM (SELECT e.*, CASE e.obj WHEN 0 THEN (
                 SELECT n.obj FROM event n
                 WHERE n.kind = 'bh.new' AND n.seq > e.seq
                   AND +n.thread = e.thread
                 ORDER BY n.seq LIMIT 1) ELSE e.obj END AS bh
        FROM event e WHERE e.kind = 'replay.bh') r
  LEFT JOIN thread t ON t.id = r.thread
  LEFT JOIN site p ON p.id = r.site
  LEFT JOIN object x ON x.id = r.a
  LEFT JOIN object o ON o.id = r.bh
  UNION ALL
  SELECT i.ticket, CAST(NULL AS INTEGER),
         CAST('thread ' || i.thread AS TEXT), CAST(i.call AS TEXT),
         CAST(CASE WHEN i.call LIKE '%oneshot_event' THEN i.id END AS TEXT),
         CAST(CASE WHEN i.call LIKE '%schedule_event' THEN i.id END AS TEXT),
         CAST(NULL AS INTEGER)
  FROM (SELECT *, (obj >> 32) || '.' || (obj & 0xffffffff) AS id,
               CASE WHEN kind = 'replay.oneshot'
                    THEN 'replay_bh_schedule_oneshot_event'
                    WHEN (SELECT value FROM meta WHERE name = 'capture') =
                         'explicit'
                    THEN 'replay_bh_schedule_event' END AS call
        FROM input WHERE kind IN ('replay.bh', 'replay.oneshot')) i
  WHERE NOT EXISTS (SELECT 1 FROM event WHERE seq = 1);

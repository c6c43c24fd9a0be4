-- SPDX-License-Identifier: MIT
-- A play in its log; docs/traces.md explains it.  Times are nanoseconds since
-- the play's start.

CREATE TABLE play_target (
  id INTEGER PRIMARY KEY, device TEXT NOT NULL, path TEXT NOT NULL);

-- Each request: the record of the trace that it is of, when it should have been
-- issued, when it was, and what came of it.  captured_ns is the record's own
-- latency.
CREATE TABLE play_request (
  seq INTEGER PRIMARY KEY, record INTEGER NOT NULL, loop INTEGER NOT NULL,
  target INTEGER NOT NULL, thread INTEGER NOT NULL, op TEXT NOT NULL,
  offset INTEGER NOT NULL, bytes INTEGER NOT NULL, planned_ns INTEGER,
  issued_ns INTEGER, completed_ns INTEGER, result INTEGER,
  state TEXT NOT NULL, captured_ns INTEGER);

-- Latency, here and as captured, and how late the request was issued.
CREATE VIEW play_latency AS
  SELECT r.seq, r.record, r.loop, t.device, r.op, r.offset, r.bytes, r.result,
         r.issued_ns - r.planned_ns AS lag_ns,
         r.completed_ns - r.issued_ns AS latency_ns, r.captured_ns,
         1.0 * (r.completed_ns - r.issued_ns) / nullif(r.captured_ns, 0)
           AS ratio
  FROM play_request r JOIN play_target t ON t.id = r.target
  WHERE r.state = 'done';

-- Second by second of the plan: how many requests, and how late they were.
CREATE VIEW play_drift AS
  SELECT planned_ns / 1000000000 AS second, count(*) AS requests,
         avg(issued_ns - planned_ns) AS mean_lag_ns,
         max(issued_ns - planned_ns) AS most_lag_ns
  FROM play_request WHERE state = 'done' GROUP BY 1;

-- Where the time of each request went, from the events of the recording
-- ('aiolab index' makes them): late, queued by a drained section, with the
-- device, or in the loop and its coroutines.
CREATE VIEW play_blame AS
  SELECT y.seq, y.record, y.op, y.lag_ns, y.latency_ns, y.drain_ns,
         y.device_ns, y.latency_ns - y.drain_ns - y.device_ns AS loop_ns,
         CASE WHEN y.lag_ns + y.latency_ns = 0 THEN 'none' ELSE
         CASE max(y.lag_ns, y.drain_ns, y.device_ns,
                  y.latency_ns - y.drain_ns - y.device_ns)
           WHEN y.lag_ns THEN 'lag' WHEN y.device_ns THEN 'device'
           WHEN y.drain_ns THEN 'drain' ELSE 'loop' END END AS reason
  FROM (
    SELECT x.seq, x.record, x.op, x.issued_ns - x.planned_ns AS lag_ns,
           x.completed_ns - x.issued_ns AS latency_ns,
           coalesce((
             SELECT w.t_ns - q.t_ns FROM event w
             WHERE w.obj = x.co AND w.seq > q.seq AND +w.kind = 'co.enter'
             ORDER BY w.seq LIMIT 1), 0) AS drain_ns,
           coalesce((
             SELECT CASE d.kind WHEN 'pool.end' THEN ( -- a worker has no clock
               SELECT w.t_ns FROM event w
               WHERE w.obj = x.co AND w.seq > d.seq AND +w.kind = 'co.enter'
               ORDER BY w.seq LIMIT 1) ELSE d.t_ns END
             FROM event d
             WHERE d.obj = l.obj AND d.seq > l.seq AND d.seq <= x.done_seq
               AND +d.kind IN ('cqe.take', 'laio.take', 'pool.end')
             ORDER BY d.seq DESC LIMIT 1) - f.t_ns, 0) AS device_ns
    FROM (SELECT r.*, i.seq AS issue_seq, i.inside AS co, (
              SELECT d.seq FROM event d
              WHERE d.kind = 'play.done' AND d.a = r.seq) AS done_seq
          FROM play_request r
          JOIN event i ON i.kind = 'play.issue' AND i.a = r.seq) x
    LEFT JOIN event q ON q.seq = (
      SELECT n.seq FROM event n
      WHERE n.seq BETWEEN x.issue_seq AND x.done_seq AND +n.inside = x.co
        AND +n.kind = 'req.queued' LIMIT 1)
    LEFT JOIN event f ON f.seq = (
      SELECT n.seq FROM event n
      WHERE n.seq BETWEEN x.issue_seq AND x.done_seq AND +n.inside = x.co
        AND +n.kind IN ('sqe.add', 'laio.add', 'pool.submit')
      ORDER BY n.seq LIMIT 1)
    LEFT JOIN event l ON l.seq = (
      SELECT n.seq FROM event n
      WHERE n.seq BETWEEN x.issue_seq AND x.done_seq AND +n.inside = x.co
        AND +n.kind IN ('sqe.add', 'laio.add', 'pool.submit')
      ORDER BY n.seq DESC LIMIT 1)) y;

-- The twenty that came latest, behind their time, and the reason.
CREATE VIEW play_slowest AS
  SELECT b.seq, b.record, t.device, b.op, r.offset, r.bytes, b.lag_ns,
         b.latency_ns, r.captured_ns, b.reason, b.drain_ns, b.device_ns,
         b.loop_ns
  FROM play_blame b
  JOIN play_request r ON r.seq = b.seq
  JOIN play_target t ON t.id = r.target
  WHERE b.seq IN (
    SELECT seq FROM play_request WHERE state = 'done'
    ORDER BY completed_ns - planned_ns DESC, seq LIMIT 20)
  ORDER BY b.lag_ns + b.latency_ns DESC;

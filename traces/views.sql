-- SPDX-License-Identifier: MIT
-- Captured requests for people and for SQL, made from the chunks by aiolab
-- index and by the first report that asks for them; docs/log.md explains them.

CREATE TABLE record (
  seq INTEGER PRIMARY KEY, t_ns INTEGER NOT NULL, queue_ns INTEGER,
  issue_ns INTEGER, complete_ns INTEGER, op TEXT NOT NULL,
  offset INTEGER NOT NULL, bytes INTEGER NOT NULL, device INTEGER NOT NULL,
  process INTEGER NOT NULL, cpu INTEGER NOT NULL, error INTEGER NOT NULL,
  flags TEXT NOT NULL, quality TEXT NOT NULL, file INTEGER NOT NULL,
  place INTEGER NOT NULL);

-- Each request with names in place of numbers.
CREATE VIEW request AS
  SELECT r.seq, r.t_ns, r.op, d.name AS device, p.comm AS process, p.pid,
         p.tid, r.cpu, r.offset, r.bytes, r.flags, r.quality, r.error,
         r.complete_ns - r.t_ns AS latency_ns,
         r.issue_ns - r.queue_ns AS wait_ns,
         r.complete_ns - r.issue_ns AS device_ns,
         f.path AS file, r.place
  FROM record r
  LEFT JOIN trace_device d ON d.id = r.device
  LEFT JOIN trace_process p ON p.id = r.process
  LEFT JOIN trace_file f ON f.id = r.file;

-- Operations of each device: how many, how much, how long.
CREATE VIEW request_op AS
  SELECT d.name AS device, r.op, count(*) AS n, sum(r.bytes) AS bytes,
         min(r.complete_ns - r.t_ns) AS min_ns,
         avg(r.complete_ns - r.t_ns) AS mean_ns,
         max(r.complete_ns - r.t_ns) AS max_ns
  FROM record r LEFT JOIN trace_device d ON d.id = r.device
  GROUP BY r.device, r.op;

-- Seconds of the trace: how many requests began in each, and what they moved.
CREATE VIEW request_rate AS
  SELECT t_ns / 1000000000 AS second, count(*) AS n,
         sum(bytes) FILTER (WHERE op = 'read') AS read_bytes,
         sum(bytes) FILTER (WHERE op = 'write') AS written_bytes
  FROM record GROUP BY second;

-- How many requests were in flight, each time that it changed.
CREATE VIEW queue_depth AS
  SELECT t_ns, sum(step) OVER (ORDER BY t_ns, step, seq) AS depth
  FROM (SELECT seq, t_ns, 1 AS step FROM record
        WHERE complete_ns IS NOT NULL
        UNION ALL
        SELECT seq, complete_ns, -1 FROM record
        WHERE complete_ns IS NOT NULL);

-- The requests that took longest, and where their time went.
CREATE VIEW request_slowest AS
  SELECT r.seq, r.t_ns, r.complete_ns - r.t_ns AS latency_ns, r.op,
         d.name AS device, r.offset, r.bytes,
         CASE WHEN r.issue_ns IS NULL THEN NULL
              WHEN r.issue_ns - r.queue_ns > r.complete_ns - r.issue_ns
              THEN 'queue' ELSE 'device' END AS reason,
         f.path AS file, r.place
  FROM record r
  LEFT JOIN trace_device d ON d.id = r.device
  LEFT JOIN trace_file f ON f.id = r.file
  WHERE r.complete_ns IS NOT NULL
  ORDER BY r.complete_ns - r.t_ns DESC, r.seq;

-- Requests whose end is not in the trace, and how old they were then.
CREATE VIEW request_in_flight AS
  SELECT r.seq, r.t_ns, r.op, d.name AS device, r.offset, r.bytes,
         (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'trace.span_ns')
           - r.t_ns AS age_ns, f.path AS file, r.place
  FROM record r
  LEFT JOIN trace_device d ON d.id = r.device
  LEFT JOIN trace_file f ON f.id = r.file
  WHERE r.complete_ns IS NULL;

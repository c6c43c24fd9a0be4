-- SPDX-License-Identifier: MIT
-- A captured trace in a log; docs/traces.md explains it.  What people ask is in
-- views.sql, which is made from these and can be made again.

-- Packed records (traces/pack.h) in the order of their times.
CREATE TABLE trace_chunk (
  first INTEGER PRIMARY KEY,
  n INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  data BLOB NOT NULL);

-- Names that records refer to, counted from 0.
CREATE TABLE trace_device (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE trace_process (
  id INTEGER PRIMARY KEY, comm TEXT NOT NULL, pid INTEGER, tid INTEGER);
CREATE TABLE trace_file (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL, format TEXT NOT NULL);

-- What became of every line or record of the files, and the first of those
-- that could not be used, with their places.
CREATE TABLE trace_account (
  reason TEXT PRIMARY KEY, class TEXT NOT NULL, n INTEGER NOT NULL,
  help TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trace_reject (
  file INTEGER NOT NULL, place INTEGER NOT NULL, reason TEXT NOT NULL,
  text TEXT NOT NULL);

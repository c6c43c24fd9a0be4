-- SPDX-License-Identifier: MIT
-- The recording.  docs/log.md explains it; what people ask is in tables.sql,
-- which is made from these and can be made again.

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

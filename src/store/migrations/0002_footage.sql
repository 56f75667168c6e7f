-- Recordings, snapshots, schedules, exports, and how much was written.

CREATE TABLE footage (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    what       TEXT NOT NULL CHECK (what IN ('record', 'snapshot')),
    -- Of a source that may be gone.
    token      TEXT NOT NULL,
    cause      TEXT NOT NULL CHECK (cause IN ('H5_REC_MANUAL', 'H5_REC_SCHEDULE', 'H5_REC_ALARM')),
    volume     TEXT NOT NULL,
    -- Below the volume's root.
    path       TEXT NOT NULL UNIQUE,
    -- Milliseconds since 1970 UTC.
    start_ms   INTEGER NOT NULL,
    end_ms     INTEGER NOT NULL CHECK (end_ms >= start_ms),
    -- Zone of the folders, minutes east of UTC.
    offset_min INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    open       INTEGER NOT NULL CHECK (open IN (0, 1)),
    locked     INTEGER NOT NULL CHECK (locked IN (0, 1))
) STRICT;

CREATE INDEX footage_by_source ON footage (token, what, start_ms);
CREATE INDEX footage_by_age ON footage (volume, what, locked, start_ms);

-- What is recorded without being asked.
CREATE TABLE schedules (
    token            TEXT PRIMARY KEY,
    -- 168 characters 0 or 1: the hours of a week from Monday 0:00 on, local time.
    week             TEXT NOT NULL CHECK (length(week) = 168),
    -- 0: none.
    snapshot_seconds INTEGER NOT NULL
) STRICT;

CREATE TABLE exports (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    token    TEXT NOT NULL,
    name     TEXT NOT NULL,
    volume   TEXT NOT NULL,
    path     TEXT NOT NULL UNIQUE,
    made_ms  INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    -- 'working', 'done' or 'failed'
    state    TEXT NOT NULL CHECK (state IN ('working', 'done', 'failed')),
    -- Why it failed.
    reason   TEXT NOT NULL,
    UNIQUE (token, name)
) STRICT;

CREATE TABLE written (
    -- 2026-03-29, local time.
    day    TEXT NOT NULL,
    volume TEXT NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (day, volume)
) STRICT;

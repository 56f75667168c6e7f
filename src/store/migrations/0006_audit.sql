-- Who changed what; the oldest go first.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Milliseconds since 1970, UTC, by our clock.
    at      INTEGER NOT NULL,
    user    TEXT NOT NULL,
    peer    TEXT NOT NULL,
    call    TEXT NOT NULL,
    -- The call's parameters, without secrets.
    about   TEXT NOT NULL,
    -- Empty: it was done. Otherwise why it was not.
    failure TEXT NOT NULL
) STRICT;

-- The edges that are registered with this central server.

CREATE TABLE sites (
    -- No token is another's beginning up to a dash: see insert_site.
    token    TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    -- The edge's host id; empty before it was seen.
    uuid     TEXT NOT NULL,
    -- Its Ed25519 public key in lowercase hex.
    key      TEXT NOT NULL UNIQUE CHECK (length(key) = 64),
    enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    -- Milliseconds since 1970, UTC, by our clock.
    added_ms INTEGER NOT NULL,
    -- When it was connected last; NULL: never.
    seen_ms  INTEGER,
    -- Its sources as it last told them, a JSON array.
    sources  TEXT NOT NULL,
    -- Where it last came from; empty before it was seen.
    address  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

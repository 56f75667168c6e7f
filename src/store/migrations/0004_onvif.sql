-- ONVIF cameras: where they are, their presets and events; and the users of our own ONVIF device.

-- The list of kinds grew, which only a new table can say.
CREATE TABLE sources_next (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    token      TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('H5_FILE', 'H5_STREAM', 'H5_ONVIF')),
    -- With every password masked.
    url        TEXT NOT NULL,
    -- The whole address where that differs, encrypted like the password; else empty.
    sealed_url BLOB NOT NULL,
    user       TEXT NOT NULL,
    -- Empty, or 24 bytes of nonce and then XChaCha20-Poly1305 with the token as associated data.
    password   BLOB NOT NULL,
    audio      INTEGER NOT NULL CHECK (audio IN (0, 1)),
    connect    TEXT NOT NULL CHECK (connect IN ('H5_AUTO', 'H5_ONDEMAND', 'H5_ALWAYS')),
    transport  TEXT NOT NULL CHECK (transport IN ('H5_RTSP_AUTO', 'H5_RTSP_TCP', 'H5_RTSP_UDP')),
    -- The rest is for H5_ONVIF: NULL elsewhere.
    onvif_host TEXT,
    onvif_port INTEGER,
    onvif_path TEXT,
    -- 'plain', 'first_use', 'any', or 'pinned:' and the SHA-256 of the certificate in hex.
    onvif_trust TEXT,
    -- Profile tokens that were asked for; NULL: chosen from what the camera has.
    onvif_main TEXT,
    onvif_sub  TEXT,
    CHECK ((kind = 'H5_ONVIF') = (onvif_host IS NOT NULL AND onvif_port IS NOT NULL
           AND onvif_path IS NOT NULL AND onvif_trust IS NOT NULL))
) STRICT;
INSERT INTO sources_next (position, token, name, kind, url, sealed_url, user, password, audio, connect, transport)
    SELECT position, token, name, kind, url, sealed_url, user, password, audio, connect, transport FROM sources;
DROP TABLE sources;
ALTER TABLE sources_next RENAME TO sources;

-- What the API calls a preset, and what its camera calls it.
CREATE TABLE presets (
    source       TEXT NOT NULL,
    token        TEXT NOT NULL,
    name         TEXT NOT NULL,
    camera_token TEXT NOT NULL,
    PRIMARY KEY (source, token)
) STRICT, WITHOUT ROWID;

-- What cameras reported; the oldest go first.
CREATE TABLE events (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    -- Milliseconds since 1970, UTC, by our clock.
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('motion', 'digital_input')),
    -- Which input, rule or video source of the camera.
    item   TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;
CREATE INDEX events_by_source ON events (source, at);

-- Sources whose events start recordings.
CREATE TABLE alarms (
    source       TEXT PRIMARY KEY,
    -- How long a recording goes on after the last event ended.
    post_seconds INTEGER NOT NULL,
    motion       INTEGER NOT NULL CHECK (motion IN (0, 1)),
    input        INTEGER NOT NULL CHECK (input IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Who may use our own ONVIF device and RTSP server. Passwords are sealed, not hashed: ONVIF's digests need them.
CREATE TABLE onvif_users (
    name     TEXT PRIMARY KEY,
    password BLOB NOT NULL,
    level    TEXT NOT NULL CHECK (level IN ('Administrator', 'Operator', 'User'))
) STRICT, WITHOUT ROWID;

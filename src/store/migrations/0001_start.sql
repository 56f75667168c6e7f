-- Sources, users and settings.

CREATE TABLE sources (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    token     TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('H5_FILE', 'H5_STREAM')),
    -- With every password masked.
    url       TEXT NOT NULL,
    -- The whole address where that differs, encrypted like the password; else empty.
    sealed_url BLOB NOT NULL,
    user      TEXT NOT NULL,
    -- Empty, or 24 bytes of nonce and then XChaCha20-Poly1305 with the token as associated data.
    password  BLOB NOT NULL,
    audio     INTEGER NOT NULL CHECK (audio IN (0, 1)),
    connect   TEXT NOT NULL CHECK (connect IN ('H5_AUTO', 'H5_ONDEMAND', 'H5_ALWAYS')),
    transport TEXT NOT NULL CHECK (transport IN ('H5_RTSP_AUTO', 'H5_RTSP_TCP', 'H5_RTSP_UDP'))
) STRICT;

CREATE TABLE users (
    name             TEXT PRIMARY KEY,
    role             TEXT NOT NULL CHECK (role IN ('Administrator', 'Operator', 'Viewer')),
    -- PHC string: argon2id over the lowercase MD5 hex of the password.
    password_hash    TEXT NOT NULL,
    default_password INTEGER NOT NULL CHECK (default_password IN (0, 1))
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

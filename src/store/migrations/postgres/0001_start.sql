-- What several central nodes share. The tables mean what those of the same names mean in SQLite, where
-- ../0005_roles.sql, ../0007_views.sql and ../0008_sites.sql explain them. Text that is compared or sorted
-- goes by its bytes there, so it does here ("C").

CREATE TABLE roles (
    token       TEXT COLLATE "C" PRIMARY KEY,
    name        TEXT NOT NULL,
    level       TEXT NOT NULL CHECK (level IN ('Administrator', 'Operator', 'Viewer')),
    all_sources BOOLEAN NOT NULL,
    built_in    BOOLEAN NOT NULL
);
INSERT INTO roles VALUES
    ('administrator', 'Administrator', 'Administrator', true, true),
    ('operator', 'Operator', 'Operator', true, true),
    ('viewer', 'Viewer', 'Viewer', true, true);

CREATE TABLE role_sources (
    role   TEXT COLLATE "C" NOT NULL REFERENCES roles (token) ON DELETE CASCADE,
    source TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (role, source)
);

CREATE TABLE users (
    name             TEXT COLLATE "C" PRIMARY KEY,
    role             TEXT COLLATE "C" NOT NULL REFERENCES roles (token),
    password_hash    TEXT NOT NULL,
    default_password BOOLEAN NOT NULL
);

CREATE TABLE views (
    "user" TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    name   TEXT COLLATE "C" NOT NULL,
    layout TEXT NOT NULL,
    PRIMARY KEY ("user", name)
);

CREATE TABLE sites (
    token    TEXT COLLATE "C" PRIMARY KEY,
    name     TEXT NOT NULL,
    uuid     TEXT NOT NULL,
    key      TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(key) = 64),
    enabled  BOOLEAN NOT NULL,
    added_ms BIGINT NOT NULL,
    seen_ms  BIGINT,
    sources  TEXT NOT NULL,
    address  TEXT NOT NULL
);

-- Roles: how much their users may do, and with which sources.

CREATE TABLE roles (
    token       TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    level       TEXT NOT NULL CHECK (level IN ('Administrator', 'Operator', 'Viewer')),
    -- 1: all sources, those of tomorrow too; 0: those in role_sources.
    all_sources INTEGER NOT NULL CHECK (all_sources IN (0, 1)),
    -- One of the three that are always there.
    built_in    INTEGER NOT NULL CHECK (built_in IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO roles VALUES
    ('administrator', 'Administrator', 'Administrator', 1, 1),
    ('operator', 'Operator', 'Operator', 1, 1),
    ('viewer', 'Viewer', 'Viewer', 1, 1);

-- A source that is deleted stays here: its recordings stay too.
CREATE TABLE role_sources (
    role   TEXT NOT NULL REFERENCES roles (token) ON DELETE CASCADE,
    source TEXT NOT NULL,
    PRIMARY KEY (role, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE users_next (
    name             TEXT PRIMARY KEY,
    role             TEXT NOT NULL REFERENCES roles (token),
    -- PHC string: argon2id over the lowercase MD5 hex of the password.
    password_hash    TEXT NOT NULL,
    default_password INTEGER NOT NULL CHECK (default_password IN (0, 1))
) STRICT;
INSERT INTO users_next SELECT name, lower(role), password_hash, default_password FROM users;
DROP TABLE users;
ALTER TABLE users_next RENAME TO users;

-- The small picture of an RTSP camera, and the arrangements of pictures that users keep for themselves.

-- With every password masked; empty: there is none.
ALTER TABLE sources ADD COLUMN sub_url TEXT NOT NULL DEFAULT '';
-- The whole address where that differs, encrypted like the password; else empty.
ALTER TABLE sources ADD COLUMN sealed_sub_url BLOB NOT NULL DEFAULT x'';

CREATE TABLE views (
    user   TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    -- A JSON object, which means something to pages only.
    layout TEXT NOT NULL,
    PRIMARY KEY (user, name)
) STRICT, WITHOUT ROWID;

-- How much there is of what, kept by the database itself: sums without reading all of `footage`.

CREATE TABLE totals (
    volume  TEXT NOT NULL,
    token   TEXT NOT NULL,
    what    TEXT NOT NULL,
    entries INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (volume, token, what)
) STRICT, WITHOUT ROWID;

INSERT INTO totals SELECT volume, token, what, count(*), sum(bytes) FROM footage GROUP BY 1, 2, 3;

CREATE TRIGGER footage_added AFTER INSERT ON footage BEGIN
    INSERT INTO totals VALUES (new.volume, new.token, new.what, 1, new.bytes)
    ON CONFLICT DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER footage_removed AFTER DELETE ON footage BEGIN
    UPDATE totals SET entries = entries - 1, bytes = bytes - old.bytes
    WHERE volume = old.volume AND token = old.token AND what = old.what;
    DELETE FROM totals
    WHERE volume = old.volume AND token = old.token AND what = old.what AND entries = 0;
END;

CREATE TRIGGER footage_grown AFTER UPDATE OF bytes ON footage BEGIN
    UPDATE totals SET bytes = bytes - old.bytes + new.bytes
    WHERE volume = new.volume AND token = new.token AND what = new.what;
END;

-- Few at any time.
CREATE INDEX footage_open ON footage (volume) WHERE open = 1;

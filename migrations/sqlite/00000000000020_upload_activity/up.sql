-- Last signs of life of running uploads, beside the log; they extend upload windows. Rows are deleted once the window
-- has passed.
CREATE TABLE upload_activity (
    namespace TEXT    NOT NULL,
    photo_id  TEXT    NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (namespace, photo_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX upload_activity_seen ON upload_activity (namespace, last_seen);

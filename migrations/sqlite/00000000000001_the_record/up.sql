-- Tables of one or more deployments, each in its namespace.
--
-- Identifiers are stored as text, as in logs, URLs and payloads. ULIDs in their canonical form sort as text in the order
-- of their bits, so that an index on them is in order of creation. Times are milliseconds since 1970 in UTC. Tables are
-- STRICT: a value of another type is rejected, not converted.
--
-- There are no foreign keys: each commit writes whole groups of rows or none of them, work can outlive its photo, and
-- the log refers to no other table.

-- The event log. Each position is used once (AUTOINCREMENT) by the only writer, so that position order is commit order.
CREATE TABLE events (
    position       INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    namespace      TEXT    NOT NULL,
    event_id       TEXT    NOT NULL,
    stream_type    TEXT    NOT NULL,
    stream_id      TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    owner          TEXT    NOT NULL,
    job_id         TEXT,
    event_type     TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        TEXT    NOT NULL,
    metadata       TEXT    NOT NULL,
    occurred_at    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_id ON events (namespace, event_id);
CREATE UNIQUE INDEX events_stream ON events (namespace, stream_type, stream_id, version);
-- Each of these indexes ends in the position, which SQLite appends as the rowid.
CREATE INDEX events_order ON events (namespace);
CREATE INDEX events_owner ON events (namespace, owner);
CREATE INDEX events_job ON events (namespace, job_id) WHERE job_id IS NOT NULL;

-- Append-only for every connection. The insert trigger handles REPLACE, which deletes rows without firing delete
-- triggers on connections that don't set `recursive_triggers`.
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TRIGGER events_are_never_replaced BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE position = NEW.position)
  OR EXISTS (SELECT 1 FROM events WHERE namespace = NEW.namespace AND event_id = NEW.event_id)
  OR EXISTS (SELECT 1 FROM events WHERE namespace = NEW.namespace AND stream_type = NEW.stream_type
                                    AND stream_id = NEW.stream_id AND version = NEW.version)
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

-- States to which streams fold, as JSON, with the columns used for searching and sorting.
CREATE TABLE photos (
    namespace  TEXT    NOT NULL,
    photo_id   TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    job_id     TEXT    NOT NULL,
    upload_id  TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    deleted    INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    taken_at   INTEGER,
    version    INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX photos_id ON photos (namespace, photo_id);
CREATE UNIQUE INDEX photos_upload ON photos (namespace, owner, upload_id) WHERE NOT deleted;
CREATE INDEX photos_job ON photos (namespace, job_id, photo_id);
CREATE INDEX photos_created ON photos (namespace, owner, created_at, photo_id) WHERE NOT deleted;
CREATE INDEX photos_taken ON photos (namespace, owner, taken_at, photo_id) WHERE NOT deleted;
CREATE INDEX photos_bytes ON photos (namespace, owner, bytes, photo_id) WHERE NOT deleted;
CREATE INDEX photos_status ON photos (namespace, owner, status, created_at, photo_id) WHERE NOT deleted;

CREATE TABLE upload_jobs (
    namespace  TEXT    NOT NULL,
    job_id     TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX upload_jobs_id ON upload_jobs (namespace, job_id);

-- E-mail address and password hash are not part of the state: they are personal data that can be erased.
CREATE TABLE users (
    namespace     TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    email         TEXT,
    password_hash TEXT,
    version       INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX users_id ON users (namespace, user_id);
CREATE UNIQUE INDEX users_email ON users (namespace, email);

-- Personal data of photos, erased with the photo.
CREATE TABLE photo_details (
    namespace TEXT NOT NULL,
    photo_id  TEXT NOT NULL,
    filename  TEXT,
    metadata  TEXT,
    PRIMARY KEY (namespace, photo_id)
) STRICT, WITHOUT ROWID;

-- The work queue. `token` is set while a claim is valid, also after its lease has expired, until the next claim. It is
-- taken from `work_tokens`, so that a token is never reused even if the row is removed.
CREATE TABLE photo_work (
    namespace   TEXT    NOT NULL,
    photo_id    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    priority    INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    claims      INTEGER NOT NULL,
    token       INTEGER,
    lease_until INTEGER,
    -- When it can be claimed.
    ready_at    INTEGER NOT NULL GENERATED ALWAYS AS (max(due_at, coalesce(lease_until, due_at))) VIRTUAL
) STRICT;

CREATE UNIQUE INDEX photo_work_id ON photo_work (namespace, photo_id, kind);
CREATE INDEX photo_work_ready ON photo_work (namespace, kind, ready_at);
CREATE INDEX photo_work_turns ON photo_work (namespace, kind, priority, owner, due_at, photo_id);
CREATE INDEX photo_work_held ON photo_work (namespace, owner) WHERE token IS NOT NULL;

CREATE TABLE work_tokens (
    namespace TEXT    NOT NULL PRIMARY KEY,
    last      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    namespace       TEXT    NOT NULL,
    owner           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    fingerprint     BLOB    NOT NULL,
    photos          TEXT    NOT NULL,
    job_id          TEXT,
    expires_at      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX idempotency_id ON idempotency (namespace, owner, idempotency_key);
CREATE INDEX idempotency_expiry ON idempotency (namespace, expires_at);

CREATE TABLE subscriptions (
    namespace       TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    cursor_epoch    INTEGER NOT NULL,
    cursor_position INTEGER NOT NULL,
    token           INTEGER NOT NULL,
    lease_until     INTEGER,
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

-- Only SHA-256 hashes of tokens and tickets are stored.
CREATE TABLE refresh_tokens (
    namespace  TEXT    NOT NULL,
    token      BLOB    NOT NULL,
    family     BLOB    NOT NULL,
    user_id    TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked    INTEGER NOT NULL,
    rotated_at INTEGER,
    successor  BLOB,
    PRIMARY KEY (namespace, token)
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_family ON refresh_tokens (namespace, family);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (namespace, expires_at);

CREATE TABLE stream_tickets (
    namespace    TEXT    NOT NULL,
    ticket       BLOB    NOT NULL,
    user_id      TEXT    NOT NULL,
    job_id       TEXT,
    first_use_by INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used         INTEGER NOT NULL,
    PRIMARY KEY (namespace, ticket)
) STRICT, WITHOUT ROWID;

CREATE INDEX stream_tickets_expiry ON stream_tickets (namespace, expires_at);

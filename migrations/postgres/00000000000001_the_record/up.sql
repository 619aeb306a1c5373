-- Tables of one or more deployments, each in its namespace. Names, columns and meanings are those of the newest SQLite
-- schema unless a comment says otherwise.
--
-- Identifiers are text in the collation "C": under any other one they do not sort as ULIDs do, and ranges of prefixes
-- can't use the index. Times are milliseconds since 1970 in UTC. JSON is stored as text (`json`), which is smaller and
-- faster to write than `jsonb`; no statement searches inside it.
--
-- Every index costs a commit of new photos 3 to 10 % of its time. There are no foreign keys: each commit writes whole
-- groups of rows or none of them, work can outlive its photo, and the log refers to no other table.

-- The event log. Its order is (xid, position): the id of the transaction that wrote the event, then the order of
-- insertion. Readers see events of transactions before the oldest running one only, so that this order never changes
-- behind them. `xid` is the 64-bit id, which never wraps around.
CREATE TABLE events (
    xid            bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    position       bigint GENERATED ALWAYS AS IDENTITY,
    namespace      text COLLATE "C" NOT NULL,
    event_id       text COLLATE "C" NOT NULL,
    stream_type    text COLLATE "C" NOT NULL,
    stream_id      text COLLATE "C" NOT NULL,
    version        bigint NOT NULL,
    owner          text COLLATE "C" NOT NULL,
    job_id         text COLLATE "C",
    event_type     text COLLATE "C" NOT NULL,
    schema_version integer NOT NULL,
    payload        json NOT NULL,
    metadata       json NOT NULL,
    occurred_at    bigint NOT NULL,
    PRIMARY KEY (namespace, xid, position)
);

CREATE UNIQUE INDEX events_id ON events (namespace, event_id);
-- Ids are unique across types of streams.
CREATE UNIQUE INDEX events_stream ON events (namespace, stream_id, version);
CREATE INDEX events_owner ON events (namespace, owner, xid, position);
CREATE INDEX events_job ON events (namespace, job_id, xid, position) WHERE job_id IS NOT NULL;

CREATE FUNCTION refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only';
END $$;

CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_events();

-- States to which streams fold, as JSON, with the columns used for searching and sorting. Pages keep some space free, so
-- that a changed row stays in its page.
CREATE TABLE photos (
    namespace  text COLLATE "C" NOT NULL,
    photo_id   text COLLATE "C" NOT NULL,
    owner      text COLLATE "C" NOT NULL,
    job_id     text COLLATE "C" NOT NULL,
    upload_id  text COLLATE "C" NOT NULL,
    status     text COLLATE "C" NOT NULL,
    deleted    boolean NOT NULL,
    bytes      bigint NOT NULL,
    taken_at   bigint,
    version    bigint NOT NULL,
    state      json NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (namespace, photo_id)
) WITH (fillfactor = 85);

CREATE UNIQUE INDEX photos_upload ON photos (namespace, owner, upload_id) WHERE NOT deleted;
CREATE INDEX photos_job ON photos (namespace, job_id, photo_id);
-- Photos that are not terminal, by job: a job has ended if it has none here.
CREATE INDEX photos_open ON photos (namespace, job_id)
    WHERE status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING');
CREATE INDEX photos_created ON photos (namespace, owner, created_at, photo_id) WHERE NOT deleted;
-- Two indexes: photos without a date are many while they are uploaded, and cost less in an index without the date.
CREATE INDEX photos_taken ON photos (namespace, owner, taken_at, photo_id)
    WHERE NOT deleted AND taken_at IS NOT NULL;
CREATE INDEX photos_undated ON photos (namespace, owner, photo_id) WHERE NOT deleted AND taken_at IS NULL;
CREATE INDEX photos_bytes ON photos (namespace, owner, bytes, photo_id) WHERE NOT deleted;
CREATE INDEX photos_status ON photos (namespace, owner, status, created_at, photo_id) WHERE NOT deleted;
-- Other orders of photos that ended without success, which few have: an upload that succeeds writes nothing here. Of
-- completed photos the indexes above are read, and of open ones all are read and sorted.
CREATE INDEX photos_unsuccessful_taken ON photos (namespace, owner, status, taken_at, photo_id)
    WHERE NOT deleted AND status IN ('REJECTED', 'FAILED', 'CANCELLED');
CREATE INDEX photos_unsuccessful_bytes ON photos (namespace, owner, status, bytes, photo_id)
    WHERE NOT deleted AND status IN ('REJECTED', 'FAILED', 'CANCELLED');

CREATE TABLE upload_jobs (
    namespace  text COLLATE "C" NOT NULL,
    job_id     text COLLATE "C" NOT NULL,
    owner      text COLLATE "C" NOT NULL,
    version    bigint NOT NULL,
    state      json NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (namespace, job_id)
) WITH (fillfactor = 85);

-- E-mail address and password hash are not part of the state: they are personal data that can be erased.
CREATE TABLE users (
    namespace     text COLLATE "C" NOT NULL,
    user_id       text COLLATE "C" NOT NULL,
    email         text COLLATE "C",
    password_hash text COLLATE "C",
    version       bigint NOT NULL,
    state         json NOT NULL,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    PRIMARY KEY (namespace, user_id)
);

CREATE UNIQUE INDEX users_email ON users (namespace, email);

-- Personal data of photos, erased with the photo. `owner` allows the table to be partitioned by owner later. Metadata
-- follow the filename, so that pages keep space free for them.
CREATE TABLE photo_details (
    namespace text COLLATE "C" NOT NULL,
    photo_id  text COLLATE "C" NOT NULL,
    owner     text COLLATE "C" NOT NULL,
    filename  text COLLATE "C",
    metadata  json,
    hashes    json,
    PRIMARY KEY (namespace, photo_id)
) WITH (fillfactor = 70);

-- Index of photos by tag, for lists. In the order of the key, all photos of one user with one label are adjacent, in the
-- order of their creation. A deleted photo has no rows here.
CREATE TABLE photo_tags (
    namespace  text COLLATE "C" NOT NULL,
    owner      text COLLATE "C" NOT NULL,
    label      text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    photo_id   text COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, owner, label, created_at, photo_id)
);

-- The work queue as a ring of owners. `parked_until` is NULL if the work can be claimed now; otherwise it can be claimed
-- from that time on, because it is due later or its lease ends then. `token` is set while a claim is valid, also after
-- its lease has expired, until the next claim. `claims` counts claims that were not released: work with claims that can
-- be claimed is orphaned.
--
-- Rows change often and live for a short time: vacuum after 2 000 of them, whatever the size of the table, at full speed.
CREATE TABLE photo_work (
    namespace    text COLLATE "C" NOT NULL,
    photo_id     text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    owner        text COLLATE "C" NOT NULL,
    priority     integer NOT NULL,
    due_at       bigint NOT NULL,
    attempts     bigint NOT NULL,
    claims       bigint NOT NULL,
    token        bigint,
    parked_until bigint,
    orphaned     boolean NOT NULL GENERATED ALWAYS AS (claims > 0) STORED,
    PRIMARY KEY (namespace, photo_id, kind)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
);

CREATE INDEX photo_work_ring ON photo_work (namespace, kind, orphaned, priority, owner, due_at, photo_id)
    WHERE parked_until IS NULL;
CREATE INDEX photo_work_parked ON photo_work (namespace, kind, orphaned, parked_until)
    WHERE parked_until IS NOT NULL;
-- Age of each owner's oldest waiting work, also of work that was postponed and keeps its due time.
CREATE INDEX photo_work_waiting ON photo_work (namespace, owner, due_at)
    WHERE kind <> 'clean' AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until));

-- Tokens of claims, of all namespaces. No token is issued twice, whatever is rolled back.
CREATE SEQUENCE work_tokens;

CREATE TABLE idempotency (
    namespace       text COLLATE "C" NOT NULL,
    owner           text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    fingerprint     bytea NOT NULL,
    photos          json NOT NULL,
    job_id          text COLLATE "C",
    expires_at      bigint NOT NULL,
    PRIMARY KEY (namespace, owner, idempotency_key)
);

CREATE INDEX idempotency_expiry ON idempotency (namespace, expires_at);

CREATE TABLE subscriptions (
    namespace       text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,
    cursor_epoch    bigint NOT NULL,
    cursor_position bigint NOT NULL,
    token           bigint NOT NULL,
    lease_until     bigint,
    PRIMARY KEY (namespace, name)
) WITH (fillfactor = 50);

-- Sessions: one row for each login, with the hashes of its current and its previous refresh token. `expires_at` is the
-- expiry of the current token, `ends_at` that of the session, `used_at` the time of the last rotation or of the login.
CREATE TABLE sessions (
    namespace  text COLLATE "C" NOT NULL,
    session_id bytea NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    scopes     text COLLATE "C" NOT NULL,
    token      bytea NOT NULL,
    previous   bytea,
    used_at    bigint NOT NULL,
    expires_at bigint NOT NULL,
    ends_at    bigint NOT NULL,
    PRIMARY KEY (namespace, session_id)
);

CREATE INDEX sessions_token ON sessions (namespace, token);
CREATE INDEX sessions_previous ON sessions (namespace, previous);
CREATE INDEX sessions_user ON sessions (namespace, user_id, used_at);
CREATE INDEX sessions_expiry ON sessions (namespace, expires_at);

CREATE TABLE stream_tickets (
    namespace    text COLLATE "C" NOT NULL,
    ticket       bytea NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    session_id   bytea NOT NULL,
    job_id       text COLLATE "C",
    first_use_by bigint NOT NULL,
    expires_at   bigint NOT NULL,
    used         boolean NOT NULL,
    PRIMARY KEY (namespace, ticket)
);

CREATE INDEX stream_tickets_session ON stream_tickets (namespace, session_id);
CREATE INDEX stream_tickets_user ON stream_tickets (namespace, user_id, expires_at);
CREATE INDEX stream_tickets_expiry ON stream_tickets (namespace, expires_at);

-- Fingerprint of the key that signs a deployment's access tokens. Secrets that don't belong to the database are refused.
CREATE TABLE signing_keys (
    namespace   text COLLATE "C" NOT NULL PRIMARY KEY,
    fingerprint text COLLATE "C" NOT NULL
);

-- Last signs of life of running uploads, beside the log; they extend upload windows. Rows are deleted once the window
-- has passed.
CREATE TABLE upload_activity (
    namespace text COLLATE "C" NOT NULL,
    photo_id  text COLLATE "C" NOT NULL,
    last_seen bigint NOT NULL,
    PRIMARY KEY (namespace, photo_id)
) WITH (fillfactor = 50);

CREATE INDEX upload_activity_seen ON upload_activity (namespace, last_seen);

-- Usage of each user's quotas, kept by triggers, so that no commit can forget it.
--
-- `open_photos` counts photos that have not ended. `stored_bytes` adds up the declared sizes of photos that are neither
-- deleted nor cancelled. `created` counts photos created on `day`, in days since 1970 in UTC.
--
-- A slot does not belong to photos, as in SQLite: a transaction adds to any slot of the user that no other transaction has
-- locked, or to a new one. It changes one row for each user, whatever number of photos it writes, and never waits; a user has
-- as many slots as ever wrote at the same time. Only the sum of a user's slots has a meaning; a single one can be negative.
CREATE TABLE usage_slots (
    namespace    text COLLATE "C" NOT NULL,
    owner        text COLLATE "C" NOT NULL,
    -- Id of the transaction that inserted it.
    slot         bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    open_photos  bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    day          bigint NOT NULL,
    created      bigint NOT NULL,
    PRIMARY KEY (namespace, owner, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION add_usage(of_namespace text, of_owner text, more_open bigint, more_bytes bigint, on_day bigint,
                          more_created bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    free_slot bigint;
BEGIN
    SELECT slot INTO free_slot FROM usage_slots
    WHERE namespace = of_namespace AND owner = of_owner LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE usage_slots SET
            open_photos = open_photos + more_open,
            stored_bytes = stored_bytes + more_bytes,
            created = CASE WHEN on_day = day THEN created + more_created WHEN on_day > day THEN more_created ELSE created END,
            day = greatest(day, on_day)
        WHERE namespace = of_namespace AND owner = of_owner AND slot = free_slot;
    ELSE
        INSERT INTO usage_slots (namespace, owner, open_photos, stored_bytes, day, created)
        VALUES (of_namespace, of_owner, more_open, more_bytes, on_day, more_created);
    END IF;
END $$;

CREATE FUNCTION count_new_photos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_usage(
        namespace, owner,
        count(*) FILTER (WHERE status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')),
        coalesce(sum(bytes) FILTER (WHERE NOT deleted AND status <> 'CANCELLED'), 0)::bigint,
        -- A statement inserts photos of one commit, which have the same time.
        max(created_at) / 86400000, count(*))
    FROM new_photos
    GROUP BY namespace, owner;
    RETURN NULL;
END $$;

CREATE TRIGGER usage_of_new_photos AFTER INSERT ON photos
REFERENCING NEW TABLE AS new_photos
FOR EACH STATEMENT EXECUTE FUNCTION count_new_photos();

CREATE FUNCTION count_changed_photos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_usage(namespace, owner, more_open, more_bytes, 0, 0)
    FROM (
        SELECT namespace, owner,
               coalesce(sum(sign) FILTER (WHERE status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')), 0)
                   ::bigint AS more_open,
               coalesce(sum(sign * bytes) FILTER (WHERE NOT deleted AND status <> 'CANCELLED'), 0)::bigint AS more_bytes
        FROM (
            SELECT 1 AS sign, namespace, owner, status, deleted, bytes FROM new_photos
            UNION ALL
            SELECT -1 AS sign, namespace, owner, status, deleted, bytes FROM old_photos
        ) AS rows
        GROUP BY namespace, owner
    ) AS changes
    WHERE more_open <> 0 OR more_bytes <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER usage_of_changed_photos AFTER UPDATE ON photos
REFERENCING OLD TABLE AS old_photos NEW TABLE AS new_photos
FOR EACH STATEMENT EXECUTE FUNCTION count_changed_photos();

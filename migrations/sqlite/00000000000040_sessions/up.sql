-- Sessions: one row for each login, with the hashes of its current and its previous refresh token. `expires_at` is the
-- expiry of the current token, `ends_at` that of the session, `used_at` the time of the last rotation or of the login.
CREATE TABLE sessions (
    namespace  TEXT    NOT NULL,
    session_id BLOB    NOT NULL,
    user_id    TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    token      BLOB    NOT NULL,
    previous   BLOB,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    PRIMARY KEY (namespace, session_id)
) STRICT, WITHOUT ROWID;

-- The last token of each family that is not revoked, and the one before it. The session's id is the first half of the
-- family's hash. The lifetime of a session of unknown age, 180 days, counts from the issue of its token, whose lifetime
-- was 30 days unless configured otherwise.
INSERT INTO sessions (namespace, session_id, user_id, scopes, token, previous, used_at, expires_at, ends_at)
SELECT
    last.namespace,
    substr(last.family, 1, 16),
    last.user_id,
    last.scopes,
    last.token,
    before.token,
    coalesce(before.rotated_at, last.expires_at - 2592000000),
    last.expires_at,
    last.expires_at + 12960000000
FROM refresh_tokens AS last
LEFT JOIN refresh_tokens AS before
    ON before.namespace = last.namespace AND before.family = last.family AND before.successor = last.token
WHERE last.successor IS NULL AND NOT last.revoked;

DROP TABLE refresh_tokens;

CREATE INDEX sessions_token ON sessions (namespace, token);
CREATE INDEX sessions_previous ON sessions (namespace, previous);
CREATE INDEX sessions_user ON sessions (namespace, user_id, used_at);
CREATE INDEX sessions_expiry ON sessions (namespace, expires_at);

-- Tickets end with their session. Which session a stored ticket belongs to is unknown; they are valid for a day at most,
-- and a client that is refused gets a new one.
DROP TABLE stream_tickets;

CREATE TABLE stream_tickets (
    namespace    TEXT    NOT NULL,
    ticket       BLOB    NOT NULL,
    user_id      TEXT    NOT NULL,
    session_id   BLOB    NOT NULL,
    job_id       TEXT,
    first_use_by INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used         INTEGER NOT NULL,
    PRIMARY KEY (namespace, ticket)
) STRICT, WITHOUT ROWID;

CREATE INDEX stream_tickets_session ON stream_tickets (namespace, session_id);
CREATE INDEX stream_tickets_user ON stream_tickets (namespace, user_id, expires_at);
CREATE INDEX stream_tickets_expiry ON stream_tickets (namespace, expires_at);

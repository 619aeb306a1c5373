-- The work queue as a ring of owners: a claim reads a few rows, however many users have work and however much is due.
--
-- `parked_until` is NULL if the work can be claimed now. Otherwise it can be claimed from that time on, because it is due
-- later or its lease ends then. `token` is set while a claim is valid, also after its lease has expired, until the next
-- claim. `claims` counts claims that were not released: work with claims that can be claimed is orphaned.
CREATE TABLE photo_work_new (
    namespace    TEXT    NOT NULL,
    photo_id     TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    owner        TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    claims       INTEGER NOT NULL,
    token        INTEGER,
    parked_until INTEGER,
    orphaned     INTEGER NOT NULL GENERATED ALWAYS AS (claims > 0) VIRTUAL
) STRICT;

-- Parked until it is due: the first claims make it claimable. Before this version a failed attempt kept its claim count,
-- though its worker had not crashed.
INSERT INTO photo_work_new
    (namespace, photo_id, kind, owner, priority, due_at, attempts, claims, token, parked_until)
SELECT namespace, photo_id, kind, owner, priority, due_at, attempts,
       CASE WHEN token IS NULL THEN 0 ELSE claims END, token, ready_at
FROM photo_work;

DROP TABLE photo_work;
ALTER TABLE photo_work_new RENAME TO photo_work;

CREATE UNIQUE INDEX photo_work_id ON photo_work (namespace, photo_id, kind);
CREATE INDEX photo_work_ring ON photo_work (namespace, kind, orphaned, priority, owner, due_at, photo_id)
    WHERE parked_until IS NULL;
CREATE INDEX photo_work_parked ON photo_work (namespace, kind, orphaned, parked_until)
    WHERE parked_until IS NOT NULL;

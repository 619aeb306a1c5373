-- Usage of each user's quotas, in eight rows a user, so that concurrent commits rarely change the same one. Triggers keep it, so
-- that no commit can forget it.
--
-- `open_photos` counts photos that have not ended. `stored_bytes` adds up the declared sizes of photos that are neither
-- deleted nor cancelled. `created` counts photos created on `day`, in days since 1970 in UTC.
CREATE TABLE usage_slots (
    namespace    TEXT    NOT NULL,
    owner        TEXT    NOT NULL,
    slot         INTEGER NOT NULL,
    open_photos  INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    PRIMARY KEY (namespace, owner, slot)
) STRICT, WITHOUT ROWID;

-- The last character of an identifier is random.
INSERT INTO usage_slots (namespace, owner, slot, open_photos, stored_bytes, day, created)
SELECT namespace, owner, unicode(substr(photo_id, -1)) % 8,
       sum(status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')),
       sum(CASE WHEN deleted OR status = 'CANCELLED' THEN 0 ELSE bytes END),
       max(created_at) / 86400000, 0
FROM photos
GROUP BY namespace, owner, unicode(substr(photo_id, -1)) % 8;

UPDATE usage_slots SET created = (
    SELECT count(*) FROM photos
    WHERE photos.namespace = usage_slots.namespace AND photos.owner = usage_slots.owner
      AND unicode(substr(photos.photo_id, -1)) % 8 = usage_slots.slot
      AND photos.created_at / 86400000 = usage_slots.day
);

CREATE TRIGGER usage_of_new_photos AFTER INSERT ON photos
BEGIN
    INSERT INTO usage_slots (namespace, owner, slot, open_photos, stored_bytes, day, created)
    VALUES (
        NEW.namespace, NEW.owner, unicode(substr(NEW.photo_id, -1)) % 8,
        NEW.status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING'),
        CASE WHEN NEW.deleted OR NEW.status = 'CANCELLED' THEN 0 ELSE NEW.bytes END,
        NEW.created_at / 86400000, 1
    )
    ON CONFLICT (namespace, owner, slot) DO UPDATE SET
        open_photos = open_photos + excluded.open_photos,
        stored_bytes = stored_bytes + excluded.stored_bytes,
        created = CASE WHEN excluded.day = day THEN created + 1 WHEN excluded.day > day THEN 1 ELSE created END,
        day = max(day, excluded.day);
END;

CREATE TRIGGER usage_of_changed_photos AFTER UPDATE OF status, deleted ON photos
WHEN OLD.status <> NEW.status OR OLD.deleted <> NEW.deleted
BEGIN
    UPDATE usage_slots SET
        open_photos = open_photos
            - (OLD.status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING'))
            + (NEW.status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')),
        stored_bytes = stored_bytes
            - CASE WHEN OLD.deleted OR OLD.status = 'CANCELLED' THEN 0 ELSE OLD.bytes END
            + CASE WHEN NEW.deleted OR NEW.status = 'CANCELLED' THEN 0 ELSE NEW.bytes END
    WHERE namespace = NEW.namespace AND owner = NEW.owner AND slot = unicode(substr(NEW.photo_id, -1)) % 8;
END;

-- Age of the oldest waiting work.
CREATE INDEX photo_work_oldest ON photo_work (namespace, kind, due_at) WHERE parked_until IS NULL;

-- Age of the oldest waiting work, also of work that was postponed and keeps its due time.
DROP INDEX photo_work_oldest;
CREATE INDEX photo_work_oldest ON photo_work (namespace, kind, due_at)
    WHERE parked_until IS NULL OR (token IS NULL AND due_at < parked_until);

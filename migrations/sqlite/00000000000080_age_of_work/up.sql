-- Age of the oldest waiting work, also of work that was handed back and waits for its next attempt.
DROP INDEX photo_work_oldest;
CREATE INDEX photo_work_oldest ON photo_work (namespace, kind, due_at) WHERE token IS NULL OR parked_until IS NULL;

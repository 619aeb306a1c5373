-- Age of each owner's oldest waiting work, also of work that was postponed and keeps its due time. Queries repeat the conditions literally.
DROP INDEX photo_work_oldest;
CREATE INDEX photo_work_waiting ON photo_work (namespace, owner, due_at)
    WHERE kind <> 'clean' AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until));

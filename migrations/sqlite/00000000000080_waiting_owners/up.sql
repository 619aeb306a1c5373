-- Age of each owner's oldest waiting work. Queries repeat the conditions literally.
DROP INDEX photo_work_oldest;
CREATE INDEX photo_work_waiting ON photo_work (namespace, owner, due_at)
    WHERE parked_until IS NULL AND kind <> 'clean';

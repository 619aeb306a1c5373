-- Photos that are not terminal, by job: a job has ended if it has none here.
CREATE INDEX photos_open ON photos (namespace, job_id)
    WHERE status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING');

-- Photos count their retries, and the outcome of a job includes their sum at its completion. Positions are the order of
-- commits in this database, so that the retries before the completion's event are exactly those that it has seen.
CREATE TEMPORARY TABLE retries AS
SELECT namespace, stream_id AS photo_id, job_id, position FROM events
WHERE stream_type = 'photo' AND event_type = 'PhotoRetried';
CREATE INDEX temp.retries_photo ON retries (namespace, photo_id);
CREATE INDEX temp.retries_job ON retries (namespace, job_id, position);

UPDATE photos SET state = json_set(state, '$.retries', (
    SELECT count(*) FROM retries WHERE retries.namespace = photos.namespace AND retries.photo_id = photos.photo_id))
WHERE (namespace, photo_id) IN (SELECT namespace, photo_id FROM retries);

UPDATE upload_jobs SET state = json_set(state, '$.outcome.retries', (
    SELECT count(*) FROM retries
    WHERE retries.namespace = upload_jobs.namespace AND retries.job_id = upload_jobs.job_id
      AND retries.position < (
        SELECT max(position) FROM events
        WHERE events.namespace = upload_jobs.namespace AND events.stream_type = 'job'
          AND events.stream_id = upload_jobs.job_id AND events.event_type = 'UploadJobCompleted')))
WHERE json_type(state, '$.outcome') = 'object';

DROP TABLE retries;

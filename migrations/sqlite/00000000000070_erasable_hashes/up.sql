-- Hashes of a photo's content (SHA-256, perceptual hash) become details, which are erased with the photo. Earlier versions
-- stored them in the log and in the states, with entity tags, which most stores derive from the content.
ALTER TABLE photo_details ADD COLUMN hashes TEXT;

-- Details of deleted photos are erased already, so that these have no row. JSON's null is read as "none".
UPDATE photo_details SET hashes = (
    SELECT json_object(
        'declared', state ->> '$.declared.checksum',
        'measured', state ->> '$.state.result.checksum',
        'perceptual', state ->> '$.state.result.perceptualHash')
    FROM photos
    WHERE photos.namespace = photo_details.namespace AND photos.photo_id = photo_details.photo_id AND NOT photos.deleted
);

UPDATE photos SET state = json_remove(state,
    '$.declared.checksum', '$.state.object.eTag', '$.state.result.object.eTag',
    '$.state.result.checksum', '$.state.result.perceptualHash');

-- Findings of wrong checksums, of which a photo has at most one, lose both checksums.
UPDATE photos SET state = (
    SELECT json_remove(state, finding.fullkey || '.measured', finding.fullkey || '.allowed')
    FROM json_each(state, '$.state.reasons') AS finding WHERE finding.value ->> '$.check' = 'checksum_mismatch')
WHERE EXISTS (
    SELECT 1 FROM json_each(state, '$.state.reasons') AS finding WHERE finding.value ->> '$.check' = 'checksum_mismatch');

UPDATE photos SET state = (
    SELECT json_remove(state, finding.fullkey || '.measured', finding.fullkey || '.allowed')
    FROM json_each(state, '$.state.result.warnings') AS finding WHERE finding.value ->> '$.check' = 'checksum_mismatch')
WHERE EXISTS (
    SELECT 1 FROM json_each(state, '$.state.result.warnings') AS finding
    WHERE finding.value ->> '$.check' = 'checksum_mismatch');

-- The only change of stored events: their payloads become those of schema version 2. Identity, order, time and outcome stay.
DROP TRIGGER events_are_never_changed;

UPDATE events SET schema_version = 2, payload = json_remove(payload,
    '$.declared.checksum', '$.object.eTag', '$.result.object.eTag', '$.result.checksum', '$.result.perceptualHash')
WHERE event_type IN ('PhotoQueued', 'PhotoProcessingStarted', 'PhotoProcessingCompleted', 'PhotoRejected');

UPDATE events SET payload = (
    SELECT json_remove(payload, finding.fullkey || '.measured', finding.fullkey || '.allowed')
    FROM json_each(payload, '$.reasons') AS finding WHERE finding.value ->> '$.check' = 'checksum_mismatch')
WHERE event_type = 'PhotoRejected' AND EXISTS (
    SELECT 1 FROM json_each(payload, '$.reasons') AS finding WHERE finding.value ->> '$.check' = 'checksum_mismatch');

UPDATE events SET payload = (
    SELECT json_remove(payload, finding.fullkey || '.measured', finding.fullkey || '.allowed')
    FROM json_each(payload, '$.result.warnings') AS finding WHERE finding.value ->> '$.check' = 'checksum_mismatch')
WHERE event_type = 'PhotoProcessingCompleted' AND EXISTS (
    SELECT 1 FROM json_each(payload, '$.result.warnings') AS finding
    WHERE finding.value ->> '$.check' = 'checksum_mismatch');

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

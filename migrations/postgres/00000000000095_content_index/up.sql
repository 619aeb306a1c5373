-- Photos by the SHA-256 of their content, to find a file that a user has already. The entry is erased with the details.
-- Not concurrently: that waits for the processes that wait for this migration's lock.
CREATE INDEX photo_details_content ON photo_details (namespace, owner, (hashes ->> 'measured'))
    WHERE hashes ->> 'measured' IS NOT NULL;

-- Photos by the SHA-256 of their content, to find a file that a user has already. The entry is erased with the details.
CREATE INDEX photo_details_content ON photo_details (namespace, hashes ->> '$.measured');

-- Fingerprint of the key that signs a deployment's access tokens. Secrets that don't belong to the database are refused.
CREATE TABLE signing_keys (
    namespace   TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL
) STRICT, WITHOUT ROWID;

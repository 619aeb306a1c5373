-- Words of photos, for searches: those of the filename, of the camera and of the tags, each in the form in which words are
-- compared. The commit that changes a source updates this table, too; a word that two sources have is stored for each. A
-- deleted photo has no rows here. The program adds the words of photos that are already stored, in the transaction of this
-- migration: SQL can't fold letters as it does.
--
-- By the key, the words of one photo are found; by the index, the photos of one user by the beginning of a word.
CREATE TABLE photo_words (
    namespace TEXT NOT NULL,
    photo_id  TEXT NOT NULL,
    word      TEXT NOT NULL,
    -- 'filename', 'camera' or 'tag'.
    source    TEXT NOT NULL,
    owner     TEXT NOT NULL,
    PRIMARY KEY (namespace, photo_id, word, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX photo_words_owner ON photo_words (namespace, owner, word, photo_id);

-- Other orders of photos that ended without success, which few have: an upload that succeeds writes nothing here. Of
-- completed photos the indexes of all photos are read, and of open ones all are read and sorted. Not `IN`: SQLite would not
-- use the index for one of the statuses.
CREATE INDEX photos_unsuccessful_taken ON photos (namespace, owner, status, taken_at, photo_id)
    WHERE NOT deleted AND (status = 'REJECTED' OR status = 'FAILED' OR status = 'CANCELLED');
CREATE INDEX photos_unsuccessful_bytes ON photos (namespace, owner, status, bytes, photo_id)
    WHERE NOT deleted AND (status = 'REJECTED' OR status = 'FAILED' OR status = 'CANCELLED');

-- Jobs of one user, for lists.
CREATE INDEX upload_jobs_owner ON upload_jobs (namespace, owner, created_at, job_id);

-- Words of photos, for searches: those of the filename, of the camera and of the tags, each in the form in which words are
-- compared. The commit that changes a source updates this table, too; a word that two sources have is stored for each. A
-- deleted photo has no rows here. The program adds the words of photos that are already stored, in the transaction of this
-- migration: SQL can't fold letters as it does.
--
-- By the key, the words of one photo are found; by the index, the photos of one user by the beginning of a word.
CREATE TABLE photo_words (
    namespace text COLLATE "C" NOT NULL,
    photo_id  text COLLATE "C" NOT NULL,
    word      text COLLATE "C" NOT NULL,
    -- 'filename', 'camera' or 'tag'.
    source    text COLLATE "C" NOT NULL,
    owner     text COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, photo_id, word, source)
);

CREATE INDEX photo_words_owner ON photo_words (namespace, owner, word, photo_id);

-- Jobs of one user, for lists.
CREATE INDEX upload_jobs_owner ON upload_jobs (namespace, owner, created_at, job_id);

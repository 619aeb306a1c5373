DROP INDEX upload_jobs_owner;
DROP TABLE photo_words;

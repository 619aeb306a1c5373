-- Index of photos by tag, for lists. The tags themselves are part of the photo's state, and the commit that changes them
-- updates this table, too. A deleted photo has no rows here.
--
-- In the order of the key, all photos of one user with one label are adjacent.
CREATE TABLE photo_tags (
    namespace TEXT NOT NULL,
    owner     TEXT NOT NULL,
    label     TEXT NOT NULL,
    photo_id  TEXT NOT NULL,
    PRIMARY KEY (namespace, owner, label, photo_id)
) STRICT, WITHOUT ROWID;

INSERT INTO photo_tags (namespace, owner, label, photo_id)
SELECT photos.namespace, photos.owner, tags.value, photos.photo_id
FROM photos, json_each(photos.state, '$.tags') AS tags
WHERE NOT photos.deleted;

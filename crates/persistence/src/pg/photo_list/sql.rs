//! Texts of the statements. Names in braces are replaced.

use super::super::photo_views::photo_view_columns;

/// A bound limit is planned as a tenth of all rows, for which sorting would seem cheaper than following an index.
/// Therefore the constant one is planned for, and the bound one ends the scan.
pub(super) const PAGE: &str = concat!(
    "SELECT ",
    photo_view_columns!(),
    " FROM {page} AS p
     LEFT JOIN LATERAL (
         SELECT d.* FROM photo_details AS d WHERE d.namespace = $1 AND d.photo_id = p.photo_id OFFSET 0
     ) AS d ON true
     ORDER BY {order} LIMIT $3"
);

/// Positions of photos, for pages that are found by their number.
pub(super) const POSITIONS: &str = "SELECT p.{column}, p.photo_id FROM {page} AS p ORDER BY {order} LIMIT $3";

pub(super) const PHOTOS_OF_PAGE: &str = "(
         SELECT p.photo_id, p.version, p.state, p.created_at, p.updated_at, p.taken_at, p.bytes
         FROM {photos} AS p
         WHERE p.namespace = $1 AND p.owner = $2 AND NOT p.deleted {filter}
         ORDER BY {order} LIMIT {limit}
     )";

/// Photos with a tag: each by its key, in the order of the index of tags.
pub(super) const TAGGED: &str = "(
         SELECT t.photo_id, t.created_at, f.namespace, f.owner, f.status, f.deleted, f.bytes, f.taken_at, f.version,
                f.state, f.updated_at
         FROM photo_tags AS t CROSS JOIN LATERAL (
             SELECT * FROM photos WHERE namespace = $1 AND photo_id = t.photo_id OFFSET 0
         ) AS f
         WHERE t.namespace = $1 AND t.owner = $2 AND t.label = {label}
     )";

/// Condition for photos with a tag, by one search of the index of tags for each photo.
pub(super) const HAS_TAG: &str = " AND (
         SELECT true FROM photo_tags AS t
         WHERE t.namespace = $1 AND t.owner = $2 AND t.label = {label} AND t.created_at = p.created_at
           AND t.photo_id = p.photo_id
         LIMIT 1
     )";

/// Photos with words that begin with one: each by its key, in no order. A photo may have several such words.
pub(super) const FOUND: &str = "(
         SELECT f.* FROM (
             SELECT DISTINCT photo_id FROM photo_words
             WHERE namespace = $1 AND owner = $2 AND word >= {from} AND word < {end} OFFSET 0
         ) AS w CROSS JOIN LATERAL (
             SELECT * FROM photos WHERE namespace = $1 AND photo_id = w.photo_id OFFSET 0
         ) AS f
     )";

/// Condition for photos with a word that begins with one, by one search of the words of each photo.
pub(super) const HAS_WORD: &str = " AND (
         SELECT true FROM photo_words AS w
         WHERE w.namespace = $1 AND w.photo_id = p.photo_id AND w.word >= {from} AND w.word < {end}
         LIMIT 1
     )";

/// Photos that were taken in a range of time, in the order of the index.
pub(super) const TAKEN: &str = "(
         SELECT * FROM photos
         WHERE namespace = $1 AND owner = $2 AND NOT deleted AND taken_at IS NOT NULL {range}
         ORDER BY taken_at, photo_id OFFSET 0
     )";

/// Number of photos of a filter, at most one more than are read and sorted, in the order of the index.
pub(super) const COUNT: &str = "(SELECT {place}::bigint AS place, count(*) AS photos FROM (
         SELECT 1 FROM {found} AND namespace = $1 AND owner = $2 ORDER BY {order} LIMIT {limit}
     ) AS counted)";

/// Photos with a status that few have at any time, by the index of statuses.
pub(super) const OPEN: &str = "(
         SELECT * FROM photos
         WHERE namespace = $1 AND owner = $2 AND NOT deleted AND status = {status} OFFSET 0
     )";

//! Pages of a user's photos with one tag.

use diesel::{
    QueryResult, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use rapidphoto_application::ports::{PhotoListQuery, PhotoSort, SortDirection};
use rapidphoto_domain::{photo::PhotoStatus, values::TagLabel};

use crate::{number::limit, rows::PhotoViewRow};

/// Selects the photos of the tag by the index of tags, then sorts them: a page costs as much as the tag has photos,
/// however many others the user has. CROSS JOIN makes SQLite begin with the tags; of its own accord, it prefers an index
/// that has the order of the list, and reads all of the user's photos.
///
/// Parameters: namespace, owner, label, status or NULL, limit, sort value and photo id of the last photo of the previous
/// page (NULL for the first page).
const PHOTOS_OF_TAG: &str = "
    SELECT photos.version, photos.state, photos.created_at, photos.updated_at,
           photo_details.filename, photo_details.metadata, photo_details.hashes
    FROM photo_tags
    CROSS JOIN photos ON photos.namespace = photo_tags.namespace AND photos.photo_id = photo_tags.photo_id
    LEFT JOIN photo_details ON photo_details.namespace = photos.namespace
                           AND photo_details.photo_id = photos.photo_id
    WHERE photo_tags.namespace = ?1 AND photo_tags.owner = ?2 AND photo_tags.label = ?3
      AND NOT photos.deleted
      AND (?4 IS NULL OR photos.status = ?4)
      AND (?7 IS NULL
           OR {column} {beyond} ?6
           OR ({column} IS ?6 AND photos.photo_id {beyond} ?7)
           OR ({column} IS NULL AND ?6 IS NOT NULL))
    ORDER BY {column} {direction} NULLS LAST, photos.photo_id {direction}
    LIMIT ?5";

/// Up to `max_rows` photos of the owner with the tag, as the query sorts and filters them.
pub(super) fn rows(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: &str,
    (tag, query): (&TagLabel, &PhotoListQuery),
    max_rows: usize,
) -> QueryResult<Vec<PhotoViewRow>> {
    let column = match query.sort {
        PhotoSort::CreatedAt => "photos.created_at",
        PhotoSort::TakenAt => "photos.taken_at",
        PhotoSort::Bytes => "photos.bytes",
    };
    let (direction, beyond) = match query.direction {
        SortDirection::Ascending => ("ASC", ">"),
        SortDirection::Descending => ("DESC", "<"),
    };
    let sql = PHOTOS_OF_TAG
        .replace("{column}", column)
        .replace("{beyond}", beyond)
        .replace("{direction}", direction);
    let after = query.after.as_ref();
    sql_query(sql)
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(owner)
        .bind::<Text, _>(tag.as_str())
        .bind::<Nullable<Text>, _>(query.status.map(PhotoStatus::as_str))
        .bind::<BigInt, _>(limit(max_rows))
        .bind::<Nullable<BigInt>, _>(after.and_then(|after| after.value))
        .bind::<Nullable<Text>, _>(after.map(|after| after.photo.to_string()))
        .load(connection)
}

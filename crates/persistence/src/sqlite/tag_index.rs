//! Comparison of the index of photos by tag with the state rows.

use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query, sql_types::Text};
use rapidphoto_application::ports::TagMismatch;

use crate::{error::StoreError, rows::tag_mismatch};

/// Both directions in one statement, and therefore of one snapshot. The key of `photo_tags` finds the entry of a label;
/// `photos_id` finds the photo of an entry.
const MISMATCHES: &str = "
    SELECT photos.photo_id, tags.value AS label, 'missing' AS fault
    FROM photos, json_each(photos.state, '$.tags') AS tags
    WHERE photos.namespace = ?1 AND NOT photos.deleted
      AND NOT EXISTS (SELECT 1 FROM photo_tags
                      WHERE photo_tags.namespace = ?1 AND photo_tags.owner = photos.owner
                        AND photo_tags.label = tags.value AND photo_tags.photo_id = photos.photo_id)
    UNION ALL
    SELECT photo_tags.photo_id, photo_tags.label, 'unexpected' AS fault
    FROM photo_tags
    WHERE photo_tags.namespace = ?1
      AND NOT EXISTS (SELECT 1 FROM photos, json_each(photos.state, '$.tags') AS tags
                      WHERE photos.namespace = ?1 AND photos.photo_id = photo_tags.photo_id
                        AND photos.owner = photo_tags.owner AND NOT photos.deleted
                        AND tags.value = photo_tags.label)";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    photo_id: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    fault: String,
}

pub(super) fn mismatches(
    connection: &mut SqliteConnection,
    namespace: &str,
) -> Result<Vec<TagMismatch>, StoreError> {
    let rows = sql_query(MISMATCHES)
        .bind::<Text, _>(namespace)
        .load::<Row>(connection)?;
    rows.into_iter()
        .map(|row| tag_mismatch(&row.photo_id, row.label, row.fault == "missing"))
        .collect()
}

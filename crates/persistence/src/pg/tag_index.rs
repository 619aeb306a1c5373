//! Comparison of the index of photos by tag with the state rows.

use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::TagMismatch;

use super::statement::statement;
use crate::{error::StoreError, rows::tag_mismatch};

statement! {
    /// Photo, label, and whether the index lacks the entry or has it in excess. Both in one statement, and therefore of one
    /// snapshot.
    struct Mismatches<'a> {
        namespace: &'a str => Text,
    } -> (Text, Text, Bool)
    = "WITH tagged AS MATERIALIZED (
           SELECT p.owner, p.created_at, p.photo_id, tags.label COLLATE \"C\" AS label
           FROM photos AS p CROSS JOIN LATERAL json_array_elements_text(p.state -> 'tags') AS tags (label)
           WHERE p.namespace = $1 AND NOT p.deleted
       )
       SELECT coalesce(tagged.photo_id, known.photo_id), coalesce(tagged.label, known.label), known.photo_id IS NULL
       FROM tagged
       FULL JOIN (SELECT * FROM photo_tags WHERE namespace = $1) AS known
         ON known.owner = tagged.owner AND known.label = tagged.label
        AND known.created_at = tagged.created_at AND known.photo_id = tagged.photo_id
       WHERE tagged.photo_id IS NULL OR known.photo_id IS NULL"
}

pub(super) async fn mismatches(
    mut connection: &AsyncPgConnection,
    namespace: &str,
) -> Result<Vec<TagMismatch>, StoreError> {
    let rows: Vec<(String, String, bool)> = Mismatches { namespace }.load(&mut connection).await?;
    rows.into_iter()
        .map(|(photo, label, missing)| tag_mismatch(&photo, label, missing))
        .collect()
}

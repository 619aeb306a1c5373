use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use rapidphoto_application::ports::TagCount;
use rapidphoto_domain::{UserId, values::TagLabel};

use crate::{
    error::StoreError,
    number::{count, limit},
    rows::parsed,
};

/// A range of the key of `photo_tags`, which is in the order of the list.
const TAGS: &str = "
    SELECT label, count(*) AS photos FROM photo_tags
    WHERE namespace = ?1 AND owner = ?2 AND label > ?3
    GROUP BY label ORDER BY label LIMIT ?4";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = BigInt)]
    photos: i64,
}

pub(super) fn tags(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: UserId,
    after: Option<&TagLabel>,
    size: usize,
) -> Result<Vec<TagCount>, StoreError> {
    let rows: Vec<Row> = sql_query(TAGS)
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(owner.to_string())
        // Labels are not empty.
        .bind::<Text, _>(after.map_or("", TagLabel::as_str))
        .bind::<BigInt, _>(limit(size))
        .load(connection)?;
    rows.into_iter()
        .map(|row| {
            Ok(TagCount {
                label: parsed("label", &row.label)?,
                photos: count(row.photos),
            })
        })
        .collect()
}

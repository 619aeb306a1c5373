use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::TagCount;
use rapidphoto_domain::{UserId, values::TagLabel};

use super::assembled::{Assembled, Value};
use crate::{
    error::StoreError,
    number::{count, limit},
    rows::parsed,
};

/// A range of the key of `photo_tags`, which is in the order of the list. The constant limit is planned for, and the bound
/// one ends the scan, as for photos: with the bound one alone, a hash of all the user's tags can seem cheaper.
const TAGS: &str = "
    SELECT label, photos FROM (
        SELECT label, count(*) AS photos FROM (
            SELECT label FROM photo_tags WHERE namespace = $1 AND owner = $2 AND label > $3
            ORDER BY label, created_at, photo_id OFFSET 0
        ) AS tags
        GROUP BY label ORDER BY label LIMIT {planned}
    ) AS counted
    ORDER BY label LIMIT $4";

/// Number of labels that pages are planned for, so that there are few statements.
const PLANNED: usize = 256;

pub(super) async fn tags(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    owner: UserId,
    after: Option<&TagLabel>,
    size: usize,
) -> Result<Vec<TagCount>, StoreError> {
    let values = vec![
        Value::Text(namespace),
        Value::OwnedText(owner.to_string()),
        // Labels are not empty.
        Value::Text(after.map_or("", TagLabel::as_str)),
        Value::Number(limit(size)),
    ];
    let text = TAGS.replace("{planned}", &size.max(PLANNED).to_string());
    let rows: Vec<(String, i64)> = Assembled::<(Text, BigInt)>::new(text, values)
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(label, photos)| {
            Ok(TagCount {
                label: parsed("label", &label)?,
                photos: count(photos),
            })
        })
        .collect()
}

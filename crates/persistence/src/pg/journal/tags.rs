use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::AsyncPgConnection;
use futures::try_join;

use super::{failure::Failure, scope::Scope};
use crate::{
    commit::TagChanges,
    pg::{pipeline::execute, statement::statement},
};

statement! {
    struct RemoveTags<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        labels: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "DELETE FROM photo_tags AS tags
       USING unnest($2, $3) AS removed (photo_id, label), photos
       WHERE photos.namespace = $1 AND photos.photo_id = removed.photo_id
         AND tags.namespace = $1 AND tags.owner = photos.owner AND tags.label = removed.label
         AND tags.created_at = photos.created_at AND tags.photo_id = photos.photo_id"
}

statement! {
    /// An entry exists already if the same commit removes a label and adds it again.
    struct AddTags<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        labels: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "INSERT INTO photo_tags (namespace, owner, label, created_at, photo_id)
       SELECT $1, photos.owner, added.label, photos.created_at, photos.photo_id
       FROM unnest($2, $3) AS added (photo_id, label)
       JOIN photos ON photos.namespace = $1 AND photos.photo_id = added.photo_id
       ON CONFLICT DO NOTHING"
}

/// Writes the changes of the index of photos by tag, after the state rows.
pub(super) async fn write(
    connection: &AsyncPgConnection,
    scope: &Scope,
    changes: &TagChanges,
) -> Result<(), Failure> {
    let namespace = scope.namespace.as_str();
    let remove = (!changes.removed.is_empty()).then(|| RemoveTags {
        namespace,
        photos: changes.removed.iter().map(|row| row.photo_id.as_str()).collect(),
        labels: changes.removed.iter().map(|row| row.label.as_str()).collect(),
    });
    let add = (!changes.added.is_empty()).then(|| AddTags {
        namespace,
        photos: changes.added.iter().map(|row| row.photo_id.as_str()).collect(),
        labels: changes.added.iter().map(|row| row.label.as_str()).collect(),
    });
    try_join!(execute(connection, remove), execute(connection, add))?;
    Ok(())
}

use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection, sql_query, sql_types::Text};
use serde_json::{Value, json};

use crate::{
    commit::{Word, WordChanges},
    error::StoreError,
};

const CLEAR: &str = "
    DELETE FROM photo_words
    WHERE namespace = ?1 AND photo_id IN (SELECT changed.value ->> 0 FROM json_each(?2) AS changed)
      AND (photo_id, source) IN (SELECT changed.value ->> 0, changed.value ->> 1 FROM json_each(?2) AS changed)";

const REMOVE: &str = "
    DELETE FROM photo_words
    WHERE namespace = ?1 AND photo_id IN (SELECT changed.value ->> 0 FROM json_each(?2) AS changed)
      AND (photo_id, source, word) IN (
          SELECT changed.value ->> 0, changed.value ->> 1, changed.value ->> 2 FROM json_each(?2) AS changed)";

/// A word exists already if the same commit adds it for another label.
const ADD: &str = "
    INSERT OR IGNORE INTO photo_words (namespace, photo_id, word, source, owner)
    SELECT photos.namespace, photos.photo_id, changed.value ->> 2, changed.value ->> 1, photos.owner
    FROM json_each(?2) AS changed
    CROSS JOIN photos ON photos.namespace = ?1 AND photos.photo_id = changed.value ->> 0
    WHERE NOT photos.deleted";

/// Writes the changes of the index of photos by word, after the state rows, by one statement for each kind of change.
pub(super) fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    changes: &WordChanges,
) -> Result<(), StoreError> {
    let cleared = changes.cleared.iter();
    let cleared = cleared.map(|(photo, source)| json!([photo, source.as_str()]));
    execute(connection, namespace, CLEAR, cleared.collect())?;
    execute(
        connection,
        namespace,
        REMOVE,
        changes.removed.iter().map(encoded).collect(),
    )?;
    add(connection, namespace, &changes.added)?;
    Ok(())
}

/// Adds words of existing photos that are not deleted.
pub(in crate::sqlite) fn add(
    connection: &mut SqliteConnection,
    namespace: &str,
    words: &[Word],
) -> QueryResult<()> {
    execute(connection, namespace, ADD, words.iter().map(encoded).collect())
}

fn encoded(word: &Word) -> Value {
    json!([word.photo, word.source.as_str(), word.text])
}

fn execute(
    connection: &mut SqliteConnection,
    namespace: &str,
    statement: &str,
    rows: Vec<Value>,
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(statement)
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(Value::Array(rows).to_string())
        .execute(connection)
        .map(drop)
}

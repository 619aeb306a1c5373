use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::AsyncPgConnection;
use futures::try_join;

use super::{failure::Failure, scope::Scope};
use crate::{
    commit::{Word, WordChanges},
    pg::{pipeline::execute, statement::statement, word_index},
};

statement! {
    struct ClearWords<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        sources: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "DELETE FROM photo_words AS words
       USING unnest($2, $3) AS cleared (photo_id, source)
       WHERE words.namespace = $1 AND words.photo_id = cleared.photo_id AND words.source = cleared.source"
}

statement! {
    struct RemoveWords<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        sources: Vec<&'a str> => Array<Text>,
        words: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "DELETE FROM photo_words AS words
       USING unnest($2, $3, $4) AS removed (photo_id, source, word)
       WHERE words.namespace = $1 AND words.photo_id = removed.photo_id AND words.word = removed.word
         AND words.source = removed.source"
}

statement! {
    struct AddWords<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        sources: Vec<&'a str> => Array<Text>,
        words: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = word_index::ADD
}

/// Writes the changes of the index of photos by word, after the state rows.
pub(super) async fn write(
    connection: &AsyncPgConnection,
    scope: &Scope,
    changes: &WordChanges,
) -> Result<(), Failure> {
    let namespace = scope.namespace.as_str();
    let clear = (!changes.cleared.is_empty()).then(|| ClearWords {
        namespace,
        photos: changes.cleared.iter().map(|(photo, _)| photo.as_str()).collect(),
        sources: changes
            .cleared
            .iter()
            .map(|(_, source)| source.as_str())
            .collect(),
    });
    let remove = (!changes.removed.is_empty()).then(|| RemoveWords {
        namespace,
        photos: column(&changes.removed, |word| &word.photo),
        sources: column(&changes.removed, |word| word.source.as_str()),
        words: column(&changes.removed, |word| &word.text),
    });
    let add = (!changes.added.is_empty()).then(|| AddWords {
        namespace,
        photos: column(&changes.added, |word| &word.photo),
        sources: column(&changes.added, |word| word.source.as_str()),
        words: column(&changes.added, |word| &word.text),
    });
    try_join!(
        execute(connection, clear),
        execute(connection, remove),
        execute(connection, add)
    )?;
    Ok(())
}

fn column(words: &[Word], value: fn(&Word) -> &str) -> Vec<&str> {
    words.iter().map(value).collect()
}

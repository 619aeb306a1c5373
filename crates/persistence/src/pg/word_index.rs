//! Index of photos by word: words of photos that were stored before it.

use diesel::{
    QueryResult, RunQueryDsl,
    pg::Pg,
    sql_query,
    sql_types::{Array, Text},
};

use crate::{
    commit::{UnindexedPhoto, Word},
    error::StoreError,
};

/// Photos that are read at once.
const PAGE: &str = "
    SELECT p.namespace, p.photo_id, (p.state -> 'tags')::text AS tags, d.filename, d.metadata::text AS metadata
    FROM photos AS p
    LEFT JOIN photo_details AS d ON d.namespace = p.namespace AND d.photo_id = p.photo_id
    WHERE (p.namespace, p.photo_id) > ($1, $2) AND NOT p.deleted
    ORDER BY p.namespace, p.photo_id LIMIT 500";

/// Words of existing photos that are not deleted. A word exists already if the same commit adds it for another label.
pub(super) const ADD: &str = "
    INSERT INTO photo_words (namespace, photo_id, word, source, owner)
    SELECT $1, photos.photo_id, added.word, added.source, photos.owner
    FROM unnest($2, $3, $4) AS added (photo_id, source, word)
    JOIN photos ON photos.namespace = $1 AND photos.photo_id = added.photo_id
    WHERE NOT photos.deleted
    ON CONFLICT DO NOTHING";

/// Adds the words of all stored photos. Part of the migration that creates the index.
pub(super) fn fill<C>(connection: &mut C) -> Result<(), StoreError>
where
    C: diesel::connection::LoadConnection<Backend = Pg>,
{
    let (mut namespace, mut photo) = (String::new(), String::new());
    loop {
        let page: Vec<UnindexedPhoto> = sql_query(PAGE)
            .bind::<Text, _>(&namespace)
            .bind::<Text, _>(&photo)
            .load(connection)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        (namespace, photo) = (last.namespace.clone(), last.photo_id.clone());
        for photos in page.chunk_by(|one, next| one.namespace == next.namespace) {
            let words: Vec<Word> = photos
                .iter()
                .map(UnindexedPhoto::words)
                .collect::<Result<Vec<_>, _>>()?
                .concat();
            let namespace = photos.first().map_or("", |photo| photo.namespace.as_str());
            add(connection, namespace, &words)?;
        }
    }
}

fn add<C>(connection: &mut C, namespace: &str, words: &[Word]) -> QueryResult<()>
where
    C: diesel::connection::LoadConnection<Backend = Pg>,
{
    let column = |value: fn(&Word) -> &str| words.iter().map(value).collect::<Vec<_>>();
    sql_query(ADD)
        .bind::<Text, _>(namespace)
        .bind::<Array<Text>, _>(column(|word| &word.photo))
        .bind::<Array<Text>, _>(column(|word| word.source.as_str()))
        .bind::<Array<Text>, _>(column(|word| &word.text))
        .execute(connection)
        .map(drop)
}

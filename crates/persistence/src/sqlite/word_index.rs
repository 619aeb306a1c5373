//! Index of photos by word: words of photos that were stored before it.

use diesel::{RunQueryDsl as _, SqliteConnection, sql_query, sql_types::Text};

use super::journal::add_words;
use crate::{commit::UnindexedPhoto, error::StoreError};

/// Photos that are read at once.
const PAGE: &str = "
    SELECT photos.namespace, photos.photo_id, photos.state ->> '$.tags' AS tags, photo_details.filename,
           photo_details.metadata
    FROM photos
    LEFT JOIN photo_details ON photo_details.namespace = photos.namespace
                           AND photo_details.photo_id = photos.photo_id
    WHERE (photos.namespace, photos.photo_id) > (?1, ?2) AND NOT photos.deleted
    ORDER BY photos.namespace, photos.photo_id LIMIT 500";

/// Adds the words of all stored photos. Part of the migration that creates the index.
pub(super) fn fill(connection: &mut SqliteConnection) -> Result<(), StoreError> {
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
            let words: Vec<_> = photos
                .iter()
                .map(UnindexedPhoto::words)
                .collect::<Result<Vec<_>, _>>()?
                .concat();
            let namespace = photos.first().map_or("", |photo| photo.namespace.as_str());
            add_words(connection, namespace, &words)?;
        }
    }
}

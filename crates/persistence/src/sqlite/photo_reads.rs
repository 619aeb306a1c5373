use std::collections::HashMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, dsl::not, sql_query,
    sql_types::Text,
};
use rapidphoto_application::ports::{
    PhotoListPage, PhotoListQuery, PhotoReads, PhotoView, TagCount, Unavailable,
};
use rapidphoto_domain::{
    PhotoId, UserId,
    values::{Checksum, TagLabel, UploadId},
};

use super::{MAX_BINDS, SqliteStore, photo_list, photo_views::views, tag_list};
use crate::{
    error::StoreError,
    rows::{PhotoViewRow, photo_view_columns},
    schema::photos,
};

/// Completed photos by the index of contents. CROSS JOIN keeps the order of the tables: one search for each checksum.
///
/// Parameters: namespace, owner, JSON array of checksums.
const BY_CONTENT: &str = "
    SELECT photos.version, photos.state, photos.created_at, photos.updated_at,
           photo_details.filename, photo_details.metadata, photo_details.hashes
    FROM (SELECT DISTINCT value FROM json_each(?3)) AS wanted
    CROSS JOIN photo_details ON photo_details.namespace = ?1
                            AND photo_details.hashes ->> '$.measured' = wanted.value
    CROSS JOIN photos ON photos.namespace = photo_details.namespace AND photos.photo_id = photo_details.photo_id
    WHERE photos.owner = ?2 AND photos.status = 'COMPLETED' AND NOT photos.deleted";

#[async_trait]
impl PhotoReads for SqliteStore {
    async fn photo(&self, owner: UserId, photo: PhotoId) -> Result<Option<PhotoView>, Unavailable> {
        self.read(move |connection, namespace| {
            let row: Option<PhotoViewRow> = views()
                .filter(photos::namespace.eq(namespace))
                .filter(photos::photo_id.eq(photo.to_string()))
                .filter(photos::owner.eq(owner.to_string()))
                .filter(not(photos::deleted))
                .select(photo_view_columns())
                .first(connection)
                .optional()
                .map_err(StoreError::from)?;
            Ok(row.map(PhotoViewRow::into_view).transpose()?)
        })
        .await
    }

    async fn list(&self, owner: UserId, query: &PhotoListQuery) -> Result<PhotoListPage, Unavailable> {
        let query = query.clone();
        self.read(move |connection, namespace| Ok(photo_list::page(connection, namespace, owner, &query)?))
            .await
    }

    async fn tags(
        &self,
        owner: UserId,
        after: Option<&TagLabel>,
        size: usize,
    ) -> Result<Vec<TagCount>, Unavailable> {
        let after = after.cloned();
        self.read(move |connection, namespace| {
            Ok(tag_list::tags(
                connection,
                namespace,
                owner,
                after.as_ref(),
                size,
            )?)
        })
        .await
    }

    async fn by_upload_ids(&self, owner: UserId, ids: &[UploadId]) -> Result<Vec<PhotoView>, Unavailable> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.read(move |connection, namespace| {
            let mut found = Vec::new();
            for chunk in ids.chunks(MAX_BINDS - 8) {
                let rows: Vec<PhotoViewRow> = views()
                    .filter(photos::namespace.eq(namespace))
                    .filter(photos::owner.eq(owner.to_string()))
                    .filter(not(photos::deleted))
                    .filter(photos::upload_id.eq_any(chunk))
                    .select(photo_view_columns())
                    .load(connection)
                    .map_err(StoreError::from)?;
                for row in rows {
                    found.push(row.into_view()?);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn completed_with_checksums(
        &self,
        owner: UserId,
        checksums: &[Checksum],
    ) -> Result<Vec<PhotoView>, Unavailable> {
        let wanted: Vec<String> = checksums.iter().map(ToString::to_string).collect();
        self.read(move |connection, namespace| {
            let rows: Vec<PhotoViewRow> = sql_query(BY_CONTENT)
                .bind::<Text, _>(namespace)
                .bind::<Text, _>(owner.to_string())
                .bind::<Text, _>(serde_json::json!(wanted).to_string())
                .load(connection)
                .map_err(StoreError::from)?;
            Ok(rows
                .into_iter()
                .map(PhotoViewRow::into_view)
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn by_ids(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<PhotoView>, Unavailable> {
        let ids = ids.to_vec();
        self.read(move |connection, namespace| {
            let mut found: HashMap<PhotoId, PhotoView> = HashMap::new();
            for chunk in ids.chunks(MAX_BINDS - 8) {
                let rows: Vec<PhotoViewRow> = views()
                    .filter(photos::namespace.eq(namespace))
                    .filter(photos::owner.eq(owner.to_string()))
                    .filter(not(photos::deleted))
                    .filter(photos::photo_id.eq_any(chunk.iter().map(ToString::to_string)))
                    .select(photo_view_columns())
                    .load(connection)
                    .map_err(StoreError::from)?;
                for row in rows {
                    let view = row.into_view()?;
                    found.insert(view.photo.id, view);
                }
            }
            // In the requested order, each once.
            Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
        })
        .await
    }
}

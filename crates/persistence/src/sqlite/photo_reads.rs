use std::collections::HashMap;

use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, dsl::not};
use rapidphoto_application::ports::{
    PhotoListPage, PhotoListQuery, PhotoReads, PhotoView, TagCount, Unavailable,
};
use rapidphoto_domain::{
    PhotoId, UserId,
    values::{TagLabel, UploadId},
};

use super::{MAX_BINDS, SqliteStore, photo_list, photo_views::views, tag_list};
use crate::{
    error::StoreError,
    rows::{PhotoViewRow, photo_view_columns},
    schema::photos,
};

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

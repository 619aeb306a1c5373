use std::collections::HashMap;

use async_trait::async_trait;
use diesel::{
    OptionalExtension as _,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{
    PhotoListPage, PhotoListQuery, PhotoReads, PhotoView, TagCount, Unavailable,
};
use rapidphoto_domain::{
    PhotoId, UserId,
    values::{Checksum, TagLabel, UploadId},
};

use super::{
    PgStore, photo_list,
    photo_views::{PhotoViewColumns, photo_view_columns, photo_views},
    statement::statement,
    tag_list,
};
use crate::{error::StoreError, rows::PhotoViewRow};

statement! {
    struct ById<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        photo: &'a str => Text,
    } -> PhotoViewColumns
    = concat!(
        "SELECT ", photo_view_columns!(), " FROM ", photo_views!(),
        " WHERE p.namespace = $1 AND p.owner = $2 AND p.photo_id = $3 AND NOT p.deleted"
    )
}

statement! {
    struct ByIds<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        photos: Vec<String> => Array<Text>,
    } -> PhotoViewColumns
    = concat!(
        "SELECT ", photo_view_columns!(), " FROM ", photo_views!(),
        " WHERE p.namespace = $1 AND p.owner = $2 AND p.photo_id = ANY($3) AND NOT p.deleted"
    )
}

statement! {
    struct ByUploadIds<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        uploads: Vec<String> => Array<Text>,
    } -> PhotoViewColumns
    = concat!(
        "SELECT ", photo_view_columns!(), " FROM ", photo_views!(),
        " WHERE p.namespace = $1 AND p.owner = $2 AND p.upload_id = ANY($3) AND NOT p.deleted"
    )
}

statement! {
    /// Completed photos by the index of contents.
    struct ByContent<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        checksums: Vec<String> => Array<Text>,
    } -> PhotoViewColumns
    = concat!(
        "SELECT ", photo_view_columns!(), " FROM photo_details AS d
         JOIN photos AS p ON p.namespace = d.namespace AND p.photo_id = d.photo_id
         WHERE d.namespace = $1 AND d.owner = $2 AND d.hashes ->> 'measured' = ANY($3)
           AND p.owner = $2 AND p.status = 'COMPLETED' AND NOT p.deleted"
    )
}

#[async_trait]
impl PhotoReads for PgStore {
    async fn photo(&self, owner: UserId, photo: PhotoId) -> Result<Option<PhotoView>, Unavailable> {
        let statement = ById {
            namespace: &self.namespace,
            owner: &owner.to_string(),
            photo: &photo.to_string(),
        };
        let row: Option<PhotoViewRow> = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(row.map(PhotoViewRow::into_view).transpose()?)
    }

    async fn list(&self, owner: UserId, query: &PhotoListQuery) -> Result<PhotoListPage, Unavailable> {
        let mut connection = self.connection().await?;
        Ok(photo_list::page(&mut connection, &self.namespace, owner, query).await?)
    }

    async fn tags(
        &self,
        owner: UserId,
        after: Option<&TagLabel>,
        size: usize,
    ) -> Result<Vec<TagCount>, Unavailable> {
        let mut connection = self.connection().await?;
        Ok(tag_list::tags(&mut connection, &self.namespace, owner, after, size).await?)
    }

    async fn by_upload_ids(&self, owner: UserId, ids: &[UploadId]) -> Result<Vec<PhotoView>, Unavailable> {
        let statement = ByUploadIds {
            namespace: &self.namespace,
            owner: &owner.to_string(),
            uploads: ids.iter().map(ToString::to_string).collect(),
        };
        let rows: Vec<PhotoViewRow> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(views(rows)?)
    }

    async fn completed_with_checksums(
        &self,
        owner: UserId,
        checksums: &[Checksum],
    ) -> Result<Vec<PhotoView>, Unavailable> {
        let statement = ByContent {
            namespace: &self.namespace,
            owner: &owner.to_string(),
            checksums: checksums.iter().map(ToString::to_string).collect(),
        };
        let rows: Vec<PhotoViewRow> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(views(rows)?)
    }

    async fn by_ids(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<PhotoView>, Unavailable> {
        let statement = ByIds {
            namespace: &self.namespace,
            owner: &owner.to_string(),
            photos: ids.iter().map(ToString::to_string).collect(),
        };
        let rows: Vec<PhotoViewRow> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let views = views(rows)?.into_iter();
        let mut found: HashMap<PhotoId, PhotoView> = views.map(|view| (view.photo.id, view)).collect();
        // In the requested order, each once.
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

fn views(rows: Vec<PhotoViewRow>) -> Result<Vec<PhotoView>, StoreError> {
    rows.into_iter().map(PhotoViewRow::into_view).collect()
}

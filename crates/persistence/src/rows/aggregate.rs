use diesel::{
    prelude::*,
    sql_types::{BigInt, Json, Nullable, Text},
};
use rapidphoto_application::ports::{EventMetadata, PhotoView, TracedPhoto, Versioned};
use rapidphoto_domain::{Timestamp, Version, job::UploadJob, photo::Photo, user::User, values::Filename};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::text::{decoded, encoded, parsed};
use crate::{
    error::StoreError,
    number::{count, millis, stored, timestamp},
    schema::{photo_details, photos, upload_jobs, users},
};

/// State row of a photo.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = photos, treat_none_as_default_value = false)]
pub(crate) struct PhotoRow {
    pub(crate) namespace: String,
    pub(crate) photo_id: String,
    pub(crate) owner: String,
    pub(crate) job_id: String,
    pub(crate) upload_id: String,
    pub(crate) status: &'static str,
    pub(crate) deleted: bool,
    pub(crate) bytes: i64,
    pub(crate) version: i64,
    pub(crate) state: Value,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl PhotoRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 12;

    pub(crate) fn new(
        namespace: &str,
        photo: &Photo,
        version: Version,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            namespace: namespace.to_owned(),
            photo_id: photo.id.to_string(),
            owner: photo.owner.to_string(),
            job_id: photo.job.to_string(),
            upload_id: photo.upload_id.to_string(),
            status: photo.status().as_str(),
            deleted: photo.deleted,
            bytes: stored(photo.declared.bytes),
            version: stored(version.0),
            state: encoded("photo", photo)?,
            created_at: millis(at),
            updated_at: millis(at),
        })
    }
}

/// State row of an upload job.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = upload_jobs, treat_none_as_default_value = false)]
pub(crate) struct JobRow {
    pub(crate) namespace: String,
    pub(crate) job_id: String,
    pub(crate) owner: String,
    pub(crate) version: i64,
    pub(crate) state: Value,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl JobRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 7;

    pub(crate) fn new(
        namespace: &str,
        job: &UploadJob,
        version: Version,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            namespace: namespace.to_owned(),
            job_id: job.id.to_string(),
            owner: job.owner.to_string(),
            version: stored(version.0),
            state: encoded("job", job)?,
            created_at: millis(at),
            updated_at: millis(at),
        })
    }
}

/// State row of a user.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct UserRow {
    pub(crate) namespace: String,
    pub(crate) user_id: String,
    pub(crate) version: i64,
    pub(crate) state: Value,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl UserRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 6;

    pub(crate) fn new(
        namespace: &str,
        user: &User,
        version: Version,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            namespace: namespace.to_owned(),
            user_id: user.id.to_string(),
            version: stored(version.0),
            state: encoded("user", user)?,
            created_at: millis(at),
            updated_at: millis(at),
        })
    }
}

/// A photo with its details, as selected for the read side.
#[derive(Debug, Clone, Queryable, QueryableByName)]
pub(crate) struct PhotoViewRow {
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Json)]
    state: Value,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) updated_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    filename: Option<String>,
    #[diesel(sql_type = Nullable<Json>)]
    metadata: Option<Value>,
    #[diesel(sql_type = Nullable<Json>)]
    hashes: Option<Value>,
}

/// Columns of a [`PhotoViewRow`].
type PhotoViewColumns = (
    photos::version,
    photos::state,
    photos::created_at,
    photos::updated_at,
    diesel::dsl::Nullable<photo_details::filename>,
    diesel::dsl::Nullable<photo_details::metadata>,
    diesel::dsl::Nullable<photo_details::hashes>,
);

/// Selects a [`PhotoViewRow`] from photos joined with their details.
pub(crate) fn photo_view_columns() -> PhotoViewColumns {
    (
        photos::version,
        photos::state,
        photos::created_at,
        photos::updated_at,
        photo_details::filename.nullable(),
        photo_details::metadata.nullable(),
        photo_details::hashes.nullable(),
    )
}

impl PhotoViewRow {
    pub(crate) fn into_view(self) -> Result<PhotoView, StoreError> {
        let filename: Filename = parsed("filename", self.filename.as_deref().unwrap_or_default())?;
        let metadata = self.metadata.map(|json| decoded("metadata", json));
        let hashes = self.hashes.map(|json| decoded("hashes", json));
        Ok(PhotoView {
            photo: decoded("photo", self.state)?,
            version: Version(count(self.version)),
            filename,
            metadata: metadata.transpose()?.unwrap_or_default(),
            hashes: hashes.transpose()?.unwrap_or_default(),
            created_at: timestamp(self.created_at),
            updated_at: timestamp(self.updated_at),
        })
    }
}

/// An aggregate from the version and the state of its row.
pub(crate) fn versioned<T: DeserializeOwned>(
    what: &'static str,
    (version, state): (i64, Value),
) -> Result<Versioned<T>, StoreError> {
    Ok(Versioned {
        version: Version(count(version)),
        value: decoded(what, state)?,
    })
}

/// A photo from the version and the state of its row and the metadata of its first event.
pub(crate) fn traced_photo(
    (version, state, metadata): (i64, Value, Option<Value>),
) -> Result<TracedPhoto, StoreError> {
    let metadata = metadata.map(|json| decoded::<EventMetadata>("metadata", json));
    Ok(TracedPhoto {
        photo: versioned("photo", (version, state))?,
        traceparent: metadata.transpose()?.and_then(|metadata| metadata.traceparent),
    })
}

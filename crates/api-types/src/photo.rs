use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    commands::DeclaredChecksum,
    snapshot::{PhotoStatus, Reason},
};

/// Photo with its metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// Identifier of the photo.
    pub photo_id: String,
    /// Job that created the photo.
    pub job_id: String,
    /// Filename.
    pub filename: String,
    /// MIME type detected from the content; the declared type before inspection.
    pub mime_type: String,
    /// Size in bytes; the declared size before verification.
    pub bytes: u64,
    /// SHA-256 of the content; the declared checksum, if any, before inspection.
    pub checksum: Option<DeclaredChecksum>,
    /// Width of the upright image, in pixels.
    pub width: Option<u32>,
    /// Height of the upright image, in pixels.
    pub height: Option<u32>,
    /// Time at which the photo was taken, in the local time of the camera, with the offset from UTC if the camera
    /// recorded it.
    #[schema(example = "2026-07-14T18:03:11+02:00")]
    pub taken_at: Option<String>,
    /// Camera that took the photo.
    pub camera: Option<Camera>,
    /// Location at which the photo was taken.
    pub location: Option<Location>,
    /// Other EXIF metadata.
    pub exif: Exif,
    /// Perceptual hash of 64 bits, as 16 lower-case hexadecimal digits.
    pub perceptual_hash: Option<String>,
    /// Sharpness; larger values are sharper.
    pub sharpness: Option<f64>,
    /// Labels given by the owner.
    pub tags: Vec<String>,
    /// Status of the photo.
    pub status: PhotoStatus,
    /// Reasons for the rejection or failure.
    pub reasons: Vec<Reason>,
    /// Failed checks that are only warnings in this deployment.
    pub warnings: Vec<Reason>,
    /// Thumbnails.
    pub thumbnails: Vec<Thumbnail>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of completion.
    pub completed_at: Option<DateTime<Utc>>,
}

/// Camera, from EXIF.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Camera {
    /// Manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Lens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
}

/// Location in WGS 84, from EXIF.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Latitude in degrees; positive values are north.
    pub latitude: f64,
    /// Longitude in degrees; positive values are east.
    pub longitude: f64,
    /// Altitude in metres above sea level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
}

/// EXIF metadata.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exif {
    /// Exposure time in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_time: Option<f64>,
    /// F-number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// ISO speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// Focal length in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focal_length: Option<f64>,
    /// Orientation of the original, 1 to 8; thumbnails are upright.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<u8>,
    /// Software that wrote the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
}

/// Thumbnail of a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thumbnail {
    /// Maximum length of the longer edge, in pixels: 256 or 1024. Smaller images are never enlarged.
    pub edge: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Presigned URL of the thumbnail.
    pub url: String,
    /// Expiry of the URL.
    pub expires_at: DateTime<Utc>,
}

/// Page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// Items of the page.
    pub items: Vec<T>,
    /// Value of the query parameter `cursor` for the next page; null on the last page.
    pub next_cursor: Option<String>,
}

/// Label with the number of photos that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TagCount {
    /// The label.
    pub label: String,
    /// Number of photos.
    pub photos: u64,
}

/// Presigned URL for a download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrl {
    /// URL for a GET request, which needs no headers.
    pub url: String,
    /// Expiry of the URL.
    pub expires_at: DateTime<Utc>,
}

/// History of a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoHistory {
    /// Identifier of the photo.
    pub photo_id: String,
    /// Events of the photo, oldest first.
    pub events: Vec<HistoryEntry>,
}

/// Event of a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Identifier of the event.
    pub event_id: String,
    /// Version of the photo after the event.
    pub version: u64,
    /// Type of the event.
    #[serde(rename = "type")]
    #[schema(example = "PhotoUploadCompleted")]
    pub event_type: String,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
    /// User who caused the event; null for the system.
    pub actor: Option<String>,
    /// Identifier of the request that caused the event; null if none did.
    pub request_id: Option<String>,
    /// Data of the event; its members depend on the type. A finding has its code as `code`; `check` is the same value
    /// under its former name.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

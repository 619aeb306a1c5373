use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{DeclaredChecksum, PhotoStatus, Reason};

/// Everything that is known of a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// Names the photo.
    pub photo_id: String,
    /// The job that brought it.
    pub job_id: String,
    /// What it is called.
    pub filename: String,
    /// The type its bytes have; the declared one until they were inspected.
    pub mime_type: String,
    /// Its length; the declared one until it arrived.
    pub bytes: u64,
    /// Its SHA-256; the declared one until it was computed.
    pub checksum: Option<DeclaredChecksum>,
    /// Width in pixels when shown upright.
    pub width: Option<u32>,
    /// Height in pixels when shown upright.
    pub height: Option<u32>,
    /// When the picture was taken, in the camera's local time, with its offset from UTC where the camera says it.
    #[schema(example = "2026-07-14T18:03:11+02:00")]
    pub taken_at: Option<String>,
    /// What it was taken with.
    pub camera: Option<Camera>,
    /// Where it was taken.
    pub location: Option<Location>,
    /// Further things that EXIF says.
    pub exif: Exif,
    /// A 64-bit perceptual hash as 16 hexadecimal digits.
    pub perceptual_hash: Option<String>,
    /// How sharp it is.
    pub sharpness: Option<f64>,
    /// How the owner groups it.
    pub tags: Vec<String>,
    /// Its status.
    pub status: PhotoStatus,
    /// Why it was rejected or failed.
    pub reasons: Vec<Reason>,
    /// What was found but does no harm here.
    pub warnings: Vec<Reason>,
    /// Its thumbnails.
    pub thumbnails: Vec<Thumbnail>,
    /// When it was promised.
    pub created_at: DateTime<Utc>,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
}

/// What a picture was taken with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Camera {
    /// The manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The lens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
}

/// Where a picture was taken (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres above sea level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
}

/// Further things that EXIF says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exif {
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_time: Option<f64>,
    /// The f-number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// ISO speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// Millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focal_length: Option<f64>,
    /// 1 to 8, as it was stored; thumbnails are upright.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<u8>,
    /// The program that wrote the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
}

/// A thumbnail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thumbnail {
    /// The longer edge it was made for: 256 or 1024. Small pictures are never enlarged.
    pub edge: u32,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Where to fetch it.
    pub url: String,
    /// When the URL stops working.
    pub expires_at: DateTime<Utc>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Goes into `cursor=` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// Where to fetch a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrl {
    /// Works with GET, without further headers.
    pub url: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// What happened to a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoHistory {
    /// Names the photo.
    pub photo_id: String,
    /// Its events, the oldest first.
    pub events: Vec<HistoryEntry>,
}

/// One event of a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Names the event.
    pub event_id: String,
    /// The photo's version with it.
    pub version: u64,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "PhotoUploadCompleted")]
    pub event_type: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// The user who acted; null where the system did.
    pub actor: Option<String>,
    /// The request that led to it.
    pub request_id: Option<String>,
    /// What else the event says.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

use chrono::NaiveDateTime;
use rapidphoto_domain::{photo::PerceptualHash, values::Checksum};
use serde::{Deserialize, Serialize};

/// Metadata from a photo's EXIF, limited to supported tags with plausible values. It is personal data: stored outside
/// the log and erased with the photo.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PhotoMetadata {
    /// Time of the exposure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<TakenAt>,
    /// Camera and lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Camera>,
    /// Position of the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Exposure settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// EXIF orientation, 1 to 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<u8>,
    /// Program that wrote the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
}

/// Hashes of a photo's content. They identify the content, so they are personal data: stored outside the log and erased
/// with the photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PhotoHashes {
    /// SHA-256 that the client declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Checksum>,
    /// SHA-256 of the content; `None` before the photo is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Checksum>,
    /// Perceptual hash, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perceptual: Option<PerceptualHash>,
}

/// Time of the exposure by the camera's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenAt {
    /// Local time of the camera.
    pub local: NaiveDateTime,
    /// Offset of local time from UTC in minutes, positive east of Greenwich; `None` if not recorded.
    pub offset_minutes: Option<i16>,
}

/// Camera and lens of a photo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Camera {
    /// Manufacturer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
}

/// Position of the camera (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Latitude in degrees north, −90 to 90.
    pub latitude: f64,
    /// Longitude in degrees east, −180 to 180.
    pub longitude: f64,
    /// Altitude in metres above sea level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
}

/// Exposure settings of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Exposure {
    /// Exposure time in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_time: Option<f64>,
    /// F-number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// ISO speed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// Focal length in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_length: Option<f64>,
}

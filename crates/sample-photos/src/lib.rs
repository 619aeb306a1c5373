//! Photos generated from a seed, for demonstrations and tests: landscapes with the size, noise and EXIF metadata of a
//! camera's photos, in all EXIF orientations.
//!
//! The same description gives the same bytes on every machine of the same architecture. Nothing is read from disk or
//! network.

mod clouds;
mod demo;
mod exif;
mod hills;
mod hostile;
mod noise;
mod orientation;
mod palette;
mod photo;
mod scene;
mod sky;
mod tiff;

pub use demo::{demo_photos, demo_set};
pub use exif::{CameraFacts, Place};
pub use hostile::{text_named_jpg, truncated};
pub use orientation::Orientation;
pub use photo::SamplePhoto;
pub use tiff::{Entry, Tiff, Value};

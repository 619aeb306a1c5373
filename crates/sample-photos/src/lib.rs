//! Photos made up from a seed, for demonstrations and tests: pleasant to look at, as large and as grainy as a camera's,
//! with EXIF, and turned in every way that a camera turns them.
//!
//! The same description gives the same bytes on every machine of one architecture; nothing is read from disk or network.

mod demo;
mod exif;
mod hostile;
mod noise;
mod orientation;
mod palette;
mod photo;
mod scene;
mod tiff;

pub use demo::{demo_photos, demo_set};
pub use exif::{CameraFacts, Place};
pub use hostile::{text_named_jpg, truncated};
pub use orientation::Orientation;
pub use photo::SamplePhoto;
pub use tiff::{Entry, Tiff, Value};

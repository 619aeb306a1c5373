//! The use cases of RapidPhotoUpload, and the ports that the outside implements for them.

mod decision;
pub mod log;
pub mod ports;
pub mod progress;
pub mod settings;
pub mod work;

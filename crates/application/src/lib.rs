//! The use cases of RapidPhotoUpload, and the ports that the outside implements for them.

mod decision;
pub mod intake;
pub mod log;
pub mod ports;
pub mod progress;
mod record;
pub mod settings;
pub mod work;

pub use record::Record;

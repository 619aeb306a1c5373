//! The use cases of RapidPhotoUpload, and the ports that the outside implements for them.

pub mod ports;

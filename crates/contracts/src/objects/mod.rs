//! Contract of every object store, for the application and for clients with presigned URLs.

pub mod downloads;
mod fixtures;
mod harness;
pub mod multipart;
pub mod part_urls;
pub mod store;
mod suites;
pub mod uploads;

pub use harness::{Answer, MultipartHarness, ObjectHarness};

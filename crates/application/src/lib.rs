//! The use cases of RapidPhotoUpload, and the ports that adapters implement for them.

pub mod admin;
pub mod attempts;
pub mod auth;
mod batch;
pub mod commit;
mod decision;
mod error_chain;
mod housekeeping;
pub mod intake;
pub mod jobs;
pub mod limits;
pub mod live;
pub mod log;
pub mod photos;
pub mod ports;
pub mod progress;
pub mod settings;
pub mod signals;
pub mod subscriptions;
pub mod trace;
pub mod uploads;
mod use_cases;
pub mod work;

pub use housekeeping::Housekeeping;
pub use use_cases::UseCases;

//! Photos: from the declaration of a file to an inspected image with thumbnails.

mod apply;
mod command;
mod decide;
mod event;
mod failure;
mod finding;
mod parts;
mod perceptual_hash;
mod result;
mod state;
mod status;
mod tags;
mod upload;

pub use apply::FoldError;
pub use command::{PhotoCommand, QueuePhoto};
pub use decide::InvalidTransition;
pub use event::{PhotoEvent, RetryCause};
pub use failure::FailureReason;
pub use finding::{Check, CheckPolicies, Finding, Measure, Policy, Verdict};
pub use parts::{MAX_PART_BYTES, MIN_PART_BYTES, PartLayout, PartSizeError};
pub use perceptual_hash::{PerceptualHash, PerceptualHashError};
pub use result::{ProcessingResult, Thumbnail};
pub use state::{Cleaning, Photo, PhotoState};
pub use status::PhotoStatus;
pub use tags::{MAX_TAGS, TooManyTags};
pub use upload::{Declared, StoredObject, UploadWindow};

//! Commits converted to rows. They are the same for every database.

mod conflicts;
mod details;
mod prepared;
mod repeat;
mod tags;
mod words;
mod work;

pub(crate) use conflicts::conflicts;
pub(crate) use details::{Credentials, DetailChanges, MetadataChange, Password};
pub(crate) use prepared::Prepared;
pub(crate) use repeat::{StoredEvents, repetition};
pub(crate) use tags::TagChanges;
pub(crate) use words::{UnindexedPhoto, Word, WordChanges};
pub(crate) use work::{Postponed, Scheduled, WorkChanges};

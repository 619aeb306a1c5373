//! Uploads in parts.

mod completion;
mod lists;
mod open;
mod parts;
mod uploads;

pub(crate) use completion::{Completion, NamedPart};

use std::collections::BTreeSet;

use super::state::Photo;
use crate::values::TagLabel;

/// Maximum number of tags of a photo.
pub const MAX_TAGS: usize = 100;

/// Labels rejected because the photo would have too many tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the photo has {used} tags and the request adds {added}, but only {allowed} are allowed")]
pub struct TooManyTags {
    /// Number of tags of the photo.
    pub used: usize,
    /// Number of labels to add that the photo does not have.
    pub added: usize,
    /// Maximum number of tags.
    pub allowed: usize,
}

impl Photo {
    /// Checks that the photo may get these labels. Labels that it already has do not count.
    ///
    /// # Errors
    /// The photo would have more than [`MAX_TAGS`] tags.
    pub fn check_tag_count(&self, labels: &BTreeSet<TagLabel>) -> Result<(), TooManyTags> {
        let used = self.tags.len();
        let added = labels.difference(&self.tags).count();
        if added == 0 || used + added <= MAX_TAGS {
            return Ok(());
        }
        Err(TooManyTags {
            used,
            added,
            allowed: MAX_TAGS,
        })
    }
}

use std::sync::Arc;

use rapidphoto_domain::{UserId, values::TagLabel};

use crate::ports::{PhotoReads, Ports, TagCount, Unavailable};

/// Lists the labels of a user's photos in pages.
#[derive(Clone)]
pub struct ListTagsHandler {
    photos: Arc<dyn PhotoReads>,
}

impl ListTagsHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
        }
    }

    /// Returns at most `size` labels after `after`, and the label after which the next page starts.
    pub async fn handle(
        &self,
        owner: UserId,
        after: Option<&TagLabel>,
        size: usize,
    ) -> Result<(Vec<TagCount>, Option<TagLabel>), Unavailable> {
        let mut tags = self.photos.tags(owner, after, size.saturating_add(1)).await?;
        let more = tags.len() > size;
        tags.truncate(size);
        let next = tags.last().filter(|_| more).map(|tag| tag.label.clone());
        Ok((tags, next))
    }
}

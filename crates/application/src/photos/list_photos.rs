use std::sync::Arc;

use rapidphoto_domain::UserId;

use super::{ShowPhotoHandler, ShownPhoto};
use crate::{
    ports::{PhotoListQuery, PhotoPosition, PhotoReads, Ports, Unavailable},
    settings::Settings,
};

/// Lists photos, page by page.
#[derive(Clone)]
pub struct ListPhotosHandler {
    photos: Arc<dyn PhotoReads>,
    shown: ShowPhotoHandler,
}

impl ListPhotosHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            shown: ShowPhotoHandler::new(ports, settings),
            photos: Arc::clone(&ports.database.photos),
        }
    }

    /// A page of a user's photos, and where the next one begins.
    pub async fn handle(
        &self,
        owner: UserId,
        query: &PhotoListQuery,
    ) -> Result<(Vec<ShownPhoto>, Option<PhotoPosition>), Unavailable> {
        let page = self.photos.list(owner, query).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for view in page.items {
            items.push(self.shown.show(view).await?);
        }
        Ok((items, page.next))
    }
}

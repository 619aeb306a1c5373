use std::sync::Arc;

use rapidphoto_domain::UserId;

use super::{PhotoWithUrls, ShowPhotoHandler};
use crate::{
    ports::{PhotoListQuery, PhotoPosition, PhotoReads, Ports, Unavailable},
    settings::Settings,
};

/// Lists photos in pages.
#[derive(Clone)]
pub struct ListPhotosHandler {
    photos: Arc<dyn PhotoReads>,
    show: ShowPhotoHandler,
}

impl ListPhotosHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            show: ShowPhotoHandler::new(ports, settings),
            photos: Arc::clone(&ports.database.photos),
        }
    }

    /// Returns a page of a user's photos and the position after which the next page starts.
    pub async fn handle(
        &self,
        owner: UserId,
        query: &PhotoListQuery,
    ) -> Result<(Vec<PhotoWithUrls>, Option<PhotoPosition>), Unavailable> {
        let page = self.photos.list(owner, query).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for view in page.items {
            items.push(self.show.show(view).await?);
        }
        Ok((items, page.next))
    }
}

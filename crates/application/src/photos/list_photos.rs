use rapidphoto_domain::UserId;

use super::{ShowPhotoHandler, ShownPhoto};
use crate::{
    outside::Outside,
    ports::{PhotoListQuery, PhotoPosition, Unavailable},
    settings::Settings,
};

/// Lists photos, page by page.
#[derive(Clone)]
pub struct ListPhotosHandler {
    outside: Outside,
    shown: ShowPhotoHandler,
}

impl ListPhotosHandler {
    /// A handler on these ports.
    pub fn new(outside: Outside, settings: Settings) -> Self {
        Self {
            shown: ShowPhotoHandler::new(outside.clone(), settings),
            outside,
        }
    }

    /// A page of a user's photos, and where the next one begins.
    pub async fn handle(
        &self,
        owner: UserId,
        query: &PhotoListQuery,
    ) -> Result<(Vec<ShownPhoto>, Option<PhotoPosition>), Unavailable> {
        let page = self.outside.photos.list(owner, query).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for view in page.items {
            items.push(self.shown.show(view).await?);
        }
        Ok((items, page.next))
    }
}

use rapidphoto_application::ports::{PhotoListPage, PhotoListQuery, PhotoPosition, PhotoView};

use super::PhotoViewRow;
use crate::error::StoreError;

/// Page of a list, from rows of which one more than the page's size tells if there is a next page.
pub(crate) fn photo_page(
    rows: Vec<PhotoViewRow>,
    query: &PhotoListQuery,
    size: usize,
) -> Result<PhotoListPage, StoreError> {
    let more = rows.len() > size;
    let items: Vec<PhotoView> = rows
        .into_iter()
        .take(size)
        .map(PhotoViewRow::into_view)
        .collect::<Result<_, _>>()?;
    Ok(PhotoListPage {
        next: items
            .last()
            .filter(|_| more)
            .map(|view| PhotoPosition::of(view, query.sort)),
        items,
    })
}

use std::cmp::Ordering;

use rapidphoto_application::ports::{PhotoListPage, PhotoListQuery, PhotoPosition, PhotoView, SortDirection};

/// Selects the page of a query from all photos of a user.
pub(super) fn page(photos: Vec<PhotoView>, query: &PhotoListQuery) -> PhotoListPage {
    let mut following: Vec<(PhotoPosition, PhotoView)> = photos
        .into_iter()
        .filter(|view| query.status.is_none_or(|wanted| wanted == view.photo.status()))
        .filter(|view| query.tag.as_ref().is_none_or(|tag| view.photo.tags.contains(tag)))
        .map(|view| (PhotoPosition::of(&view, query.sort), view))
        .filter(|(position, _)| {
            let after = query.after.as_ref();
            after.is_none_or(|after| order(position, after, query.direction).is_gt())
        })
        .collect();
    following.sort_by(|(one, _), (other, _)| order(one, other, query.direction));
    let more = following.len() > query.size;
    following.truncate(query.size);
    PhotoListPage {
        next: following
            .last()
            .filter(|_| more)
            .map(|(position, _)| position.clone()),
        items: following.into_iter().map(|(_, view)| view).collect(),
    }
}

/// Orders by value and then by id, both in the given direction; photos without a value are last in both.
fn order(one: &PhotoPosition, other: &PhotoPosition, direction: SortDirection) -> Ordering {
    let has_no_value = |position: &PhotoPosition| position.value.is_none();
    let ascending = (one.value, one.photo).cmp(&(other.value, other.photo));
    let directed = match direction {
        SortDirection::Ascending => ascending,
        SortDirection::Descending => ascending.reverse(),
    };
    has_no_value(one).cmp(&has_no_value(other)).then(directed)
}

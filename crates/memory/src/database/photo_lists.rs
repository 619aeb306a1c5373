use std::{cmp::Ordering, collections::BTreeMap};

use rapidphoto_application::ports::{
    PhotoListPage, PhotoListQuery, PhotoPosition, PhotoSort, PhotoView, SortDirection, TagCount,
    words_of_camera, words_of_filename, words_of_tags,
};
use rapidphoto_domain::values::TagLabel;

/// Selects the page of a query from all photos of a user.
pub(super) fn page(photos: Vec<PhotoView>, query: &PhotoListQuery) -> PhotoListPage {
    let mut following: Vec<(PhotoPosition, PhotoView)> = photos
        .into_iter()
        .filter(|view| query.status.is_none_or(|wanted| wanted == view.photo.status()))
        .filter(|view| query.tag.as_ref().is_none_or(|tag| view.photo.tags.contains(tag)))
        .filter(|view| has_words(view, query) && is_taken_in_range(view, query))
        .map(|view| (PhotoPosition::of(&view, query.sort), view))
        .filter(|(position, _)| {
            let after = query.after.as_ref();
            after.is_none_or(|after| order(position, after, query.direction).is_gt())
        })
        .collect();
    following.sort_by(|(one, _), (other, _)| order(one, other, query.direction));
    following.drain(..query.skip.min(following.len()));
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

/// Labels of photos after `after`, with the number of photos of each.
pub(super) fn tags(photos: &[PhotoView], after: Option<&TagLabel>, size: usize) -> Vec<TagCount> {
    let mut counts: BTreeMap<&TagLabel, u64> = BTreeMap::new();
    for label in photos.iter().flat_map(|view| &view.photo.tags) {
        *counts.entry(label).or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(label, _)| after.is_none_or(|after| *label > after))
        .take(size)
        .map(|(label, photos)| TagCount {
            label: label.clone(),
            photos,
        })
        .collect()
}

fn has_words(view: &PhotoView, query: &PhotoListQuery) -> bool {
    let mut words = words_of_filename(&view.filename);
    words.extend(words_of_camera(&view.metadata));
    words.extend(words_of_tags(&view.photo.tags));
    let has = |prefix| words.iter().any(|word| word.starts_with(prefix));
    query.words.iter().all(has)
}

fn is_taken_in_range(view: &PhotoView, query: &PhotoListQuery) -> bool {
    let Some(taken) = PhotoPosition::of(view, PhotoSort::TakenAt).value else {
        return query.taken.is_unlimited();
    };
    let (from, before) = query.taken.millis();
    from.is_none_or(|from| from <= taken) && before.is_none_or(|before| taken < before)
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

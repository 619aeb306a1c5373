//! Lists of photos: every sort, both directions, page by page, while others come.

use std::{cmp::Ordering, collections::BTreeSet, time::Duration};

use chrono::NaiveDate;
use rapidphoto_application::ports::{
    DatabasePorts, Details, PhotoListQuery, PhotoMetadata, PhotoPosition, PhotoSort, PhotoView,
    SortDirection, TakenAt,
};
use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{PhotoCommand, PhotoStatus},
};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
};

const SORTS: [PhotoSort; 3] = [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes];
const DIRECTIONS: [SortDirection; 2] = [SortDirection::Ascending, SortDirection::Descending];

/// Adds photos with ties in every sort, some of which don't say when they were taken.
async fn add(record: &DatabasePorts, owner: UserId, now: Timestamp, count: u32) {
    for number in 0..count {
        let at = now + Duration::from_millis(u64::from(number * 7 % 5));
        let mut commit = given::commit(at);
        let job = commit.write_job(owner, 1);
        let mut promised = given::promise(at, owner, job.value.id);
        promised.declared.bytes = u64::from(number * 3 % 4) * 5_000_000_000;
        let photo = commit.write_photo(promised);
        if number % 3 != 0 {
            let day = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap();
            let local = day.and_hms_opt(23, 59, 57 + number % 3).unwrap()
                + chrono::Duration::milliseconds(i64::from(number % 4) * 700);
            commit.details.push(Details::PhotoMetadata {
                photo: photo.value.id,
                metadata: Box::new(PhotoMetadata {
                    taken_at: Some(TakenAt {
                        local,
                        // The camera's own time counts, whatever it says of the zone.
                        offset_minutes: (number % 2 == 0).then_some(600),
                    }),
                    ..PhotoMetadata::default()
                }),
            });
        }
        stands(record, commit).await;
    }
}

fn query(sort: PhotoSort, direction: SortDirection, size: usize) -> PhotoListQuery {
    PhotoListQuery {
        sort,
        direction,
        size,
        ..PhotoListQuery::default()
    }
}

/// All pages of a list.
async fn pages(record: &DatabasePorts, owner: UserId, mut query: PhotoListQuery) -> Vec<Vec<PhotoView>> {
    let mut pages = Vec::new();
    loop {
        let page = record.photos.list(owner, &query).await.unwrap();
        assert!(page.items.len() <= query.size);
        let last = page.items.last().map(|view| PhotoPosition::of(view, query.sort));
        pages.push(page.items);
        match page.next {
            Some(next) => {
                assert_eq!(Some(&next), last.as_ref(), "a page ends with its last photo");
                assert_ne!(query.after.as_ref(), Some(&next), "a page leads on");
                query.after = Some(next);
            }
            None => return pages,
        }
    }
}

/// By value, then by id, both in the direction asked for; photos that say nothing come last in either.
fn order(one: &PhotoView, other: &PhotoView, sort: PhotoSort, direction: SortDirection) -> Ordering {
    let (one, other) = (PhotoPosition::of(one, sort), PhotoPosition::of(other, sort));
    let ascending = match (one.value, other.value) {
        (None, Some(_)) => return Ordering::Greater,
        (Some(_), None) => return Ordering::Less,
        (one_value, other_value) => one_value.cmp(&other_value).then(one.photo.cmp(&other.photo)),
    };
    match direction {
        SortDirection::Ascending => ascending,
        SortDirection::Descending => ascending.reverse(),
    }
}

/// Pages of any size put together are the whole list, in order; no page is empty but that of an empty list.
pub async fn pages_of_any_size_make_the_same_list<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (owner, other) = (given::user(&record, now).await, given::user(&record, now).await);
    let empty = pages(
        &record,
        owner,
        query(PhotoSort::CreatedAt, SortDirection::Ascending, 5),
    )
    .await;
    assert_eq!(empty, [Vec::new()]);
    add(&record, owner, now, 24).await;
    add(&record, other, now, 3).await;
    for sort in SORTS {
        for direction in DIRECTIONS {
            let whole = pages(&record, owner, query(sort, direction, 100)).await;
            assert_eq!(whole.len(), 1);
            assert_eq!(whole[0].len(), 24);
            assert!(
                whole[0].is_sorted_by(|one, next| order(one, next, sort, direction).is_lt()),
                "{sort:?} {direction:?}"
            );
            for size in [1, 5, 8, 23, 24] {
                let pages = pages(&record, owner, query(sort, direction, size)).await;
                assert_eq!(
                    pages.len(),
                    24_usize.div_ceil(size),
                    "the last page says that it is the last"
                );
                assert_eq!(pages.concat(), whole[0], "{sort:?} {direction:?} by {size}");
            }
        }
    }
}

/// Who pages through a list while photos come and go sees each photo that stays once.
pub async fn pages_neither_skip_nor_repeat_while_photos_come_and_go<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    for sort in SORTS {
        for direction in DIRECTIONS {
            let owner = given::user(&record, now).await;
            add(&record, owner, now, 20).await;
            let all = pages(&record, owner, query(sort, direction, 100)).await.concat();
            let mut leaving: Vec<PhotoId> = all.iter().skip(4).step_by(6).map(|view| view.photo.id).collect();
            let stays: BTreeSet<PhotoId> = all
                .iter()
                .map(|view| view.photo.id)
                .filter(|id| !leaving.contains(id))
                .collect();
            let mut seen: Vec<PhotoView> = Vec::new();
            let mut asked = query(sort, direction, 3);
            loop {
                assert!(seen.len() < 200, "a list comes to its end, though it grows");
                let page = record.photos.list(owner, &asked).await.unwrap();
                seen.extend(page.items);
                let Some(next) = page.next else { break };
                asked.after = Some(next);
                add(&record, owner, now + Duration::from_millis(2), 2).await;
                if let Some(id) = leaving.pop() {
                    let photo = record.aggregates.photo(id).await.unwrap().unwrap();
                    let cancelled = given::command(&record, now, &photo, PhotoCommand::Cancel).await;
                    given::command(&record, now, &cancelled, PhotoCommand::Delete).await;
                }
            }
            let ids: BTreeSet<PhotoId> = seen.iter().map(|view| view.photo.id).collect();
            assert_eq!(
                ids.len(),
                seen.len(),
                "no photo comes twice: {sort:?} {direction:?}"
            );
            assert!(
                ids.is_superset(&stays),
                "no photo is skipped: {sort:?} {direction:?}"
            );
            assert!(seen.is_sorted_by(|one, next| order(one, next, sort, direction).is_lt()));
        }
    }
}

/// A list goes on behind a photo that is gone by now.
pub async fn a_list_goes_on_behind_a_photo_that_is_gone<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    add(&record, owner, now, 9).await;
    for sort in SORTS {
        let mut asked = query(sort, SortDirection::Descending, 2);
        let whole = pages(&record, owner, query(sort, SortDirection::Descending, 100))
            .await
            .concat();
        let page = record.photos.list(owner, &asked).await.unwrap();
        asked.after = page.next;
        let last = record.aggregates.photo(whole[1].photo.id).await.unwrap().unwrap();
        let cancelled = given::command(&record, now, &last, PhotoCommand::Cancel).await;
        given::command(&record, now, &cancelled, PhotoCommand::Delete).await;
        let rest = pages(&record, owner, asked).await.concat();
        assert_eq!(rest, whole[2..], "{sort:?}");
    }
}

/// Only photos with the wanted status, on every page.
pub async fn a_list_can_be_of_one_status<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 10).await;
    for photo in photos.iter().step_by(2) {
        given::command(&record, now, photo, PhotoCommand::Cancel).await;
    }
    for (status, count) in [
        (PhotoStatus::Cancelled, 5),
        (PhotoStatus::Queued, 5),
        (PhotoStatus::Completed, 0),
    ] {
        for sort in SORTS {
            let asked = PhotoListQuery {
                status: Some(status),
                ..query(sort, SortDirection::Ascending, 2)
            };
            let listed = pages(&record, owner, asked).await.concat();
            assert_eq!(listed.len(), count, "{status} {sort:?}");
            assert!(listed.iter().all(|view| view.photo.status() == status));
        }
    }
}

/// Deleted photos are not listed.
pub async fn deleted_photos_are_not_listed<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 3).await;
    let cancelled = given::command(&record, now, &photos[1], PhotoCommand::Cancel).await;
    given::command(&record, now, &cancelled, PhotoCommand::Delete).await;
    for status in [None, Some(PhotoStatus::Queued), Some(PhotoStatus::Cancelled)] {
        let asked = PhotoListQuery {
            status,
            ..query(PhotoSort::CreatedAt, SortDirection::Ascending, 10)
        };
        let listed = pages(&record, owner, asked).await.concat();
        assert!(listed.iter().all(|view| view.photo.id != photos[1].value.id));
        assert_eq!(
            listed.len(),
            if status == Some(PhotoStatus::Cancelled) {
                0
            } else {
                2
            }
        );
    }
}

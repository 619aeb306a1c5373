//! Photo lists: all sort orders, both directions, paging while photos are added and deleted.

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
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

const SORTS: [PhotoSort; 3] = [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes];
const DIRECTIONS: [SortDirection; 2] = [SortDirection::Ascending, SortDirection::Descending];

/// Adds photos with ties in every sort order, some of them without a time.
async fn add(db: &DatabasePorts, owner: UserId, now: Timestamp, count: u32) {
    for number in 0..count {
        let at = now + Duration::from_millis(u64::from(number * 7 % 5));
        let mut commit = fixtures::commit(at);
        let job = commit.write_job(owner, 1);
        let mut declared = fixtures::declared_photo(at, owner, job.value.id);
        declared.declared.bytes = u64::from(number * 3 % 4) * 5_000_000_000;
        let photo = commit.write_photo(declared);
        if number % 3 != 0 {
            let day = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap();
            let local = day.and_hms_opt(23, 59, 57 + number % 3).unwrap()
                + chrono::Duration::milliseconds(i64::from(number % 4) * 700);
            commit.details.push(Details::PhotoMetadata {
                photo: photo.value.id,
                metadata: Box::new(PhotoMetadata {
                    taken_at: Some(TakenAt {
                        local,
                        // Sorting uses the camera's local time and ignores its offset.
                        offset_minutes: (number % 2 == 0).then_some(600),
                    }),
                    ..PhotoMetadata::default()
                }),
            });
        }
        commit_ok(db, commit).await;
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

/// Reads all pages of a list.
async fn pages(db: &DatabasePorts, owner: UserId, mut query: PhotoListQuery) -> Vec<Vec<PhotoView>> {
    let mut pages = Vec::new();
    loop {
        let page = db.photos.list(owner, &query).await.unwrap();
        assert!(page.items.len() <= query.size);
        let last = page.items.last().map(|view| PhotoPosition::of(view, query.sort));
        pages.push(page.items);
        match page.next {
            Some(next) => {
                assert_eq!(Some(&next), last.as_ref(), "a page ends with its last photo");
                assert_ne!(query.after.as_ref(), Some(&next), "a page advances");
                query.after = Some(next);
            }
            None => return pages,
        }
    }
}

/// Expected order: by value, then by id, both in the given direction; photos without a value are last in both.
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

/// Pages of any size form the same ordered list. Only an empty list has an empty page.
pub async fn pages_of_any_size_form_the_same_list<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let empty = pages(
        &db,
        owner,
        query(PhotoSort::CreatedAt, SortDirection::Ascending, 5),
    )
    .await;
    assert_eq!(empty, [Vec::new()]);
    add(&db, owner, now, 24).await;
    add(&db, other, now, 3).await;
    for sort in SORTS {
        for direction in DIRECTIONS {
            let whole = pages(&db, owner, query(sort, direction, 100)).await;
            assert_eq!(whole.len(), 1);
            assert_eq!(whole[0].len(), 24);
            assert!(
                whole[0].is_sorted_by(|one, next| order(one, next, sort, direction).is_lt()),
                "{sort:?} {direction:?}"
            );
            for size in [1, 5, 8, 23, 24] {
                let pages = pages(&db, owner, query(sort, direction, size)).await;
                assert_eq!(
                    pages.len(),
                    24_usize.div_ceil(size),
                    "the last page has no next position"
                );
                assert_eq!(pages.concat(), whole[0], "{sort:?} {direction:?} by {size}");
            }
        }
    }
}

/// Paging while photos are added and deleted returns each remaining photo once.
pub async fn paging_neither_skips_nor_repeats_photos_while_the_list_changes<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    for sort in SORTS {
        for direction in DIRECTIONS {
            let owner = fixtures::user(&db, now).await;
            add(&db, owner, now, 20).await;
            let all = pages(&db, owner, query(sort, direction, 100)).await.concat();
            let mut to_delete: Vec<PhotoId> =
                all.iter().skip(4).step_by(6).map(|view| view.photo.id).collect();
            let remaining: BTreeSet<PhotoId> = all
                .iter()
                .map(|view| view.photo.id)
                .filter(|id| !to_delete.contains(id))
                .collect();
            let mut listed: Vec<PhotoView> = Vec::new();
            let mut next_query = query(sort, direction, 3);
            loop {
                assert!(listed.len() < 200, "a growing list has an end");
                let page = db.photos.list(owner, &next_query).await.unwrap();
                listed.extend(page.items);
                let Some(next) = page.next else { break };
                next_query.after = Some(next);
                add(&db, owner, now + Duration::from_millis(2), 2).await;
                if let Some(id) = to_delete.pop() {
                    let photo = db.aggregates.photo(id).await.unwrap().unwrap();
                    let cancelled = fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
                    fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
                }
            }
            let ids: BTreeSet<PhotoId> = listed.iter().map(|view| view.photo.id).collect();
            assert_eq!(
                ids.len(),
                listed.len(),
                "no photo is repeated: {sort:?} {direction:?}"
            );
            assert!(
                ids.is_superset(&remaining),
                "no photo is skipped: {sort:?} {direction:?}"
            );
            assert!(listed.is_sorted_by(|one, next| order(one, next, sort, direction).is_lt()));
        }
    }
}

/// A list continues after a photo that was deleted in the meantime.
pub async fn a_list_continues_after_a_deleted_photo<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    add(&db, owner, now, 9).await;
    for sort in SORTS {
        let mut next_query = query(sort, SortDirection::Descending, 2);
        let whole = pages(&db, owner, query(sort, SortDirection::Descending, 100))
            .await
            .concat();
        let page = db.photos.list(owner, &next_query).await.unwrap();
        next_query.after = page.next;
        let last = db.aggregates.photo(whole[1].photo.id).await.unwrap().unwrap();
        let cancelled = fixtures::execute(&db, now, &last, PhotoCommand::Cancel).await;
        fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
        let rest = pages(&db, owner, next_query).await.concat();
        assert_eq!(rest, whole[2..], "{sort:?}");
    }
}

/// Every page contains only photos of the requested status.
pub async fn a_list_can_be_filtered_by_status<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 10).await;
    for photo in photos.iter().step_by(2) {
        fixtures::execute(&db, now, photo, PhotoCommand::Cancel).await;
    }
    for (status, count) in [
        (PhotoStatus::Cancelled, 5),
        (PhotoStatus::Queued, 5),
        (PhotoStatus::Completed, 0),
    ] {
        for sort in SORTS {
            let by_status = PhotoListQuery {
                status: Some(status),
                ..query(sort, SortDirection::Ascending, 2)
            };
            let listed = pages(&db, owner, by_status).await.concat();
            assert_eq!(listed.len(), count, "{status} {sort:?}");
            assert!(listed.iter().all(|view| view.photo.status() == status));
        }
    }
}

/// Deleted photos are in no list.
pub async fn deleted_photos_are_not_listed<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 3).await;
    let cancelled = fixtures::execute(&db, now, &photos[1], PhotoCommand::Cancel).await;
    fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    for status in [None, Some(PhotoStatus::Queued), Some(PhotoStatus::Cancelled)] {
        let by_status = PhotoListQuery {
            status,
            ..query(PhotoSort::CreatedAt, SortDirection::Ascending, 10)
        };
        let listed = pages(&db, owner, by_status).await.concat();
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

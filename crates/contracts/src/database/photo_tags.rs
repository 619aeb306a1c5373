//! Lists of photos with one tag.

use std::time::Duration;

use chrono::NaiveDate;
use rapidphoto_application::ports::{
    CommitError, DatabasePorts, Details, PhotoListQuery, PhotoMetadata, PhotoSort, PhotoView, SortDirection,
    TakenAt, Versioned,
};
use rapidphoto_domain::{
    PhotoId, Timestamp, UserId, Version,
    photo::{Photo, PhotoCommand, PhotoStatus},
    values::TagLabel,
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

const SORTS: [PhotoSort; 3] = [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes];
const DIRECTIONS: [SortDirection; 2] = [SortDirection::Ascending, SortDirection::Descending];

fn label(text: &str) -> TagLabel {
    TagLabel::parse(text).unwrap()
}

pub(super) fn tag(labels: &[&str]) -> PhotoCommand {
    PhotoCommand::Tag {
        labels: labels.iter().map(|text| label(text)).collect(),
    }
}

pub(super) fn untag(labels: &[&str]) -> PhotoCommand {
    PhotoCommand::Untag {
        labels: labels.iter().map(|text| label(text)).collect(),
    }
}

/// Photos with equal values in every sort, some of them without a time of capture. Every second one has the tag `sea`,
/// every third one `beach`, every fourth one is cancelled.
async fn add_photos(db: &DatabasePorts, owner: UserId, now: Timestamp) {
    for number in 0_u32..24 {
        let at = now + Duration::from_millis(u64::from(number * 7 % 5));
        let mut commit = fixtures::commit(at);
        let job = commit.write_job(owner, 1);
        let mut declared = fixtures::declared_photo(at, owner, job.value.id);
        declared.declared.bytes = u64::from(number * 3 % 4) + 1;
        let mut photo = commit.write_photo(declared);
        if number % 5 != 0 {
            let day = NaiveDate::from_ymd_opt(2026, 7, 14).unwrap();
            let local = day.and_hms_opt(18, 3, number % 3).unwrap();
            commit.details.push(Details::PhotoMetadata {
                photo: photo.value.id,
                metadata: Box::new(PhotoMetadata {
                    taken_at: Some(TakenAt {
                        local,
                        offset_minutes: None,
                    }),
                    ..PhotoMetadata::default()
                }),
            });
        }
        commit_ok(db, commit).await;
        for (every, command) in [
            (2, tag(&["sea"])),
            (3, tag(&["beach", "other"])),
            (4, PhotoCommand::Cancel),
        ] {
            if number % every == 0 {
                photo = fixtures::execute(db, at, &photo, command).await;
            }
        }
    }
}

fn query(tag: &str, size: usize) -> PhotoListQuery {
    PhotoListQuery {
        tag: Some(label(tag)),
        size,
        ..PhotoListQuery::default()
    }
}

/// All pages of a list, put together.
async fn list(db: &DatabasePorts, owner: UserId, mut query: PhotoListQuery) -> Vec<PhotoView> {
    let mut listed = Vec::new();
    loop {
        let page = db.photos.list(owner, &query).await.unwrap();
        assert!(page.items.len() <= query.size);
        listed.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return listed,
        }
    }
}

/// Ids of the photos with a tag, in order.
pub(super) async fn tagged(db: &DatabasePorts, owner: UserId, tag: &str) -> Vec<PhotoId> {
    let views = list(db, owner, query(tag, 100)).await;
    let mut ids: Vec<_> = views.iter().map(|view| view.photo.id).collect();
    ids.sort();
    ids
}

fn ids(photos: &[Versioned<Photo>]) -> Vec<PhotoId> {
    photos.iter().map(|photo| photo.value.id).collect()
}

/// The pages of a tag are the list of all photos without those that don't have the tag, in the same order.
pub async fn a_list_can_be_filtered_by_tag<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    add_photos(&db, owner, now).await;
    for sort in SORTS {
        for direction in DIRECTIONS {
            for status in [None, Some(PhotoStatus::Queued), Some(PhotoStatus::Failed)] {
                let of_all = PhotoListQuery {
                    status,
                    sort,
                    direction,
                    size: 100,
                    ..PhotoListQuery::default()
                };
                let all = list(&db, owner, of_all.clone()).await;
                for (tag, count) in [("sea", 12), ("beach", 8), ("unknown", 0)] {
                    let tag = label(tag);
                    let mut expected = all.clone();
                    expected.retain(|view| view.photo.tags.contains(&tag));
                    assert!(status.is_some() || expected.len() == count);
                    for size in [1, 3, 12, 100] {
                        let of_tag = PhotoListQuery {
                            tag: Some(tag.clone()),
                            size,
                            ..of_all.clone()
                        };
                        let listed = list(&db, owner, of_tag.clone()).await;
                        assert_eq!(listed, expected, "{of_tag:?}");
                    }
                }
            }
        }
    }
}

/// A photo is in the list of a tag from the commit that adds the tag to the commit that removes it or deletes the photo.
pub async fn removed_tags_and_deleted_photos_leave_the_list<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, mut photos) = fixtures::job(&db, now, owner, 3).await;
    let all = ids(&photos);
    for photo in &mut photos {
        *photo = fixtures::execute(&db, now, photo, tag(&["a", "b"])).await;
    }
    assert_eq!(tagged(&db, owner, "a").await, all);
    let untagged = fixtures::execute(&db, now, &photos[0], untag(&["a", "c"])).await;
    assert_eq!(tagged(&db, owner, "a").await, all[1..]);
    assert_eq!(tagged(&db, owner, "b").await, all);
    fixtures::execute(&db, now, &untagged, tag(&["a"])).await;
    assert_eq!(tagged(&db, owner, "a").await, all);
    let cancelled = fixtures::execute(&db, now, &photos[2], PhotoCommand::Cancel).await;
    assert_eq!(tagged(&db, owner, "a").await, all);
    fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    for tag in ["a", "b"] {
        assert_eq!(tagged(&db, owner, tag).await, all[..2]);
    }
    assert_eq!(db.state_rows.tag_mismatches().await.unwrap(), []);
}

/// Lists have the photos of their user only. Labels differ if a letter does.
pub async fn another_users_equal_tag_is_not_listed<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::execute(&db, now, &photo, tag(&["Zürich"])).await;
    let others = fixtures::photo(&db, now, other).await;
    fixtures::execute(&db, now, &others, tag(&["Zürich", "zürich"])).await;
    assert_eq!(tagged(&db, owner, "Zürich").await, [photo.value.id]);
    assert_eq!(tagged(&db, owner, "zürich").await, []);
    assert_eq!(tagged(&db, owner, "Zurich").await, []);
    assert_eq!(tagged(&db, other, "zürich").await, [others.value.id]);
}

/// A commit that is rejected neither adds nor removes photos.
pub async fn a_rejected_commit_does_not_change_the_list<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let photo = fixtures::execute(&db, now, &photo, tag(&["a"])).await;
    for command in [tag(&["b"]), untag(&["a"])] {
        let stale = Versioned {
            version: Version(1),
            value: photo.value.clone(),
        };
        let mut commit = fixtures::commit(now);
        commit.write_command(&stale, command);
        let error = db.journal.commit(commit).await.unwrap_err();
        assert!(matches!(error, CommitError::Conflict(_)), "{error}");
    }
    assert_eq!(tagged(&db, owner, "a").await, [photo.value.id]);
    assert_eq!(tagged(&db, owner, "b").await, []);
}

/// The next page of a tag starts after the last photo of the page before, even if that photo no longer has the tag.
pub async fn a_list_continues_after_a_photo_that_lost_the_tag<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    for sort in SORTS {
        let owner = fixtures::user(&db, now).await;
        add_photos(&db, owner, now).await;
        let mut asked = PhotoListQuery {
            sort,
            ..query("sea", 100)
        };
        let whole = list(&db, owner, asked.clone()).await;
        asked.size = 5;
        let page = db.photos.list(owner, &asked).await.unwrap();
        let last = page.items[4].photo.id;
        let last = db.aggregates.photo(last).await.unwrap().unwrap();
        fixtures::execute(&db, now, &last, untag(&["sea"])).await;
        asked.after = page.next;
        assert_eq!(list(&db, owner, asked).await, whole[5..], "{sort:?}");
    }
}

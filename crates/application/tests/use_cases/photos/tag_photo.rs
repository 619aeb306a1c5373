use std::collections::BTreeSet;

use rapidphoto_application::{
    photos::{TagChange, TagPhoto, TagPhotoError, TagPhotoHandler},
    ports::EventMetadata,
};
use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{MAX_TAGS, Photo, PhotoEvent, TooManyTags},
    values::TagLabel,
};
use rapidphoto_memory::{Operation, TestApp, fixtures::OTHER_USER};

use crate::support::recording_journal::RecordingJournal;

fn labels<const N: usize>(labels: [&str; N]) -> BTreeSet<TagLabel> {
    labels.map(|label| TagLabel::parse(label).unwrap()).into()
}

/// Labels `first`, `first + 1`, and so on.
fn numbered(first: usize, count: usize) -> BTreeSet<TagLabel> {
    let label = |number: usize| TagLabel::parse(&number.to_string()).unwrap();
    (first..first + count).map(label).collect()
}

async fn change_as(
    app: &TestApp,
    owner: UserId,
    photo: PhotoId,
    change: TagChange,
) -> Result<Photo, TagPhotoError> {
    let command = TagPhoto {
        owner,
        photo,
        change,
        metadata: EventMetadata::default(),
    };
    TagPhotoHandler::new(&app.ports, app.settings.work)
        .handle(command)
        .await
}

async fn add(app: &TestApp, photo: PhotoId, labels: BTreeSet<TagLabel>) -> Result<Photo, TagPhotoError> {
    change_as(app, app.owner, photo, TagChange::Add(labels)).await
}

async fn remove(app: &TestApp, photo: PhotoId, label: &str) -> Result<Photo, TagPhotoError> {
    let label = TagLabel::parse(label).unwrap();
    change_as(app, app.owner, photo, TagChange::Remove(label)).await
}

#[tokio::test]
async fn tags_are_added_and_removed() {
    let app = TestApp::new();
    let photo = app.declare_one().await.photo;
    let tagged = add(&app, photo, labels(["sea", "beach"])).await.unwrap();
    assert_eq!(tagged.tags, labels(["beach", "sea"]));
    let untagged = remove(&app, photo, "sea").await.unwrap();
    assert_eq!(untagged.tags, labels(["beach"]));
    assert_eq!(app.photo(photo).await, untagged);
    assert_eq!(
        app.photo_events(photo).await[1..],
        [
            PhotoEvent::PhotoTagged {
                labels: labels(["beach", "sea"])
            },
            PhotoEvent::PhotoUntagged {
                labels: labels(["sea"])
            },
        ]
    );
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_change_that_is_already_in_effect_writes_no_event() {
    let app = TestApp::new();
    let photo = app.declare_one().await.photo;
    add(&app, photo, labels(["a", "b"])).await.unwrap();
    let before = app.log().await;
    let tagged = add(&app, photo, labels(["b", "a"])).await.unwrap();
    assert_eq!(tagged.tags, labels(["a", "b"]));
    remove(&app, photo, "c").await.unwrap();
    assert_eq!(app.log().await, before);
    add(&app, photo, labels(["b", "c"])).await.unwrap();
    let added = app.photo_events(photo).await.pop();
    assert_eq!(
        added,
        Some(PhotoEvent::PhotoTagged {
            labels: labels(["c"])
        }),
        "only the new label"
    );
}

#[tokio::test]
async fn other_users_photos_and_deleted_photos_are_not_found() {
    let app = TestApp::new();
    let photo = app.declare_one().await.photo;
    let changes = || {
        [
            TagChange::Add(labels(["a"])),
            TagChange::Remove(labels(["a"]).pop_first().unwrap()),
        ]
    };
    for change in changes() {
        let error = change_as(&app, OTHER_USER, photo, change.clone())
            .await
            .unwrap_err();
        assert!(matches!(error, TagPhotoError::NoSuchPhoto), "{error}");
        let unknown = PhotoId::from_bits(9);
        let error = change_as(&app, app.owner, unknown, change).await.unwrap_err();
        assert!(matches!(error, TagPhotoError::NoSuchPhoto), "{error}");
    }
    app.delete(photo).await;
    add(&app, photo, labels(["b"])).await.unwrap();
    assert!(app.delete(photo).await.deleted);
    for change in changes() {
        let error = change_as(&app, app.owner, photo, change).await.unwrap_err();
        assert!(matches!(error, TagPhotoError::NoSuchPhoto), "{error}");
    }
}

#[tokio::test]
async fn a_photo_has_at_most_100_tags() {
    let app = TestApp::new();
    let photo = app.declare_one().await.photo;
    add(&app, photo, numbered(0, 99)).await.unwrap();
    let error = add(&app, photo, numbered(98, 3)).await.unwrap_err();
    let expected = TooManyTags {
        used: 99,
        added: 2,
        allowed: MAX_TAGS,
    };
    assert!(
        matches!(error, TagPhotoError::TooManyTags(too_many) if too_many == expected),
        "{error}"
    );
    assert_eq!(
        add(&app, photo, numbered(99, 1)).await.unwrap().tags,
        numbered(0, 100)
    );
    add(&app, photo, numbered(0, 100)).await.unwrap();
    let error = add(&app, photo, numbered(100, 1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the photo has 100 tags and the request adds 1, but only 100 are allowed"
    );
    remove(&app, photo, "0").await.unwrap();
    assert_eq!(
        add(&app, photo, numbered(100, 1)).await.unwrap().tags,
        numbered(1, 100)
    );
}

#[tokio::test]
async fn concurrent_requests_keep_each_others_tags_and_the_limit() {
    let mut app = TestApp::new();
    let photo = app.declare_one().await.photo;
    add(&app, photo, numbered(0, 98)).await.unwrap();
    let journal = RecordingJournal::around(&mut app);
    let other = journal.unrecorded(&app);
    journal.before_next(async move {
        add(&other, photo, numbered(98, 1)).await.unwrap();
    });
    let tagged = add(&app, photo, numbered(99, 1)).await.unwrap();
    assert_eq!(tagged.tags, numbered(0, 100), "both labels");
    remove(&app, photo, "99").await.unwrap();
    let other = journal.unrecorded(&app);
    journal.before_next(async move {
        add(&other, photo, numbered(99, 1)).await.unwrap();
    });
    let error = add(&app, photo, numbered(100, 1)).await.unwrap_err();
    assert!(matches!(error, TagPhotoError::TooManyTags(_)), "{error}");
    assert_eq!(app.photo(photo).await.tags, numbered(0, 100));
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_request_that_loses_every_race_is_contended() {
    let mut app = TestApp::new();
    let photo = app.declare_one().await.photo;
    let journal = RecordingJournal::around(&mut app);
    for number in 0..16 {
        let other = journal.unrecorded(&app);
        journal.before_next(async move {
            add(&other, photo, numbered(number, 1)).await.unwrap();
        });
    }
    let error = add(&app, photo, labels(["late"])).await.unwrap_err();
    assert!(matches!(error, TagPhotoError::Contended(_)), "{error}");
    assert_eq!(journal.commits(), 16);
    assert_eq!(app.photo(photo).await.tags, numbered(0, 16));
}

#[tokio::test]
async fn an_outage_is_reported_as_unavailable() {
    let app = TestApp::new();
    let photo = app.declare_one().await.photo;
    for operation in [Operation::Read, Operation::Commit] {
        app.store.faults().fail_next(operation, 1);
        let error = add(&app, photo, labels(["a"])).await.unwrap_err();
        assert!(matches!(error, TagPhotoError::Unavailable(_)), "{error}");
    }
    assert_eq!(app.photo(photo).await.tags, labels([]));
}

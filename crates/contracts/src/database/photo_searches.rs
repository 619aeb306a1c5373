//! Lists of photos by words, times and page numbers, and lists of tags.

use std::{collections::BTreeSet, time::Duration};

use chrono::{NaiveDate, NaiveDateTime};
use rapidphoto_application::ports::{
    Camera, CommitError, DatabasePorts, Details, PhotoListQuery, PhotoMetadata, PhotoPosition, PhotoSort,
    PhotoView, SortDirection, TagCount, TakenAt, TakenRange, Versioned,
};
use rapidphoto_domain::{
    PhotoId, Timestamp, UserId, Version,
    photo::{Photo, PhotoCommand, PhotoStatus},
    values::{Filename, SearchWord, TagLabel},
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    photo_tags::{tag, untag},
};

const SORTS: [PhotoSort; 3] = [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes];
const DIRECTIONS: [SortDirection; 2] = [SortDirection::Ascending, SortDirection::Descending];

fn minute(number: u32) -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap();
    day.and_hms_opt(23, number, 0).unwrap()
}

fn words(text: &str) -> BTreeSet<SearchWord> {
    SearchWord::all_of(text)
}

/// A photo with a filename and a camera.
async fn add(
    db: &DatabasePorts,
    owner: UserId,
    now: Timestamp,
    (name, make, taken): (&str, Option<&str>, Option<u32>),
) -> Versioned<Photo> {
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1);
    let photo = commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
    rename(&mut commit, photo.value.id, name);
    if make.is_some() || taken.is_some() {
        describe(&mut commit, photo.value.id, make, taken);
    }
    commit_ok(db, commit).await;
    photo
}

fn rename(commit: &mut rapidphoto_application::ports::Commit, photo: PhotoId, name: &str) {
    let filename = Filename::parse(name).unwrap();
    commit.details.push(Details::PhotoName { photo, filename });
}

fn describe(
    commit: &mut rapidphoto_application::ports::Commit,
    photo: PhotoId,
    make: Option<&str>,
    taken: Option<u32>,
) {
    let metadata = Box::new(PhotoMetadata {
        taken_at: taken.map(|number| TakenAt {
            local: minute(number),
            offset_minutes: None,
        }),
        camera: make.map(|make| Camera {
            make: Some(make.to_owned()),
            ..Camera::default()
        }),
        ..PhotoMetadata::default()
    });
    commit.details.push(Details::PhotoMetadata { photo, metadata });
}

/// Photos with ties in every sort, some without a time, with different words, tags and statuses.
async fn add_photos(db: &DatabasePorts, owner: UserId, now: Timestamp) {
    for number in 0_u32..30 {
        let at = now + Duration::from_millis(u64::from(number * 7 % 5));
        let name = ["Sea.jpg", "seaside 1.jpg", "Winter.jpg"][number as usize % 3];
        let make = (number % 4 == 0).then_some("Pentax");
        let taken = (number % 5 != 0).then_some(number % 7);
        let mut photo = add(db, owner, at, (name, make, taken)).await;
        for (every, command) in [
            (2, tag(&["Größe"])),
            (3, tag(&["sea shore"])),
            (6, PhotoCommand::Cancel),
        ] {
            if number % every == 0 {
                photo = fixtures::execute(db, at, &photo, command).await;
            }
        }
    }
}

/// All pages of a list, put together.
async fn list(db: &DatabasePorts, owner: UserId, mut query: PhotoListQuery) -> Vec<PhotoView> {
    let mut listed = Vec::new();
    loop {
        let page = db.photos.list(owner, &query).await.unwrap();
        assert!(page.items.len() <= query.size);
        listed.extend(page.items);
        let Some(next) = page.next else { return listed };
        query.after = Some(next);
        query.skip = 0;
    }
}

async fn found(db: &DatabasePorts, owner: UserId, text: &str) -> Vec<PhotoId> {
    let query = PhotoListQuery {
        words: words(text),
        direction: SortDirection::Ascending,
        size: 100,
        ..PhotoListQuery::default()
    };
    list(db, owner, query)
        .await
        .iter()
        .map(|view| view.photo.id)
        .collect()
}

fn passes(view: &PhotoView, query: &PhotoListQuery) -> bool {
    let taken = PhotoPosition::of(view, PhotoSort::TakenAt).value;
    let (from, before) = query.taken.millis();
    let camera = view.metadata.camera.iter().flat_map(|camera| &camera.make);
    let tags = view.photo.tags.iter().map(TagLabel::as_str);
    let texts = camera
        .map(String::as_str)
        .chain(tags)
        .chain([view.filename.as_str()]);
    let of_photo: BTreeSet<SearchWord> = texts.flat_map(SearchWord::all_of).collect();
    query
        .words
        .iter()
        .all(|prefix| of_photo.iter().any(|word| word.starts_with(prefix)))
        && query.status.is_none_or(|status| view.photo.status() == status)
        && query.tag.as_ref().is_none_or(|tag| view.photo.tags.contains(tag))
        && from.is_none_or(|from| taken.is_some_and(|taken| taken >= from))
        && before.is_none_or(|before| taken.is_some_and(|taken| taken < before))
}

/// Every combination of filters, sort and page size selects from the list of all photos, in its order.
pub async fn every_combination_of_filters_selects_from_the_whole_list<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    add_photos(&db, owner, now).await;
    add(&db, other, now, ("sea.jpg", Some("Pentax"), Some(3))).await;
    let range = |from: Option<u32>, before: Option<u32>| TakenRange {
        from: from.map(minute),
        before: before.map(minute),
    };
    let mut results = 0;
    for (sort, direction) in SORTS
        .into_iter()
        .flat_map(|sort| DIRECTIONS.map(|direction| (sort, direction)))
    {
        let of_all = PhotoListQuery {
            sort,
            direction,
            size: 100,
            ..PhotoListQuery::default()
        };
        let all = list(&db, owner, of_all.clone()).await;
        for text in ["", "sea", "SEA pent", "g jpg"] {
            for tag in [None, Some("Größe")] {
                for status in [None, Some(PhotoStatus::Queued), Some(PhotoStatus::Cancelled)] {
                    for taken in [
                        range(None, None),
                        range(Some(1), Some(5)),
                        range(Some(2), None),
                        range(None, Some(3)),
                    ] {
                        let query = PhotoListQuery {
                            words: words(text),
                            tag: tag.map(|label| TagLabel::parse(label).unwrap()),
                            status,
                            taken,
                            ..of_all.clone()
                        };
                        let mut expected = all.clone();
                        expected.retain(|view| passes(view, &query));
                        results += expected.len();
                        for size in [7, 100] {
                            let query = PhotoListQuery {
                                size,
                                ..query.clone()
                            };
                            assert_eq!(list(&db, owner, query.clone()).await, expected, "{query:?}");
                        }
                    }
                }
            }
        }
    }
    assert!(results > 1000, "most combinations find some photos: {results}");
}

/// A page by its number is that of the list; one after the end is empty.
pub async fn pages_can_be_found_by_their_number<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    add_photos(&db, owner, now).await;
    for (sort, direction) in SORTS
        .into_iter()
        .flat_map(|sort| DIRECTIONS.map(|direction| (sort, direction)))
    {
        for text in ["", "sea"] {
            let query = PhotoListQuery {
                words: words(text),
                sort,
                direction,
                size: 100,
                ..PhotoListQuery::default()
            };
            let whole = list(&db, owner, query.clone()).await;
            for skip in [0, 1, 23, 24, 25, whole.len() - 1, whole.len(), 9_999] {
                let query = PhotoListQuery {
                    skip,
                    size: 2,
                    ..query.clone()
                };
                let page = db.photos.list(owner, &query).await.unwrap();
                let rest = &whole[skip.min(whole.len())..];
                assert_eq!(page.items, rest[..rest.len().min(2)], "{query:?}");
                assert_eq!(page.next.is_some(), rest.len() > 2, "{query:?}");
                assert_eq!(list(&db, owner, query).await, rest);
            }
        }
    }
}

/// Words are found by their beginnings, whatever their case and accents, and wherever they are from.
pub async fn photos_are_found_by_the_beginnings_of_words<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let one = add(
        &db,
        owner,
        now,
        ("IMG_1234 Zürich.JPG", Some("Müller & Söhne"), None),
    )
    .await;
    let two = add(&db, owner, now, ("猫の写真.png", None, None)).await;
    let two = fixtures::execute(&db, now, &two, tag(&["Straße", "1"])).await;
    add(&db, other, now, ("IMG_1234.jpg", Some("Müller"), None)).await;
    let (one, two) = (one.value.id, two.value.id);
    for (text, expected) in [
        ("img", vec![one]),
        ("im", vec![one]),
        ("mg", vec![]),
        ("1234", vec![one]),
        ("ZURICH", vec![one]),
        ("zu\u{308}r", vec![one]),
        ("img_1234 zürich.jpg", vec![one]),
        ("sohne muller", vec![one]),
        ("strasse", vec![two]),
        ("STRASSE", vec![two]),
        ("猫", vec![two]),
        ("写真", vec![]),
        ("1", vec![one, two]),
        ("1 png", vec![two]),
        ("img png", vec![]),
        ("", vec![one, two]),
        ("-", vec![one, two]),
        ("%", vec![one, two]),
        ("im%", vec![one]),
        ("i_g", vec![]),
        ("\u{10ffff}", vec![one, two]),
        ("zurichz", vec![]),
    ] {
        assert_eq!(found(&db, owner, text).await, expected, "{text:?}");
    }
}

/// A word is found from the commit that brings it to that which takes it away; another source may still have it.
pub async fn changed_words_are_found_no_more<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = add(&db, owner, now, ("beach.jpg", Some("Pentax"), None)).await;
    let id = photo.value.id;
    let photo = fixtures::execute(&db, now, &photo, tag(&["Beach", "Beach 2", "pentax"])).await;
    let photo = fixtures::execute(&db, now, &photo, untag(&["Beach", "pentax"])).await;
    for text in ["beach", "pentax", "2"] {
        assert_eq!(found(&db, owner, text).await, [id], "{text}");
    }
    let mut commit = fixtures::commit(now);
    rename(&mut commit, id, "Winter.jpg");
    describe(&mut commit, id, Some("Minolta"), None);
    commit_ok(&db, commit).await;
    for (text, count) in [("winter", 1), ("minolta", 1), ("pentax", 0), ("beach", 1)] {
        assert_eq!(found(&db, owner, text).await.len(), count, "{text}");
    }
    let photo = fixtures::execute(&db, now, &photo, untag(&["Beach 2"])).await;
    assert_eq!(found(&db, owner, "beach").await, []);
    // A rejected commit changes nothing.
    let stale = Versioned {
        version: Version(1),
        value: photo.value.clone(),
    };
    let mut commit = fixtures::commit(now);
    commit.write_command(&stale, tag(&["b"]));
    rename(&mut commit, id, "other.jpg");
    let error = db.journal.commit(commit).await.unwrap_err();
    assert!(matches!(error, CommitError::Conflict(_)), "{error}");
    assert_eq!(found(&db, owner, "winter").await, [id]);
    assert_eq!(found(&db, owner, "other").await, []);
    let photo = fixtures::execute(&db, now, &photo, tag(&["c"])).await;
    let cancelled = fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
    assert_eq!(found(&db, owner, "c").await, [id]);
    fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    for text in ["winter", "minolta", "c", ""] {
        assert_eq!(found(&db, owner, text).await, [], "{text}");
    }
}

/// Labels with their number of photos, in the order of their bytes, in pages.
pub async fn tags_are_listed_with_their_number_of_photos<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    assert_eq!(db.photos.tags(owner, None, 10).await.unwrap(), []);
    let (_, photos) = fixtures::job(&db, now, owner, 3).await;
    for (photo, labels) in photos
        .iter()
        .zip([&["b", "Z", "ü"][..], &["b", "a", "z"], &["b", "gone"]])
    {
        fixtures::execute(&db, now, photo, tag(labels)).await;
    }
    let deleted = db.aggregates.photo(photos[2].value.id).await.unwrap().unwrap();
    let cancelled = fixtures::execute(&db, now, &deleted, PhotoCommand::Cancel).await;
    fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    let others = fixtures::photo(&db, now, other).await;
    fixtures::execute(&db, now, &others, tag(&["b", "other"])).await;
    let expected = [("Z", 1), ("a", 1), ("b", 2), ("z", 1), ("ü", 1)].map(|(label, photos)| TagCount {
        label: TagLabel::parse(label).unwrap(),
        photos,
    });
    assert_eq!(db.photos.tags(owner, None, 10).await.unwrap(), expected);
    for size in 1..4 {
        let mut listed: Vec<TagCount> = Vec::new();
        loop {
            let after = listed.last().map(|tag| tag.label.clone());
            let page = db.photos.tags(owner, after.as_ref(), size).await.unwrap();
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed, expected, "by {size}");
    }
}

//! Filtered reads of the log.

use rapidphoto_application::ports::{Cursor, DatabasePorts, EventFilter};
use rapidphoto_domain::{StreamType, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations,
};

/// Writes a log of two users with two jobs each and varied events. Returns filters for the last owner and job.
async fn varied(db: &DatabasePorts, harness: &impl DatabaseHarness) -> (EventFilter, EventFilter) {
    let now = harness.now();
    let mut last = None;
    for _ in 0..2 {
        let owner = fixtures::user(db, now).await;
        for _ in 0..2 {
            let (job, photos) = fixtures::job(db, now, owner, 3).await;
            let started = fixtures::execute(db, now, &photos[0], PhotoCommand::StartUpload).await;
            fixtures::execute(db, now, &started, PhotoCommand::CompleteUpload).await;
            fixtures::execute(db, now, &photos[1], PhotoCommand::Cancel).await;
            last = Some((owner, job.value.id));
        }
    }
    let (owner, job) = last.unwrap();
    let of_owner = EventFilter {
        owner: Some(owner),
        ..EventFilter::default()
    };
    let of_job = EventFilter {
        job: Some(job),
        ..EventFilter::default()
    };
    (of_owner, of_job)
}

/// A filter returns exactly the events that [`EventFilter::matches`] accepts, whatever the page size.
pub async fn a_filter_returns_exactly_the_matching_events<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let (of_owner, of_job) = varied(&db, &harness).await;
    let typed = |types: &[&str]| EventFilter {
        event_types: types.iter().map(|&name| name.to_owned()).collect(),
        ..EventFilter::default()
    };
    let kinds = [StreamType::User, StreamType::Job, StreamType::Photo].map(|kind| EventFilter {
        stream_type: Some(kind),
        ..EventFilter::default()
    });
    let all_criteria = EventFilter {
        stream_type: Some(StreamType::Photo),
        event_types: vec!["PhotoUpload*".to_owned(), "PhotoCancelled".to_owned()],
        owner: of_owner.owner,
        job: of_job.job,
    };
    let unknown_owner = EventFilter {
        owner: Some(fixtures::user_id()),
        ..EventFilter::default()
    };
    let filters = [
        (EventFilter::default(), 2 + 4 * 7),
        (of_owner, 1 + 2 * 7),
        (of_job, 7),
        (kinds[0].clone(), 2),
        (kinds[1].clone(), 4),
        (kinds[2].clone(), 24),
        (typed(&["PhotoQueued"]), 12),
        (typed(&["PhotoUpload*"]), 8),
        (typed(&["Photo*"]), 24),
        (typed(&["*"]), 30),
        (typed(&["UploadJobCreated", "UserRegistered"]), 6),
        // Parts of names and other spellings do not match, and the wildcards of SQL have no meaning.
        (typed(&["Queued"]), 0),
        (typed(&["photoqueued"]), 0),
        (typed(&["Photo"]), 0),
        (typed(&["Photo%", "Photo_ueued", "%"]), 0),
        (typed(&["Photo_pload*"]), 0),
        (all_criteria, 3),
        (unknown_owner, 0),
    ];
    let all = observations::log(&db).await;
    for (filter, count) in filters {
        let expected: Vec<_> = all
            .iter()
            .filter(|stored| {
                let (name, _) = stored.event.encode().unwrap();
                filter.matches(stored.stream.stream_type(), &name, stored.owner, stored.job)
            })
            .cloned()
            .collect();
        assert_eq!(expected.len(), count, "{filter:?}");
        for page in [1, 4, 100] {
            assert_eq!(
                observations::events_from(&db, Cursor::START, &filter, page).await,
                expected,
                "{filter:?}"
            );
        }
    }
}

/// A reader with rare matches reaches the log's head and does not scan the log again.
pub async fn a_reader_with_rare_matches_reaches_the_head<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let rare = EventFilter {
        event_types: vec!["PhotoCancelled".to_owned()],
        ..EventFilter::default()
    };
    let mut found = Vec::new();
    let mut cursor = Cursor::START;
    for round in 0..3 {
        let mut commit = fixtures::commit(now);
        let job = commit.write_job(owner, 200);
        let photos: Vec<_> = (0..200)
            .map(|_| commit.write_photo(fixtures::declared_photo(now, owner, job.value.id)))
            .collect();
        commit_ok(&db, commit).await;
        if round == 1 {
            fixtures::execute(&db, now, &photos[7], PhotoCommand::Cancel).await;
        }
        loop {
            let page = db.log.events_after(cursor, &rare, 10).await.unwrap();
            found.extend(page.events);
            assert!(page.scanned_to > cursor || page.at_end);
            cursor = page.scanned_to;
            if page.at_end {
                break;
            }
        }
        assert!(found.iter().all(|event| event.cursor <= cursor), "round {round}");
        let rest = db
            .log
            .events_after(cursor, &EventFilter::default(), 1)
            .await
            .unwrap();
        assert_eq!(rest.events, [], "round {round}");
        assert_eq!(
            db.log.count_events_after(cursor, owner, None, 1).await.unwrap(),
            Some(0)
        );
    }
    assert_eq!(found.len(), 1);
}

/// A page reports the position up to which it was scanned, and contains every match before that.
pub async fn a_page_omits_no_match_before_its_end<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let (of_owner, _) = varied(&db, &harness).await;
    let all = observations::events_from(&db, Cursor::START, &of_owner, 100).await;
    for limit in 1..all.len() {
        let page = db
            .log
            .events_after(Cursor::START, &of_owner, limit)
            .await
            .unwrap();
        assert!(page.events.len() <= limit);
        let missed = all[page.events.len()..]
            .iter()
            .filter(|event| event.cursor <= page.scanned_to);
        assert_eq!(missed.count(), 0);
        assert_eq!(page.events, all[..page.events.len()]);
    }
}

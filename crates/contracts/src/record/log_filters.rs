//! Readers that want a part of the log.

use rapidphoto_application::ports::{Cursor, DatabasePorts, EventFilter};
use rapidphoto_domain::{StreamType, photo::PhotoCommand};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen,
};

/// A log of two users with two jobs each, in which a bit of everything happened.
async fn varied(record: &DatabasePorts, harness: &impl RecordHarness) -> (EventFilter, EventFilter) {
    let now = harness.now();
    let mut last = None;
    for _ in 0..2 {
        let owner = given::user(record, now).await;
        for _ in 0..2 {
            let (job, photos) = given::job(record, now, owner, 3).await;
            let started = given::command(record, now, &photos[0], PhotoCommand::StartUpload).await;
            given::command(record, now, &started, PhotoCommand::CompleteUpload).await;
            given::command(record, now, &photos[1], PhotoCommand::Cancel).await;
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

/// What matches by the port's own word is found, no more and no less, whatever the page's size.
pub async fn a_filter_finds_exactly_what_matches<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let (of_owner, of_job) = varied(&record, &harness).await;
    let typed = |types: &[&str]| EventFilter {
        event_types: types.iter().map(|&name| name.to_owned()).collect(),
        ..EventFilter::default()
    };
    let kinds = [StreamType::User, StreamType::Job, StreamType::Photo].map(|kind| EventFilter {
        stream_type: Some(kind),
        ..EventFilter::default()
    });
    let everything_at_once = EventFilter {
        stream_type: Some(StreamType::Photo),
        event_types: vec!["PhotoUpload*".to_owned(), "PhotoCancelled".to_owned()],
        owner: of_owner.owner,
        job: of_job.job,
    };
    let nobody = EventFilter {
        owner: Some(given::user_id()),
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
        // Neither a part of a name nor another spelling, and no sign of a database's own patterns.
        (typed(&["Queued"]), 0),
        (typed(&["photoqueued"]), 0),
        (typed(&["Photo"]), 0),
        (typed(&["Photo%", "Photo_ueued", "%"]), 0),
        (typed(&["Photo_pload*"]), 0),
        (everything_at_once, 3),
        (nobody, 0),
    ];
    let all = seen::log(&record).await;
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
                seen::events_from(&record, Cursor::START, &filter, page).await,
                expected,
                "{filter:?}"
            );
        }
    }
}

/// A reader whose matches are rare comes to the log's end and need not search it again from where it began.
pub async fn a_reader_whose_matches_are_rare_still_advances<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let rare = EventFilter {
        event_types: vec!["PhotoCancelled".to_owned()],
        ..EventFilter::default()
    };
    let mut found = Vec::new();
    let mut cursor = Cursor::START;
    for round in 0..3 {
        let mut commit = given::commit(now);
        let job = commit.write_job(owner, 200);
        let photos: Vec<_> = (0..200)
            .map(|_| commit.write_photo(given::promise(now, owner, job.value.id)))
            .collect();
        stands(&record, commit).await;
        if round == 1 {
            given::command(&record, now, &photos[7], PhotoCommand::Cancel).await;
        }
        loop {
            let page = record.log.events_after(cursor, &rare, 10).await.unwrap();
            found.extend(page.events);
            assert!(page.scanned_to > cursor || page.at_end);
            cursor = page.scanned_to;
            if page.at_end {
                break;
            }
        }
        assert_eq!(cursor, record.log.head().await.unwrap(), "round {round}");
        assert_eq!(record.log.count_events_after(cursor, 1).await.unwrap(), Some(0));
    }
    assert_eq!(found.len(), 1);
}

/// A page that is full says how far it searched, and nothing that matches stands before that.
pub async fn a_full_page_ends_no_further_than_it_searched<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let (of_owner, _) = varied(&record, &harness).await;
    let all = seen::events_from(&record, Cursor::START, &of_owner, 100).await;
    for limit in 1..all.len() {
        let page = record
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

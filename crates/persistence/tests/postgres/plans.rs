//! Plans of the frequent statements, over analysed tables of 12 000 rows and more: no read scans a table, and each reads few rows
//! however many there are. They are measured by the server's counters of executed scans, so that they are those of the plans
//! in use: a statement's sixth execution can have another plan than its first.

#[path = "searches.rs"]
mod searches;

use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{
    AttemptBudget, AttemptKey, Clock as _, Counts, Cursor, DatabasePorts, EventFilter, Outcome,
    PhotoListQuery, PhotoPosition, PhotoSort, SessionId, SortDirection, WorkKind,
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{JobId, PhotoId, StreamId, UserId, Version, photo::PhotoStatus, values::TagLabel};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{PgStore, migrate};
use rapidphoto_test_services::PostgresServer;
use tokio_postgres::Client;

use crate::server::{config, connect, create_database, open};

const NAMESPACE: &str = "plans";

/// Executions of each read on one connection.
const RUNS: i64 = 8;

/// Gives the photos of the fixtures different sizes and times, and some of them other statuses; 1 in 100 is open, 1 in 100
/// failed, half have a time of exposure, 1 in 20 the tag `sea` and all the tag `holiday`. Each has work that is due. Copies of events make the log longer, jobs of other
/// users the table of jobs.
const VARY: &str = "
    UPDATE photos SET
        bytes = 1000 + abs(hashtext(photo_id)) % 1000000,
        created_at = created_at + abs(hashtext(photo_id || 'created')) % 1000000,
        taken_at = CASE WHEN abs(hashtext(photo_id || 'dated')) % 2 = 0 THEN abs(hashtext(photo_id || 'taken')) END,
        status = CASE abs(hashtext(photo_id || 'status')) % 100
                 WHEN 0 THEN 'FAILED' WHEN 1 THEN 'QUEUED' ELSE 'COMPLETED' END;
    INSERT INTO events (namespace, event_id, stream_type, stream_id, version, owner, job_id, event_type, schema_version,
                        payload, metadata, occurred_at)
        SELECT namespace, event_id || copy, stream_type, stream_id || copy, version, owner, job_id, event_type,
               schema_version, payload, metadata, occurred_at
        FROM events CROSS JOIN generate_series(1, 4) AS copies (copy);
    INSERT INTO photo_tags (namespace, owner, label, created_at, photo_id)
        SELECT namespace, owner, 'sea', created_at, photo_id FROM photos
        WHERE abs(hashtext(photo_id || 'tag')) % 20 = 0
        UNION ALL SELECT namespace, owner, 'holiday', created_at, photo_id FROM photos;
    INSERT INTO photo_words (namespace, photo_id, word, source, owner)
        SELECT namespace, photo_id, 'sea' || abs(hashtext(photo_id)) % 3, 'tag', owner FROM photos
        WHERE abs(hashtext(photo_id || 'tag')) % 20 = 0;
    INSERT INTO photo_work (namespace, photo_id, kind, owner, priority, due_at, attempts, claims)
        SELECT namespace, photo_id, 'process', owner, 0, created_at, 0, 0 FROM photos;
    INSERT INTO upload_jobs (namespace, job_id, owner, version, state, created_at, updated_at)
        SELECT namespace, job_id || copy, owner || copy, version, state, created_at, updated_at
        FROM upload_jobs CROSS JOIN generate_series(1, 5000) AS copies (copy);
    INSERT INTO attempts (namespace, key, counted, expires_at)
        SELECT namespace, decode(md5(photo_id), 'hex'), ARRAY[created_at], created_at + 60000 FROM photos;
    INSERT INTO sessions (namespace, session_id, user_id, scopes, token, used_at, expires_at, ends_at)
        SELECT namespace, decode(md5(photo_id), 'hex'), owner, '', decode(md5(photo_id), 'hex'), created_at, created_at, created_at
        FROM photos;";

/// Sequential scans of the large tables, and entries that scans of their indexes have read.
const COUNTERS: &str = "
    SELECT (SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname = ANY($1)),
           (SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = ANY($1))";
const TABLES: [&str; 9] = [
    "events",
    "photos",
    "photo_details",
    "photo_tags",
    "photo_words",
    "photo_work",
    "upload_jobs",
    "attempts",
    "sessions",
];

struct Database {
    url: String,
    client: Client,
    owner: UserId,
    job: JobId,
    photos: Vec<PhotoId>,
    // Last field: stopped after the connections are closed.
    _server: PostgresServer,
}

impl Database {
    /// A database with photos of three owners, one of whom has most.
    async fn new() -> Self {
        let server = PostgresServer::start();
        let url = create_database(&server.url()).await;
        migrate(&config(&url, NAMESPACE)).await.unwrap();
        let store = open(&url, NAMESPACE, Arc::<FakeClock>::default()).await;
        let db = DatabasePorts::of(store.clone());
        let now = FakeClock::default().now();
        let owner = fixtures::user(&db, now).await;
        for _ in 0..2 {
            let other = fixtures::user(&db, now).await;
            fixtures::job(&db, now, other, 1000).await;
        }
        let mut jobs = Vec::new();
        for _ in 0..100 {
            jobs.push(fixtures::job(&db, now, owner, 100).await);
        }
        let (job, photos) = jobs.swap_remove(50);
        store.close().await;
        let client = connect(&url).await;
        client.batch_execute(VARY).await.unwrap();
        client.batch_execute("VACUUM ANALYZE").await.unwrap();
        Self {
            url,
            client,
            owner,
            job: job.value.id,
            photos: photos.iter().map(|photo| photo.value.id).collect(),
            _server: server,
        }
    }

    async fn store(&self) -> Arc<PgStore> {
        open(&self.url, NAMESPACE, Arc::<FakeClock>::default()).await
    }

    /// Position of the 2 500th photo of a list.
    async fn deep(&self, column: &str) -> PhotoPosition {
        let sql = format!(
            "SELECT {column}::bigint, photo_id FROM photos WHERE owner = $1 AND {column} IS NOT NULL
             ORDER BY {column}, photo_id OFFSET 2500 LIMIT 1"
        );
        let owner = self.owner.to_string();
        let row = self.client.query_one(&sql, &[&owner]).await.unwrap();
        PhotoPosition {
            value: Some(row.get(0)),
            photo: row.get::<_, &str>(1).parse().unwrap(),
        }
    }

    /// The list must be the same without its tag, which all photos have.
    async fn assert_lists_all(&self, query: PhotoListQuery) {
        let store = self.store().await;
        let db = DatabasePorts::of(store.clone());
        let untagged = PhotoListQuery {
            tag: None,
            ..query.clone()
        };
        let expected = db.photos.list(self.owner, &untagged).await.unwrap();
        assert_eq!(db.photos.list(self.owner, &query).await.unwrap(), expected);
        store.close().await;
    }

    /// Counters of all ended connections; each reports the last of its scans when it ends.
    async fn counters(&self) -> (i64, i64) {
        let others = "SELECT pid FROM pg_stat_activity WHERE application_name = 'rapidphoto-tests'";
        while !self.client.query(others, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // Scans by queries of this test are counted before, not at some later time.
        let flush = "SELECT pg_stat_force_next_flush()";
        self.client.query(flush, &[]).await.unwrap();
        let tables = &TABLES[..];
        let row = self.client.query_one(COUNTERS, &[&tables]).await.unwrap();
        (row.get(0), row.get(1))
    }

    /// Executes a read, which must scan no table and read at most `max_entries` of indexes.
    async fn assert_indexed(&self, name: &str, max_entries: i64, read: impl AsyncFn(&DatabasePorts)) {
        let before = self.counters().await;
        let store = self.store().await;
        let db = DatabasePorts::of(store.clone());
        for _ in 0..RUNS {
            read(&db).await;
        }
        store.close().await;
        drop((db, store));
        let after = self.counters().await;
        assert_eq!(after.0 - before.0, 0, "{name} scans a table");
        let entries = (after.1 - before.1) / RUNS;
        assert!(entries > 0, "{name} reads no index");
        assert!(
            entries <= max_entries,
            "{name} reads {entries} entries of indexes"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frequent_reads_use_indexes() {
    let database = Database::new().await;
    log(&database).await;
    jobs_and_photos(&database).await;
    lists(&database).await;
    tagged_lists(&database).await;
    searches::searches(&database).await;
    claims(&database).await;
    attempts(&database).await;
}

async fn log(database: &Database) {
    let (owner, job) = (database.owner, database.job);
    let stream = StreamId::Job(job);
    let store = database.store().await;
    let db = DatabasePorts::of(store.clone());
    let middle = db.log.events(stream, Version::NEW).await.unwrap()[0].cursor;
    store.close().await;
    let filters = [
        EventFilter::default(),
        EventFilter {
            owner: Some(owner),
            ..EventFilter::default()
        },
        EventFilter {
            owner: Some(owner),
            job: Some(job),
            ..EventFilter::default()
        },
    ];
    for filter in filters {
        let page = async |db: &DatabasePorts| {
            let page = db.log.events_after(middle, &filter, 50).await.unwrap();
            assert_eq!(page.events.len(), 50);
        };
        database
            .assert_indexed(&format!("a page of {filter:?}"), 60, page)
            .await;
        let tail = async |db: &DatabasePorts| {
            let head = db.log.head().await.unwrap();
            let page = db.log.events_after(head, &filter, 500).await.unwrap();
            assert!(page.at_end);
            // Without it, the counters would show no use of indexes.
            db.log.latest_version(stream).await.unwrap();
        };
        database
            .assert_indexed(&format!("the tail of {filter:?}"), 2, tail)
            .await;
    }
    let by_type = EventFilter {
        event_types: vec!["UploadJobCreated".to_owned()],
        ..EventFilter::default()
    };
    let page = async |db: &DatabasePorts| {
        let page = db.log.events_after(Cursor::START, &by_type, 10).await.unwrap();
        assert_eq!(page.events.len(), 10);
    };
    database.assert_indexed("a page of one type", 5_020, page).await;
    let lag = async |db: &DatabasePorts| {
        for job in [None, Some(job)] {
            let count = db.log.count_events_after(Cursor::START, owner, job, 50).await;
            assert_eq!(count.unwrap(), Some(50));
        }
    };
    database.assert_indexed("the lag of a reader", 110, lag).await;
}

async fn jobs_and_photos(database: &Database) {
    let (owner, job, photos) = (database.owner, database.job, &database.photos);
    let snapshot = async |db: &DatabasePorts| {
        let view = db.jobs.job(owner, job).await.unwrap().unwrap();
        assert_eq!(view.photos.len(), 100);
    };
    database.assert_indexed("a job's snapshot", 210, snapshot).await;
    let last_change = async |db: &DatabasePorts| {
        assert!(db.jobs.last_change(owner, job).await.unwrap().unwrap().settled);
    };
    database
        .assert_indexed("a job's last change", 1, last_change)
        .await;
    let by_ids = async |db: &DatabasePorts| {
        assert_eq!(db.photos.by_ids(owner, photos).await.unwrap().len(), 100);
        assert!(db.photos.photo(owner, photos[0]).await.unwrap().is_some());
    };
    database.assert_indexed("photos by their ids", 210, by_ids).await;
    let open_jobs = async |db: &DatabasePorts| {
        db.aggregates.open_jobs(&[job]).await.unwrap();
        db.aggregates.job(job).await.unwrap().unwrap();
    };
    database.assert_indexed("open jobs", 5, open_jobs).await;
}

const DIRECTIONS: [SortDirection; 2] = [SortDirection::Ascending, SortDirection::Descending];

async fn lists(database: &Database) {
    for (sort, column) in [
        (PhotoSort::CreatedAt, "created_at"),
        (PhotoSort::TakenAt, "taken_at"),
        (PhotoSort::Bytes, "bytes"),
    ] {
        let deep = database.deep(column).await;
        let undated = PhotoPosition {
            value: None,
            photo: database.photos[0],
        };
        let mut positions = vec![None, Some(deep)];
        positions.extend((sort == PhotoSort::TakenAt).then_some(Some(undated)));
        for (direction, after) in DIRECTIONS
            .into_iter()
            .flat_map(|direction| positions.iter().map(move |after| (direction, after.clone())))
        {
            for (status, max_entries) in [
                (None, 102),
                (Some(PhotoStatus::Completed), 110),
                // 1 in 100 has one of these, and fewer of them are after the position.
                (Some(PhotoStatus::Failed), 110),
                // All open photos are read, about 100, with at most three entries for each, and sorted.
                (Some(PhotoStatus::Queued), 300),
            ] {
                let query = PhotoListQuery {
                    status,
                    sort,
                    direction,
                    size: 50,
                    after: after.clone(),
                    ..PhotoListQuery::default()
                };
                let page = async |db: &DatabasePorts| {
                    db.photos.list(database.owner, &query).await.unwrap();
                };
                database
                    .assert_indexed(&format!("{query:?}"), max_entries, page)
                    .await;
            }
        }
    }
}

async fn tagged_lists(database: &Database) {
    let created = database.deep("created_at").await;
    let bytes = database.deep("bytes").await;
    // A page of another order counts and reads all photos with a rare tag, about 500; of a common tag it counts 5 001.
    for (tag, sort, after, max_entries) in [
        ("sea", PhotoSort::CreatedAt, created.clone(), 153),
        ("holiday", PhotoSort::CreatedAt, created, 153),
        ("sea", PhotoSort::Bytes, bytes.clone(), 2_000),
        ("holiday", PhotoSort::Bytes, bytes, 5_001 + 153),
    ] {
        for (direction, after) in [
            (SortDirection::Ascending, None),
            (SortDirection::Descending, None),
            (SortDirection::Ascending, Some(after.clone())),
            (SortDirection::Descending, Some(after)),
        ] {
            let query = PhotoListQuery {
                tag: Some(TagLabel::parse(tag).unwrap()),
                sort,
                direction,
                size: 50,
                after,
                ..PhotoListQuery::default()
            };
            let page = async |db: &DatabasePorts| {
                let page = db.photos.list(database.owner, &query).await.unwrap();
                assert_eq!(page.items.len(), 50);
            };
            database
                .assert_indexed(&format!("{query:?}"), max_entries, page)
                .await;
            if tag == "holiday" {
                database.assert_lists_all(query).await;
            }
        }
    }
}

async fn claims(database: &Database) {
    let claim = async |db: &DatabasePorts| {
        let claims = db
            .work
            .claim(&WorkKind::ALL, 8, Duration::from_mins(1))
            .await
            .unwrap();
        assert_eq!(claims.len(), 8);
        db.work.due_in(&WorkKind::ALL).await.unwrap().unwrap();
    };
    // Entries of earlier claims are read until the table is vacuumed.
    database.assert_indexed("a claim", 300, claim).await;
}

async fn attempts(database: &Database) {
    let budgets = [1, 2, 3, 4].map(|number| AttemptBudget {
        key: AttemptKey([number; 16]),
        allowed: 100,
        counts: Counts::Failures,
    });
    let attempt = async |db: &DatabasePorts| {
        let began_at = db.attempts.begin(&budgets).await.unwrap().began_at.unwrap();
        let outcomes = budgets.map(|budget| (budget.key, Outcome::Failed));
        db.attempts.settle(began_at, &outcomes).await.unwrap();
    };
    // Each of five statements finds the four rows, and earlier versions of them that are not removed yet.
    database.assert_indexed("an attempt", 100, attempt).await;
    // Few of the 10 000: to find 1 in 100, a scan of the table is the cheaper plan.
    let watched: Vec<_> = (0..10).map(|number| SessionId([number; 16])).collect();
    let checked = async |db: &DatabasePorts| {
        assert_eq!(db.sessions.ended_among(&watched).await.unwrap().len(), 10);
        // Without it, the counters would show no use of indexes.
        db.jobs.last_change(database.owner, database.job).await.unwrap();
    };
    database.assert_indexed("watched sessions", 100, checked).await;
}

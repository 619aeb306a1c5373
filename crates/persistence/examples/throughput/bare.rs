//! Load generator: the adapter's statements, prepared once per connection, with as little work beside them as possible.
//! Each client has a connection of its own. Rows are received and not decoded.

use std::{error::Error, sync::Arc};

use futures::{FutureExt as _, try_join};
use rapidphoto_application::{
    log::EventCodec,
    ports::{AggregateState, Commit, Cursor, EventMetadata},
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{JobId, Timestamp, UserId};
use rapidphoto_persistence::pg_texts;
use tokio_postgres::{
    Client as Connection, NoTls, Row, Statement,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use crate::{
    load::job_of,
    measure::Client,
    postgres::{CLAIM, LEASE, TAIL},
};

/// JSON as text.
#[derive(Debug)]
struct Json(String);

impl ToSql for Json {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }

    to_sql_checked!();
}

/// A connection of the load generator, with its statements.
pub(crate) struct Bare {
    connection: Connection,
    namespace: String,
    create_job: [Statement; 5],
    snapshot: Statement,
    last_change: Statement,
    page: Statement,
    claim: [Statement; 2],
}

const TEXTS: Type = Type::TEXT_ARRAY;
const NUMBERS: Type = Type::INT8_ARRAY;

impl Bare {
    /// Opens a connection for each client.
    pub(crate) async fn connect(url: &str, namespace: &str, clients: usize) -> Vec<Self> {
        let mut sessions = Vec::new();
        for _ in 0..clients {
            sessions.push(Self::open(url, namespace).await);
        }
        sessions
    }

    #[expect(clippy::too_many_lines, reason = "the statements, with their types")]
    async fn open(url: &str, namespace: &str) -> Self {
        let (connection, driver) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(driver);
        connection.batch_execute("SET jit = off").await.unwrap();
        let prepare = async |text: &str, types: &[Type]| connection.prepare_typed(text, types).await.unwrap();
        let [jobs, photos, details, work, events] = pg_texts::CREATE_JOB;
        let [unpark, claim] = pg_texts::CLAIM;
        let create_job = [
            prepare(
                jobs,
                &[Type::TEXT, Type::INT8, TEXTS, TEXTS, NUMBERS, Type::JSON_ARRAY],
            )
            .await,
            prepare(
                photos,
                &[
                    Type::TEXT,
                    Type::INT8,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    Type::BOOL_ARRAY,
                    NUMBERS,
                    NUMBERS,
                    Type::JSON_ARRAY,
                ],
            )
            .await,
            prepare(
                details,
                &[
                    Type::TEXT,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    Type::JSON_ARRAY,
                    Type::JSON_ARRAY,
                ],
            )
            .await,
            prepare(
                work,
                &[
                    Type::TEXT,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    Type::INT4_ARRAY,
                    NUMBERS,
                    Type::INT8,
                ],
            )
            .await,
            prepare(
                events,
                &[
                    Type::TEXT,
                    Type::JSON,
                    Type::INT8,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    NUMBERS,
                    TEXTS,
                    TEXTS,
                    TEXTS,
                    Type::INT4_ARRAY,
                    Type::JSON_ARRAY,
                ],
            )
            .await,
        ];
        let claim = [
            prepare(unpark, &[Type::TEXT, Type::TEXT, Type::BOOL, Type::INT8]).await,
            prepare(
                claim,
                &[
                    Type::TEXT,
                    Type::TEXT,
                    Type::BOOL,
                    Type::INT4,
                    Type::TEXT,
                    Type::INT8,
                    Type::INT8,
                    Type::INT8,
                ],
            )
            .await,
        ];
        Self {
            create_job,
            snapshot: prepare(pg_texts::JOB_SNAPSHOT, &[Type::TEXT, Type::TEXT, Type::TEXT]).await,
            last_change: prepare(pg_texts::LAST_CHANGE, &[Type::TEXT, Type::TEXT]).await,
            page: prepare(
                &pg_texts::page_of_log(),
                &[Type::TEXT, Type::INT8, Type::INT8, Type::INT8],
            )
            .await,
            claim,
            namespace: namespace.to_owned(),
            connection,
        }
    }

    pub(crate) fn jobs(self, now: Timestamp) -> Client {
        let (bare, owner) = (Arc::new(self), fixtures::user_id());
        Box::new(move || {
            let bare = bare.clone();
            async move {
                bare.create_job(&NewJob::of(job_of(100, owner, now).0)).await;
                1
            }
            .boxed()
        })
    }

    #[expect(clippy::indexing_slicing, reason = "every list has an item for the job")]
    async fn create_job(&self, job: &NewJob) {
        let (c, [jobs, photos, details, work, events]) = (&self.connection, &self.create_job);
        let (namespace, at, count) = (&self.namespace, job.at, job.photos.len());
        let owners = vec![&job.owner; count + 1];
        let ids = vec![&job.job; count + 1];
        let ones = vec![1_i64; count + 1];
        let none: Vec<Option<Json>> = (0..count).map(|_| None).collect();
        let mut kinds = vec!["photo"; count + 1];
        kinds[0] = "job";
        let streams: Vec<&String> = [&job.job].into_iter().chain(&job.photos).collect();
        let no_time: Option<i64> = None;
        let parameters: [&[&(dyn ToSql + Sync)]; 5] = [
            &[
                namespace,
                &at,
                &&ids[..1],
                &&owners[..1],
                &&ones[..1],
                &&job.states[..1],
            ],
            &[
                namespace,
                &at,
                &job.photos,
                &&owners[1..],
                &&ids[1..],
                &job.uploads,
                &vec!["QUEUED"; count],
                &vec![false; count],
                &vec![3_141_592_i64; count],
                &&ones[1..],
                &&job.states[1..],
            ],
            &[
                namespace,
                &job.photos,
                &&owners[1..],
                &vec!["IMG_0001.jpg"; count],
                &none,
                &none,
            ],
            &[
                namespace,
                &job.photos,
                &vec!["process"; count],
                &&owners[1..],
                &vec![0_i32; count],
                &vec![60_000_i64; count],
                &no_time,
            ],
            &[
                namespace,
                &job.metadata,
                &at,
                &job.events,
                &kinds,
                &streams,
                &ones,
                &owners,
                &ids,
                &job.types,
                &job.schema_versions,
                &job.payloads,
            ],
        ];
        let written = try_join!(
            c.batch_execute("BEGIN"),
            c.execute(jobs, parameters[0]),
            c.execute(photos, parameters[1]),
            c.execute(details, parameters[2]),
            c.execute(work, parameters[3]),
            c.query(events, parameters[4]),
            c.batch_execute("COMMIT"),
        );
        written.unwrap();
    }

    pub(crate) fn snapshots(self, owner: UserId, job: JobId) -> Client {
        let (bare, ids) = (Arc::new(self), (job.to_string(), owner.to_string()));
        Box::new(move || {
            let (bare, (job, owner)) = (bare.clone(), ids.clone());
            async move {
                bare.query(&bare.snapshot, &[&bare.namespace, &job, &owner])
                    .await
                    .len()
                    .min(1)
            }
            .boxed()
        })
    }

    pub(crate) fn last_changes(self, job: JobId) -> Client {
        let (bare, job) = (Arc::new(self), job.to_string());
        Box::new(move || {
            let (bare, job) = (bare.clone(), job.clone());
            async move {
                bare.query(&bare.last_change, &[&bare.namespace, &job])
                    .await
                    .len()
            }
            .boxed()
        })
    }

    pub(crate) fn tails(self, end: Cursor) -> Client {
        let (bare, epoch) = (Arc::new(self), i64::try_from(end.epoch()).unwrap());
        Box::new(move || {
            let bare = bare.clone();
            async move {
                let limit = i64::try_from(TAIL).unwrap() + 1;
                let rows = bare
                    .query(&bare.page, &[&bare.namespace, &epoch, &0_i64, &limit])
                    .await;
                rows.len().min(1)
            }
            .boxed()
        })
    }

    pub(crate) fn claims(self) -> Client {
        let (bare, after) = (Arc::new(self), Arc::new(tokio::sync::Mutex::new(String::new())));
        Box::new(move || {
            let (bare, after) = (bare.clone(), after.clone());
            async move { bare.claim(&mut *after.lock().await).await }.boxed()
        })
    }

    async fn claim(&self, after: &mut String) -> usize {
        let (namespace, kind, no_time) = (&self.namespace, "process", None::<i64>);
        let (room, lease) = (
            i64::try_from(CLAIM).unwrap(),
            i64::try_from(LEASE.as_millis()).unwrap(),
        );
        let [unpark, claim] = &self.claim;
        self.query(unpark, &[namespace, &kind, &false, &no_time]).await;
        let parameters: &[&(dyn ToSql + Sync)] =
            &[namespace, &kind, &false, &0_i32, after, &room, &no_time, &lease];
        let rows = self.query(claim, parameters).await;
        if let Some(last) = rows.last() {
            *after = last.get(1);
        }
        rows.len()
    }

    async fn query(&self, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.connection.query(statement, parameters).await.unwrap()
    }
}

/// Columns of a new job's rows: the job's state and event, then those of its photos.
struct NewJob {
    at: i64,
    owner: String,
    job: String,
    photos: Vec<String>,
    uploads: Vec<String>,
    states: Vec<Json>,
    events: Vec<String>,
    types: Vec<String>,
    schema_versions: Vec<i32>,
    payloads: Vec<Json>,
    metadata: Json,
}

impl NewJob {
    fn of(commit: Commit) -> Self {
        let codec = EventCodec::default();
        let mut new = Self {
            at: commit.at.timestamp_millis(),
            owner: String::new(),
            job: String::new(),
            photos: Vec::new(),
            uploads: Vec::new(),
            states: Vec::new(),
            events: Vec::new(),
            types: Vec::new(),
            schema_versions: Vec::new(),
            payloads: Vec::new(),
            metadata: Json(serde_json::to_string(&EventMetadata::default()).unwrap()),
        };
        for change in commit.changes {
            match &change.state {
                AggregateState::Job(job) => {
                    new.owner = job.owner.to_string();
                    new.job = job.id.to_string();
                }
                AggregateState::Photo(photo) => {
                    new.photos.push(photo.id.to_string());
                    new.uploads.push(photo.upload_id.to_string());
                }
                AggregateState::User(_) => {}
            }
            new.states
                .push(Json(serde_json::to_string(&change.state).unwrap()));
            for event in &*change.events {
                let encoded = codec.encode(&event.event).unwrap();
                new.events.push(event.id.to_string());
                new.types.push(encoded.event_type);
                new.schema_versions.push(i32::from(encoded.schema_version));
                new.payloads.push(Json(encoded.payload.to_string()));
            }
        }
        new
    }
}

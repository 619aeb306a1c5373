use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_application::{
    admin::VerifyStateRows,
    intake::StorageEventHandler,
    jobs::{CancelJob, CancelJobHandler, CreateJob, CreateJobHandler, RawFile},
    live::{LiveTail, WatchHandler},
    log::EventCodec,
    photos::{DeletePhoto, DeletePhotoHandler},
    ports::{
        Aggregates, Clock, Cursor, DatabasePorts, EventFilter, EventLog, EventMetadata, MessageRefused,
        Ports, PresignedUrl, StorageMessages, StoredEvent, WorkKind, WorkQueue,
    },
    progress::{ProgressBoard, ProgressTick},
    settings::{AuthSettings, CheckSettings, Settings, StorageSettings, UploadSettings, WorkSettings},
    signals::{SignallingJournal, Signals},
    subscriptions::{JobCompletion, SubscriptionRunner},
    uploads::{FinalizeUpload, FinalizeUploadHandler},
    work::WorkRunner,
};
use rapidphoto_domain::{
    DomainEvent, JobId, PhotoId, Timestamp, UserId,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent, PhotoStatus},
    values::{Checksum, KeySpace, Progress, ThumbnailEdge},
};
use rapidphoto_memory::{
    ClientAnswer, FakeClock, MemoryObjects, MemoryStore, PlainPasswords, PlainTokens, SeededIds,
    StubInspector,
};
use sha2::{Digest, Sha256};

/// A whole deployment in memory, with the strings in the test's hand.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) ids: Arc<SeededIds>,
    pub(crate) store: MemoryStore,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) inspector: Arc<StubInspector>,
    pub(crate) board: Arc<ProgressBoard>,
    pub(crate) signals: Signals,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ports: Ports,
    pub(crate) runner: Arc<WorkRunner>,
    pub(crate) owner: UserId,
}

/// A photo that was promised, and the URL to send it to.
#[derive(Debug, Clone)]
pub(crate) struct Promised {
    pub(crate) photo: PhotoId,
    pub(crate) job: JobId,
    pub(crate) url: PresignedUrl,
}

pub(crate) const BODY: &[u8] = b"the bytes of a photo";
/// For whatever would otherwise hang: a slow machine never needs that long.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(1, |_| {})
    }

    pub(crate) fn with(seed: u64, adjust: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(FakeClock::default());
        let any_clock: Arc<dyn Clock> = clock.clone();
        let mut settings = settings();
        adjust(&mut settings);
        let settings = Arc::new(settings);
        let ids = Arc::new(SeededIds::new(seed, Arc::clone(&any_clock)));
        let store = MemoryStore::new(Arc::clone(&any_clock), EventCodec::default());
        let objects = Arc::new(MemoryObjects::new(
            &settings.storage.bucket,
            Arc::clone(&any_clock),
        ));
        let inspector = Arc::new(StubInspector::default());
        let board = Arc::new(ProgressBoard::default());
        let signals = Signals::default();
        let mut database = DatabasePorts::of(Arc::new(store.clone()));
        database.journal = Arc::new(SignallingJournal::new(database.journal, signals.clone()));
        let ports = Ports {
            clock: any_clock,
            ids: ids.clone(),
            database,
            objects: objects.clone(),
            presigner: objects.clone(),
            passwords: Arc::new(PlainPasswords),
            tokens: Arc::new(PlainTokens),
            inspector: inspector.clone(),
        };
        let runner = Arc::new(WorkRunner::new(&ports, &settings, board.clone(), signals.clone()));
        Self {
            clock,
            ids,
            store,
            objects,
            inspector,
            board,
            signals,
            settings,
            ports,
            runner,
            owner: UserId::from_bits(77),
        }
    }

    /// Promises photos of [`BODY`]'s length and checksum.
    pub(crate) async fn promise(&self, photos: usize) -> Vec<Promised> {
        self.promise_as(self.owner, photos).await
    }

    pub(crate) async fn promise_as(&self, owner: UserId, photos: usize) -> Vec<Promised> {
        let checksum = Checksum::from_bytes(Sha256::digest(BODY).into());
        let file = |index| RawFile {
            filename: format!("{index}.jpg"),
            mime_type: "image/jpeg".to_owned(),
            bytes: BODY.len() as u64,
            upload_id: None,
            checksum: Some(("sha256".to_owned(), checksum.to_string())),
        };
        self.promise_files(owner, (0..photos).map(file).collect()).await
    }

    pub(crate) async fn promise_files(&self, owner: UserId, files: Vec<RawFile>) -> Vec<Promised> {
        let command = CreateJob {
            owner,
            files,
            idempotency_key: None,
            metadata: EventMetadata::default(),
        };
        let created = CreateJobHandler::new(&self.ports, Arc::clone(&self.settings))
            .handle(command)
            .await
            .unwrap();
        let promised = created.items.into_iter().map(|item| Promised {
            photo: item.photo,
            job: item.job,
            url: item.upload.expect("a new photo wants its bytes"),
        });
        promised.collect()
    }

    pub(crate) async fn promise_one(&self) -> Promised {
        self.promise(1).await.remove(0)
    }

    pub(crate) fn put(&self, promised: &Promised) -> ClientAnswer {
        self.objects.put_as_client(&promised.url, BODY)
    }

    pub(crate) fn intake(&self) -> StorageEventHandler {
        StorageEventHandler::new(&self.ports, &self.settings)
    }

    /// Hands every waiting announcement to the intake.
    pub(crate) async fn deliver(&self) {
        for message in self.objects.take_announcements() {
            self.intake().take(message).await.unwrap();
        }
    }

    pub(crate) async fn take(&self, message: impl Into<Bytes>) -> Result<(), MessageRefused> {
        self.intake().take(message.into()).await
    }

    pub(crate) async fn finalize(&self, photo: PhotoId) -> Photo {
        let command = FinalizeUpload {
            owner: self.owner,
            photo,
            metadata: EventMetadata::default(),
        };
        FinalizeUploadHandler::new(&self.ports, self.settings.work)
            .handle(command)
            .await
            .unwrap()
    }

    pub(crate) async fn delete(&self, photo: PhotoId) -> Photo {
        let command = DeletePhoto {
            owner: self.owner,
            photo,
            metadata: EventMetadata::default(),
        };
        DeletePhotoHandler::new(&self.ports, self.settings.work)
            .handle(command)
            .await
            .unwrap()
    }

    pub(crate) async fn cancel_job(&self, job: JobId) {
        let command = CancelJob {
            owner: self.owner,
            job,
            metadata: EventMetadata::default(),
        };
        CancelJobHandler::new(&self.ports, self.settings.work)
            .handle(command)
            .await
            .unwrap();
    }

    /// Does all work that is due at this moment.
    pub(crate) async fn work_off(&self) -> usize {
        self.runner.execute_due().await.unwrap()
    }

    /// Moves the clock from one piece of work to the next, until none is left that is due within `horizon`.
    pub(crate) async fn work_off_within(&self, horizon: Duration) {
        let end = self.clock.now() + horizon;
        loop {
            self.work_off().await;
            match self.store.next_due(&WorkKind::ALL).await.unwrap() {
                Some(due) if due <= end => self.clock.set(due.max(self.clock.now())),
                _ => break,
            }
        }
        self.clock.set(end);
    }

    pub(crate) fn completion(&self) -> SubscriptionRunner {
        let reactor = Arc::new(JobCompletion::new(&self.ports, self.settings.work));
        SubscriptionRunner::new(
            reactor,
            &self.ports,
            self.signals.clone(),
            Duration::from_millis(50),
        )
    }

    pub(crate) fn watch(&self, tail: &Arc<LiveTail>) -> WatchHandler {
        WatchHandler::new(&self.ports, Arc::clone(&self.board), Arc::clone(tail))
    }

    pub(crate) fn tail(&self) -> Arc<LiveTail> {
        let poll = Duration::from_millis(50);
        Arc::new(LiveTail::new(
            &self.ports,
            Arc::clone(&self.board),
            self.signals.clone(),
            poll,
        ))
    }

    pub(crate) async fn photo(&self, photo: PhotoId) -> Photo {
        self.store.photo(photo).await.unwrap().unwrap().value
    }

    pub(crate) async fn status(&self, photo: PhotoId) -> PhotoStatus {
        self.photo(photo).await.status()
    }

    pub(crate) async fn job(&self, job: JobId) -> UploadJob {
        Aggregates::job(&self.store, job).await.unwrap().unwrap().value
    }

    pub(crate) async fn log(&self) -> Vec<StoredEvent> {
        let page = self
            .store
            .events_after(Cursor::START, &EventFilter::default(), usize::MAX)
            .await
            .unwrap();
        page.events
    }

    /// What happened to a photo, in order.
    pub(crate) async fn photo_events(&self, photo: PhotoId) -> Vec<PhotoEvent> {
        let events = self.log().await.into_iter();
        events
            .filter(|stored| stored.stream == photo.into())
            .filter_map(|stored| match stored.event {
                DomainEvent::Photo(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// What happened to a job, in order.
    pub(crate) async fn job_events(&self, job: JobId) -> Vec<JobEvent> {
        let events = self.log().await.into_iter();
        events
            .filter(|stored| stored.stream == job.into())
            .filter_map(|stored| match stored.event {
                DomainEvent::Job(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// A client tells how far it is.
    pub(crate) fn tell(&self, tick: ProgressTick) {
        let nothing = Progress::new(0, tick.progress.bytes_total());
        let upload = ProgressTick {
            progress: nothing,
            ..tick
        };
        self.board.track(upload, self.now());
        let sent = tick.progress.bytes_sent();
        assert!(self.board.advance(tick.owner, tick.photo, sent, self.now()));
    }

    pub(crate) fn original(&self, photo: PhotoId) -> String {
        self.settings.storage.keys.original(self.owner, photo)
    }

    pub(crate) fn thumbnail(&self, photo: PhotoId, edge: ThumbnailEdge) -> String {
        self.settings.storage.keys.thumbnail(self.owner, photo, edge)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn assert_record_is_sound(&self) {
        let report = VerifyStateRows::new(&self.ports.database).handle().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.mismatches);
    }
}

/// How often an event of a kind is among these.
pub(crate) fn count<E>(events: &[E], is: impl Fn(&E) -> bool) -> usize {
    events.iter().filter(|event| is(event)).count()
}

fn settings() -> Settings {
    Settings {
        storage: StorageSettings {
            bucket: "uploads".to_owned(),
            region: "memory".to_owned(),
            keys: KeySpace::new("test").unwrap(),
        },
        uploads: UploadSettings::default(),
        work: WorkSettings::default(),
        checks: CheckSettings::default(),
        auth: AuthSettings::default(),
    }
}

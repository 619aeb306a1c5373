//! What cases begin with: users, jobs and photos as use cases write them, decided by the domain.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use chrono::NaiveDate;
use rapidphoto_application::ports::{
    AggregateState, Camera, Change, Claim, Commit, Committed, DatabasePorts, Details, EventMetadata,
    Exposure, IdempotencyKey, IdempotencyRecord, Location, NewEvent, NonEmpty, PasswordHash, PhotoMetadata,
    Priority, RefreshSession, Scopes, StreamTicket, TakenAt, TokenHash, Versioned, WorkKind, WorkOrder,
};
use rapidphoto_domain::{
    EventId, JobId, PhotoId, StreamId, Timestamp, UserId, Version,
    job::{JobEvent, UploadJob},
    photo::{
        Check, Declared, Finding, PerceptualHash, Photo, PhotoCommand, ProcessingResult, QueuePhoto,
        StoredObject, Thumbnail, UploadWindow,
    },
    user::{User, UserEvent},
    values::{Checksum, ETag, Email, Filename, KeySpace, MimeType, ObjectRef, ThumbnailEdge, UploadId},
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Bits that no other call gives, increasing.
fn bits() -> u128 {
    (0x0192_f0aa_bbcc << 80) + u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A user id that names nobody yet.
pub fn user_id() -> UserId {
    UserId::from_bits(bits())
}

/// A job id that names nothing yet.
pub fn job_id() -> JobId {
    JobId::from_bits(bits())
}

/// A photo id that names nothing yet.
pub fn photo_id() -> PhotoId {
    PhotoId::from_bits(bits())
}

/// An event id that names nothing yet.
pub fn event_id() -> EventId {
    EventId::from_bits(bits())
}

/// An upload id that was not used yet.
pub fn upload_id() -> UploadId {
    UploadId::from_random(bits())
}

/// An e-mail address that was not used yet.
pub fn email() -> Email {
    Email::parse(&format!("user-{:x}@example.org", bits())).unwrap()
}

/// A password hash that names its user, so that a case sees whose it got.
pub fn password_hash(user: UserId) -> PasswordHash {
    PasswordHash(format!("$test${user}"))
}

/// An empty commit.
pub fn commit(at: Timestamp) -> Commit {
    Commit::new(at, EventMetadata::default())
}

/// A window that begins at this moment.
pub fn window(from: Timestamp) -> UploadWindow {
    UploadWindow {
        url_expires_at: from + Duration::from_mins(15),
        ends_at: from + Duration::from_hours(24),
    }
}

/// The promise of a photo of 3 MB.
pub fn promise(at: Timestamp, owner: UserId, job: JobId) -> QueuePhoto {
    let id = photo_id();
    QueuePhoto {
        id,
        job,
        owner,
        upload_id: upload_id(),
        declared: Declared {
            mime_type: MimeType::Jpeg,
            bytes: 3_141_592,
            checksum: None,
        },
        object: ObjectRef {
            bucket: "photos".to_owned(),
            key: KeySpace::new("test").unwrap().original(owner, id),
            region: "eu-central-1".to_owned(),
        },
        window: window(at),
    }
}

/// What storage says of an object.
pub fn arrived() -> StoredObject {
    StoredObject {
        e_tag: ETag::parse("9a0364b9e99bb480dd25e1f0284c8555").unwrap(),
        bytes: 3_141_592,
    }
}

/// A result with nothing left out.
pub fn completed(at: Timestamp) -> ProcessingResult {
    ProcessingResult {
        object: arrived(),
        mime_type: MimeType::Jpeg,
        checksum: Checksum::from_bytes([0xab; 32]),
        width: 3024,
        height: 4032,
        thumbnails: vec![
            Thumbnail {
                edge: ThumbnailEdge::Small,
                width: 192,
                height: 256,
            },
            Thumbnail {
                edge: ThumbnailEdge::Large,
                width: 768,
                height: 1024,
            },
        ],
        perceptual_hash: Some(PerceptualHash(0xf0f0_1234_5678_9abc)),
        sharpness: Some(0.1 + 0.2),
        warnings: vec![Finding::measured(Check::Blurry, 12.25, 100.0)],
        completed_at: at,
    }
}

/// The name that photos are promised under.
pub fn filename() -> Filename {
    Filename::parse("Zürich – 猫.jpg").unwrap()
}

/// EXIF with nothing left out, and numbers that take all of their bits.
pub fn metadata() -> PhotoMetadata {
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    PhotoMetadata {
        taken_at: Some(TakenAt {
            local: day.and_hms_milli_opt(23, 59, 58, 123).unwrap(),
            offset_minutes: Some(-570),
        }),
        camera: Some(Camera {
            make: Some("Müller & Söhne".to_owned()),
            model: Some("X \"1\"".to_owned()),
            lens: None,
        }),
        location: Some(Location {
            latitude: -33.856_784_4,
            longitude: 0.1 + 0.2,
            altitude: Some(-0.0),
        }),
        exposure: Some(Exposure {
            exposure_time: Some(1.0 / 3.0),
            f_number: Some(1.8),
            iso: Some(u32::MAX),
            focal_length: None,
        }),
        orientation: Some(8),
        software: Some("猫 1.0".to_owned()),
    }
}

/// Words for commits.
pub trait Writing {
    /// Adds events and the state they lead to.
    fn write(
        &mut self,
        stream: impl Into<StreamId>,
        expected: Version,
        events: Vec<NewEvent>,
        state: AggregateState,
    );

    /// Adds a new user with an address.
    fn write_user(&mut self, email: &Email) -> Versioned<User>;

    /// Adds what happened to a user.
    fn write_user_event(&mut self, before: &Versioned<User>, event: UserEvent) -> Versioned<User>;

    /// Adds a new job.
    fn write_job(&mut self, owner: UserId, photo_count: u32) -> Versioned<UploadJob>;

    /// Adds what happened to a job.
    fn write_job_event(&mut self, before: &Versioned<UploadJob>, event: JobEvent) -> Versioned<UploadJob>;

    /// Adds a new photo and its name; no work.
    fn write_photo(&mut self, promised: QueuePhoto) -> Versioned<Photo>;

    /// Adds what a command leads to, and erases the details of a photo that it deletes; no work.
    fn write_command(&mut self, before: &Versioned<Photo>, command: PhotoCommand) -> Versioned<Photo>;
}

fn named(event: impl Into<rapidphoto_domain::DomainEvent>) -> NewEvent {
    NewEvent {
        id: event_id(),
        event: event.into(),
    }
}

impl Writing for Commit {
    fn write(
        &mut self,
        stream: impl Into<StreamId>,
        expected: Version,
        events: Vec<NewEvent>,
        state: AggregateState,
    ) {
        self.changes.push(Change {
            stream: stream.into(),
            expected,
            events: NonEmpty::from_vec(events).unwrap(),
            state,
        });
    }

    fn write_user(&mut self, email: &Email) -> Versioned<User> {
        let id = user_id();
        let event = User::register(id);
        let user = User::begin(&event).unwrap();
        self.write(
            id,
            Version::NEW,
            vec![named(event)],
            AggregateState::User(user.clone()),
        );
        self.details.push(Details::User {
            user: id,
            email: email.clone(),
            password_hash: password_hash(id),
        });
        Versioned {
            version: Version(1),
            value: user,
        }
    }

    fn write_user_event(&mut self, before: &Versioned<User>, event: UserEvent) -> Versioned<User> {
        let user = before.value.clone().apply(&event);
        self.write(
            user.id,
            before.version,
            vec![named(event)],
            AggregateState::User(user.clone()),
        );
        Versioned {
            version: before.version.plus(1),
            value: user,
        }
    }

    fn write_job(&mut self, owner: UserId, photo_count: u32) -> Versioned<UploadJob> {
        let id = job_id();
        let event = UploadJob::create(id, owner, photo_count, 3_141_592 * u64::from(photo_count));
        let job = UploadJob::begin(&event).unwrap();
        self.write(
            id,
            Version::NEW,
            vec![named(event)],
            AggregateState::Job(job.clone()),
        );
        Versioned {
            version: Version(1),
            value: job,
        }
    }

    fn write_job_event(&mut self, before: &Versioned<UploadJob>, event: JobEvent) -> Versioned<UploadJob> {
        let job = before.value.clone().apply(&event);
        self.write(
            job.id,
            before.version,
            vec![named(event)],
            AggregateState::Job(job.clone()),
        );
        Versioned {
            version: before.version.plus(1),
            value: job,
        }
    }

    fn write_photo(&mut self, promised: QueuePhoto) -> Versioned<Photo> {
        let event = Photo::queue(promised);
        let photo = Photo::begin(&event).unwrap();
        let state = AggregateState::Photo(Box::new(photo.clone()));
        self.write(photo.id, Version::NEW, vec![named(event)], state);
        self.details.push(Details::PhotoName {
            photo: photo.id,
            filename: filename(),
        });
        Versioned {
            version: Version(1),
            value: photo,
        }
    }

    fn write_command(&mut self, before: &Versioned<Photo>, command: PhotoCommand) -> Versioned<Photo> {
        let events = before.value.decide(command).unwrap();
        let version = before.version.plus(events.len() as u64);
        let photo = events.iter().fold(before.value.clone(), Photo::apply);
        if photo.deleted {
            self.details.push(Details::ErasePhoto { photo: photo.id });
        }
        let state = AggregateState::Photo(Box::new(photo.clone()));
        let events = events.into_iter().map(named).collect();
        self.write(photo.id, before.version, events, state);
        Versioned {
            version,
            value: photo,
        }
    }
}

/// Writes a commit that must stand.
pub async fn stands(record: &DatabasePorts, commit: Commit) -> Committed {
    record.journal.commit(commit).await.unwrap()
}

/// A registered user.
pub async fn user(record: &DatabasePorts, at: Timestamp) -> UserId {
    let mut commit = commit(at);
    let user = commit.write_user(&email());
    stands(record, commit).await;
    user.value.id
}

/// A job with so many photos, of which none has any work.
pub async fn job(
    record: &DatabasePorts,
    at: Timestamp,
    owner: UserId,
    photos: u32,
) -> (Versioned<UploadJob>, Vec<Versioned<Photo>>) {
    let mut commit = commit(at);
    let job = commit.write_job(owner, photos);
    let photos = (0..photos)
        .map(|_| commit.write_photo(promise(at, owner, job.value.id)))
        .collect();
    stands(record, commit).await;
    (job, photos)
}

/// A photo in a job of its own, without work.
pub async fn photo(record: &DatabasePorts, at: Timestamp, owner: UserId) -> Versioned<Photo> {
    job(record, at, owner, 1).await.1.remove(0)
}

/// A photo after one more command.
pub async fn command(
    record: &DatabasePorts,
    at: Timestamp,
    before: &Versioned<Photo>,
    command: PhotoCommand,
) -> Versioned<Photo> {
    let mut commit = commit(at);
    let after = commit.write_command(before, command);
    stands(record, commit).await;
    after
}

/// An idempotency record that names a job and photos.
pub fn idempotency(owner: UserId, key: &str, expires_at: Timestamp) -> IdempotencyRecord {
    IdempotencyRecord {
        owner,
        key: IdempotencyKey::parse(key).unwrap(),
        fingerprint: [0x5a; 32],
        photos: vec![photo_id(), photo_id()],
        job: Some(job_id()),
        expires_at,
    }
}

/// An order for work of a kind, due then, of those that go first.
pub fn schedule(photo: &Versioned<Photo>, kind: WorkKind, due_at: Timestamp) -> WorkOrder {
    WorkOrder::Schedule {
        photo: photo.value.id,
        owner: photo.value.owner,
        kind,
        due_at,
        priority: Priority::Fresh,
    }
}

/// Writes orders alone.
pub async fn ordered(record: &DatabasePorts, at: Timestamp, orders: impl IntoIterator<Item = WorkOrder>) {
    let mut commit = commit(at);
    commit.work.extend(orders);
    stands(record, commit).await;
}

/// A minute's claim on work that is scheduled now; no other work of the kind may be due.
pub async fn claimed(
    record: &DatabasePorts,
    now: Timestamp,
    photo: &Versioned<Photo>,
    kind: WorkKind,
) -> Claim {
    ordered(record, now, [schedule(photo, kind, now)]).await;
    let claims = record.work.claim(&[kind], 2, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1, "one piece of work is due");
    assert_eq!(claims[0].token.photo, photo.value.id);
    claims[0]
}

/// The hash of a token that was not used yet.
pub fn token() -> TokenHash {
    let mut hash = [0xe7; 32];
    hash[..16].copy_from_slice(&bits().to_be_bytes());
    TokenHash(hash)
}

/// A login's first refresh token.
pub fn session(user: UserId, expires_at: Timestamp) -> RefreshSession {
    let token = token();
    RefreshSession {
        token,
        family: token,
        user,
        scopes: Scopes::of_user(),
        expires_at,
    }
}

/// A ticket for everything of a user, to be used before it expires.
pub fn ticket(user: UserId, expires_at: Timestamp) -> StreamTicket {
    StreamTicket {
        ticket: token(),
        user,
        job: None,
        first_use_by: expires_at,
        expires_at,
    }
}

/// How long [`claimed`] claims.
pub const LEASE: Duration = Duration::from_mins(1);

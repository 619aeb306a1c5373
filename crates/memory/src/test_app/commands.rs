//! Requests of clients, storage events and background work.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobHandler, CreateJob, CreateJobHandler, RawFile, UploadOptions},
    photos::{DeletePhoto, DeletePhotoHandler},
    ports::{
        EventMetadata, Ids, MessageError, ProgressTick, Scopes, Session, SessionId, StorageMessages,
        TokenHash, WorkKind, WorkQueue,
    },
    uploads::{FinalizeUpload, FinalizeUploadHandler},
};
use rapidphoto_domain::{JobId, PhotoId, Timestamp, UserId, photo::Photo, values::Progress};

use super::{
    TestApp,
    fixtures::{BODY, DeclaredPhoto, file},
};
use crate::ClientAnswer;

impl TestApp {
    /// Opens a session of a user without a login.
    pub async fn open_session(&self, user: UserId) -> SessionId {
        let ends_at = self.now() + self.settings.auth.session_lifetime;
        let session = Session {
            id: SessionId(self.ids.ulid().to_be_bytes()),
            user,
            scopes: Scopes::of_user(),
            expires_at: ends_at,
            ends_at,
        };
        let token = TokenHash(self.ids.secret());
        let opened = self.store.insert_session(&session, token, self.now()).await;
        opened.unwrap();
        session.id
    }

    /// Creates a job with this number of photos.
    pub async fn declare(&self, photos: usize) -> Vec<DeclaredPhoto> {
        self.declare_as(self.owner, photos).await
    }

    /// Creates a job with one photo.
    pub async fn declare_one(&self) -> DeclaredPhoto {
        self.declare(1).await.remove(0)
    }

    /// Creates another user's job with this number of photos.
    pub async fn declare_as(&self, owner: UserId, photos: usize) -> Vec<DeclaredPhoto> {
        self.declare_files(owner, (0..photos).map(file).collect()).await
    }

    /// Creates a job with these files.
    pub async fn declare_files(&self, owner: UserId, files: Vec<RawFile>) -> Vec<DeclaredPhoto> {
        let command = CreateJob {
            owner,
            files,
            options: UploadOptions::default(),
            idempotency_key: None,
            metadata: EventMetadata::default(),
        };
        let created = CreateJobHandler::new(&self.ports, Arc::clone(&self.settings))
            .handle(command)
            .await
            .unwrap();
        let declared = created.items.into_iter().map(|item| DeclaredPhoto {
            photo: item.photo,
            job: item.job,
            url: item.upload.expect("a new photo has an upload URL"),
        });
        declared.collect()
    }

    /// Uploads [`BODY`] to the photo's URL. The storage event waits for [`deliver_storage_events`].
    ///
    /// [`deliver_storage_events`]: Self::deliver_storage_events
    pub fn put(&self, declared: &DeclaredPhoto) -> ClientAnswer {
        self.objects.put_as_client(&declared.url, BODY)
    }

    /// Uploads photos, delivers their storage events and executes the work that is due.
    pub async fn upload(&self, declared: &[DeclaredPhoto]) {
        for declared in declared {
            assert_eq!(self.put(declared).status, 200);
        }
        self.deliver_storage_events().await;
        self.execute_due().await;
    }

    /// Creates a job with one photo, uploads and processes it. The photo is completed unless the inspector rejects it.
    pub async fn upload_one(&self) -> DeclaredPhoto {
        let declared = self.declare_one().await;
        self.upload(std::slice::from_ref(&declared)).await;
        declared
    }

    /// Delivers all waiting storage events.
    pub async fn deliver_storage_events(&self) {
        for message in self.objects.take_announcements() {
            self.receive(message).await.unwrap();
        }
    }

    /// Delivers one message of the storage.
    pub async fn receive(&self, message: impl Into<Bytes>) -> Result<(), MessageError> {
        self.intake().take(message.into()).await
    }

    /// Reports an upload as finished.
    pub async fn finalize(&self, photo: PhotoId) -> Photo {
        let command = FinalizeUpload {
            owner: self.owner,
            photo,
            parts: None,
            metadata: EventMetadata::default(),
        };
        FinalizeUploadHandler::new(&self.ports, self.settings.work)
            .handle(command)
            .await
            .unwrap()
    }

    /// Cancels a photo in progress or deletes a final one.
    pub async fn delete(&self, photo: PhotoId) -> Photo {
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

    /// Cancels a job.
    pub async fn cancel_job(&self, job: JobId) {
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

    /// Puts upload progress on the board.
    pub fn set_progress(&self, tick: ProgressTick) {
        let start = ProgressTick {
            progress: Progress::new(0, tick.progress.bytes_total()),
            ..tick
        };
        self.board.track(start, self.now(), self.now());
        let sent = tick.progress.bytes_sent();
        let advanced = self.board.advance(tick.owner, tick.photo, sent, self.now());
        if let Some(tick) = advanced.unwrap().tick {
            self.ports.ticks.publish(tick);
        }
    }

    /// Executes all work that is due now. Returns the number of work items.
    pub async fn execute_due(&self) -> usize {
        self.runner.execute_due().await.unwrap()
    }

    /// Time at which the next work of these kinds is due or a lease expires; `None` if there is no work.
    pub async fn next_due(&self, kinds: &[WorkKind]) -> Option<Timestamp> {
        let due_in = self.store.due_in(kinds).await.unwrap();
        let orphan_due_in = self.store.orphan_due_in(kinds).await.unwrap();
        let next = [due_in, orphan_due_in].into_iter().flatten().min();
        next.map(|delay| self.now() + delay)
    }

    /// Executes all work that becomes due within `period`, each item at its time, and advances the clock by `period`.
    pub async fn execute_for(&self, period: Duration) {
        let end = self.now() + period;
        loop {
            self.execute_due().await;
            match self.next_due(&WorkKind::ALL).await {
                Some(due) if due <= end => self.clock.set(due.max(self.now())),
                _ => break,
            }
        }
        self.clock.set(end);
    }
}

//! Stored state, as tests observe it.

use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{Aggregates, Cursor, EventFilter, EventLog, StoredEvent},
};
use rapidphoto_domain::{
    DomainEvent, JobId, PhotoId,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent, PhotoStatus},
    values::ThumbnailEdge,
};

use super::TestApp;

impl TestApp {
    /// State of a photo.
    pub async fn photo(&self, photo: PhotoId) -> Photo {
        self.store.photo(photo).await.unwrap().unwrap().value
    }

    /// Status of a photo.
    pub async fn status(&self, photo: PhotoId) -> PhotoStatus {
        self.photo(photo).await.status()
    }

    /// State of a job.
    pub async fn job(&self, job: JobId) -> UploadJob {
        Aggregates::job(&self.store, job).await.unwrap().unwrap().value
    }

    /// All events.
    pub async fn log(&self) -> Vec<StoredEvent> {
        let page = self
            .store
            .events_after(Cursor::START, &EventFilter::default(), usize::MAX)
            .await
            .unwrap();
        page.events
    }

    /// Events of a photo.
    pub async fn photo_events(&self, photo: PhotoId) -> Vec<PhotoEvent> {
        let events = self.log().await.into_iter();
        events
            .filter(|stored| stored.stream == photo.into())
            .filter_map(|stored| match stored.event {
                DomainEvent::Photo(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// Events of a job.
    pub async fn job_events(&self, job: JobId) -> Vec<JobEvent> {
        let events = self.log().await.into_iter();
        events
            .filter(|stored| stored.stream == job.into())
            .filter_map(|stored| match stored.event {
                DomainEvent::Job(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// Key of a photo's original.
    pub fn original_key(&self, photo: PhotoId) -> String {
        self.settings.storage.keys.original(self.owner, photo)
    }

    /// Key of a photo's thumbnail.
    pub fn thumbnail_key(&self, photo: PhotoId, edge: ThumbnailEdge) -> String {
        self.settings.storage.keys.thumbnail(self.owner, photo, edge)
    }

    /// Asserts that the state rows match the events.
    pub async fn assert_rows_match_events(&self) {
        let report = VerifyStateRows::new(&self.ports.database).handle().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.mismatches);
    }
}

//! The use cases that the HTTP API calls.

use std::sync::Arc;

use crate::{
    admin::ListSubscriptionsHandler,
    auth::{
        Authenticate, LogInHandler, LogOutHandler, LoginLimits, RefreshHandler, RegisterUserHandler,
        SessionEnds, SessionWatches, StreamTickets,
    },
    jobs::{
        CancelJobHandler, CreateJobHandler, JobRate, JobSnapshotHandler, ListJobsHandler, RenewUploadHandler,
        RetryPhotoHandler,
    },
    limits::ShowLimitsHandler,
    photos::{
        DeletePhotoHandler, DownloadUrlHandler, ListPhotosHandler, ListTagsHandler, PhotoHistoryHandler,
        ShowPhotoHandler, TagPhotoHandler,
    },
    ports::{DeadLetters, Ports},
    progress::ProgressBoard,
    settings::Settings,
    uploads::{FinalizeUploadHandler, PartUrlsHandler, ReportProgressHandler, UploadedPartsHandler},
};

/// The use cases that the HTTP API calls.
#[expect(
    missing_docs,
    reason = "each field is named and documented by its handler or port"
)]
pub struct UseCases {
    pub register: RegisterUserHandler,
    pub log_in: LogInHandler,
    pub refresh: RefreshHandler,
    pub log_out: LogOutHandler,
    pub authenticate: Authenticate,
    pub stream_tickets: StreamTickets,
    pub session_watches: SessionWatches,
    pub job_rate: JobRate,
    pub create_job: CreateJobHandler,
    pub cancel_job: CancelJobHandler,
    pub job_snapshot: JobSnapshotHandler,
    pub list_jobs: ListJobsHandler,
    pub report_progress: ReportProgressHandler,
    pub part_urls: PartUrlsHandler,
    pub uploaded_parts: UploadedPartsHandler,
    pub finalize_upload: FinalizeUploadHandler,
    pub renew_upload: RenewUploadHandler,
    pub retry_photo: RetryPhotoHandler,
    pub tag_photo: TagPhotoHandler,
    pub delete_photo: DeletePhotoHandler,
    pub show_photo: ShowPhotoHandler,
    pub list_photos: ListPhotosHandler,
    pub list_tags: ListTagsHandler,
    pub download_url: DownloadUrlHandler,
    pub photo_history: PhotoHistoryHandler,
    pub show_limits: ShowLimitsHandler,
    pub list_subscriptions: ListSubscriptionsHandler,
    pub dead_letters: Arc<dyn DeadLetters>,
}

impl UseCases {
    /// The use cases on these ports. `refresh_key` derives refresh tokens and the keys of counted attempts; it must be the
    /// same in all processes and stay so across restarts.
    pub fn new(
        ports: &Ports,
        settings: &Arc<Settings>,
        board: &Arc<ProgressBoard>,
        refresh_key: [u8; 32],
    ) -> Self {
        let (auth, work) = (settings.auth, settings.work);
        let settings = || Arc::clone(settings);
        let attempts = || Arc::clone(&ports.database.attempts);
        let limits = Arc::new(LoginLimits::new(attempts(), auth.budgets, refresh_key));
        let ends = SessionEnds::default();
        Self {
            register: RegisterUserHandler::new(ports, auth, Arc::clone(&limits)),
            log_in: LogInHandler::new(ports, auth, Arc::clone(&limits), ends.clone(), refresh_key),
            refresh: RefreshHandler::new(ports, auth, limits, ends.clone(), refresh_key),
            log_out: LogOutHandler::new(ports, ends.clone(), refresh_key),
            authenticate: Authenticate::new(ports),
            stream_tickets: StreamTickets::new(ports, auth),
            session_watches: SessionWatches::new(ports, ends),
            job_rate: JobRate::new(attempts(), refresh_key),
            create_job: CreateJobHandler::new(ports, settings()),
            cancel_job: CancelJobHandler::new(ports, work),
            job_snapshot: JobSnapshotHandler::new(ports, Arc::clone(board)),
            list_jobs: ListJobsHandler::new(ports, Arc::clone(board)),
            report_progress: ReportProgressHandler::new(ports, Arc::clone(board), &settings()),
            part_urls: PartUrlsHandler::new(ports, &settings()),
            uploaded_parts: UploadedPartsHandler::new(ports, &settings()),
            renew_upload: RenewUploadHandler::new(ports, &settings()),
            retry_photo: RetryPhotoHandler::new(ports, &settings()),
            finalize_upload: FinalizeUploadHandler::new(ports, work),
            tag_photo: TagPhotoHandler::new(ports, work),
            delete_photo: DeletePhotoHandler::new(ports, work),
            show_photo: ShowPhotoHandler::new(ports, settings()),
            list_photos: ListPhotosHandler::new(ports, settings()),
            list_tags: ListTagsHandler::new(ports),
            download_url: DownloadUrlHandler::new(ports, settings()),
            photo_history: PhotoHistoryHandler::new(ports),
            show_limits: ShowLimitsHandler::new(ports, settings()),
            list_subscriptions: ListSubscriptionsHandler::new(ports),
            dead_letters: Arc::clone(&ports.dead_letters),
        }
    }
}

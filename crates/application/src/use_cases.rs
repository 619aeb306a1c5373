//! Every use case that a client can call, ready to be called.

use std::sync::Arc;

use crate::{
    auth::{
        Authenticate, FailedLogins, LogInHandler, LogOutHandler, RefreshHandler, RegisterUserHandler,
        StreamTickets,
    },
    jobs::{CancelJobHandler, CreateJobHandler, JobSnapshotHandler},
    outside::Outside,
    photos::{
        DeletePhotoHandler, DownloadUrlHandler, ListPhotosHandler, PhotoHistoryHandler, ShowPhotoHandler,
    },
    progress::ProgressBoard,
    settings::Settings,
    uploads::{FinalizeUploadHandler, ReportProgressHandler},
};

/// What the HTTP API calls.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is named and documented by its handler")]
pub struct UseCases {
    pub register: RegisterUserHandler,
    pub log_in: LogInHandler,
    pub refresh: RefreshHandler,
    pub log_out: LogOutHandler,
    pub authenticate: Authenticate,
    pub stream_tickets: StreamTickets,
    pub create_job: CreateJobHandler,
    pub cancel_job: CancelJobHandler,
    pub job_snapshot: JobSnapshotHandler,
    pub report_progress: ReportProgressHandler,
    pub finalize_upload: FinalizeUploadHandler,
    pub delete_photo: DeletePhotoHandler,
    pub show_photo: ShowPhotoHandler,
    pub list_photos: ListPhotosHandler,
    pub download_url: DownloadUrlHandler,
    pub photo_history: PhotoHistoryHandler,
}

impl UseCases {
    /// The use cases on these ports. `refresh_key` derives refresh tokens and must stay the same across restarts.
    pub fn new(
        outside: &Outside,
        settings: &Settings,
        board: &Arc<ProgressBoard>,
        failures: Arc<FailedLogins>,
        refresh_key: [u8; 32],
    ) -> Self {
        let (auth, work) = (settings.auth, settings.work);
        let outside = || outside.clone();
        let settings = || settings.clone();
        Self {
            register: RegisterUserHandler::new(outside(), auth),
            log_in: LogInHandler::new(outside(), auth, failures),
            refresh: RefreshHandler::new(outside(), auth, refresh_key),
            log_out: LogOutHandler::new(outside()),
            authenticate: Authenticate::new(outside()),
            stream_tickets: StreamTickets::new(outside(), auth),
            create_job: CreateJobHandler::new(outside(), settings()),
            cancel_job: CancelJobHandler::new(outside(), work),
            job_snapshot: JobSnapshotHandler::new(outside(), Arc::clone(board)),
            report_progress: ReportProgressHandler::new(outside(), Arc::clone(board), work),
            finalize_upload: FinalizeUploadHandler::new(&outside(), work),
            delete_photo: DeletePhotoHandler::new(outside(), work),
            show_photo: ShowPhotoHandler::new(outside(), settings()),
            list_photos: ListPhotosHandler::new(outside(), settings()),
            download_url: DownloadUrlHandler::new(outside(), settings()),
            photo_history: PhotoHistoryHandler::new(outside()),
        }
    }
}

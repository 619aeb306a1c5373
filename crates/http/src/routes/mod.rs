//! Which path and method leads to which handler.

mod methods;

use actix_web::web::{self, ServiceConfig};

use crate::{
    call::{Answer, Call},
    commands, openapi, operations, queries,
    refusal::{Refusal, kinds},
};
pub(crate) use methods::at;

/// Puts every route in place.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .configure(commands)
        .configure(queries)
        .configure(operations)
        .configure(openapi::serve)
        .default_service(web::to(nothing_here));
}

fn commands(config: &mut ServiceConfig) {
    config
        .service(
            at("/commands/auth/register")
                .post(commands::register::register)
                .done(),
        )
        .service(at("/commands/auth/login").post(commands::log_in::log_in).done())
        .service(
            at("/commands/auth/refresh")
                .post(commands::refresh::refresh)
                .done(),
        )
        .service(
            at("/commands/auth/logout")
                .post(commands::log_out::log_out)
                .done(),
        )
        .service(
            at("/commands/auth/stream-ticket")
                .post(commands::stream_ticket::issue_stream_ticket)
                .done(),
        )
        .service(
            at("/commands/upload-jobs")
                .post(commands::create_job::create_job)
                .done(),
        )
        .service(
            at("/commands/upload-jobs/{jobId}/cancel")
                .post(commands::cancel_job::cancel_job)
                .done(),
        )
        .service(
            at("/commands/upload/progress")
                .post(commands::report_progress::report_progress)
                .done(),
        )
        .service(
            at("/commands/upload/{photoId}/finalize")
                .post(commands::finalize_upload::finalize_upload)
                .done(),
        )
        .service(
            at("/commands/photos/{photoId}")
                .delete(commands::delete_photo::delete_photo)
                .done(),
        );
}

fn queries(config: &mut ServiceConfig) {
    config
        .service(
            at("/queries/upload-jobs/{jobId}")
                .get(queries::job::show_job)
                .done(),
        )
        .service(
            at("/queries/upload-jobs/{jobId}/events")
                .stream(queries::job_events::watch_job)
                .done(),
        )
        .service(
            at("/queries/events")
                .stream(queries::user_events::watch_user)
                .done(),
        )
        .service(
            at("/queries/photos")
                .get(queries::list_photos::list_photos)
                .done(),
        )
        .service(
            at("/queries/photos/{photoId}")
                .get(queries::photo::show_photo)
                .done(),
        )
        .service(
            at("/queries/photos/{photoId}/download-url")
                .get(queries::download_url::download_url)
                .done(),
        )
        .service(
            at("/queries/photos/{photoId}/history")
                .get(queries::history::photo_history)
                .done(),
        );
}

fn operations(config: &mut ServiceConfig) {
    config
        .service(at("/healthz").get(operations::healthz::healthz).done())
        .service(at("/readyz").get(operations::readyz::readyz).done())
        .service(at("/metrics").get(operations::metrics::metrics).done());
}

async fn nothing_here(_call: Call) -> Answer {
    Err(Refusal::new(kinds::NO_SUCH_ROUTE))
}

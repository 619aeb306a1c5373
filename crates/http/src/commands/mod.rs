//! Endpoints that change state, one file for each.

mod cancel_job;
mod create_job;
mod delete_photo;
mod finalize_upload;
mod log_in;
mod log_out;
mod part_urls;
mod refresh;
mod register;
mod renew_upload;
mod report_progress;
mod retry_photo;
mod stream_ticket;
mod tags;
mod tokens;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        register::endpoint(),
        log_in::endpoint(),
        refresh::endpoint(),
        log_out::endpoint(),
        stream_ticket::endpoint(),
        create_job::endpoint(),
        report_progress::endpoint(),
        part_urls::endpoint(),
        finalize_upload::endpoint(),
        renew_upload::endpoint(),
        cancel_job::endpoint(),
        tags::add_endpoint(),
        tags::remove_endpoint(),
        delete_photo::endpoint(),
        retry_photo::endpoint(),
    ]
}

//! Endpoints that only read, one file for each.

mod conditional;
mod download_url;
mod history;
mod job;
mod job_events;
mod last_event_id;
mod limits;
mod list_jobs;
mod list_photos;
mod list_tags;
mod paging;
mod photo;
mod sort;
mod uploaded_parts;
mod user_events;
mod websocket;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        list_jobs::endpoint(),
        job::endpoint(),
        job_events::endpoint(),
        user_events::endpoint(),
        websocket::endpoint(),
        list_photos::endpoint(),
        list_tags::endpoint(),
        photo::endpoint(),
        download_url::endpoint(),
        history::endpoint(),
        uploaded_parts::endpoint(),
        limits::endpoint(),
    ]
}

//! Endpoints that only read, one file for each.

mod conditional;
mod download_url;
mod history;
mod job;
mod job_events;
mod last_event_id;
mod limits;
mod list_photos;
mod photo;
mod sort;
mod uploaded_parts;
mod user_events;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        job::endpoint(),
        job_events::endpoint(),
        user_events::endpoint(),
        list_photos::endpoint(),
        photo::endpoint(),
        download_url::endpoint(),
        history::endpoint(),
        uploaded_parts::endpoint(),
        limits::endpoint(),
    ]
}

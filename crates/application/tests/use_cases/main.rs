//! Tests of the use cases on in-memory adapters, with one module for each slice of the application.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, but does not recognize these files as tests"
)]

mod housekeeping;
mod intake;
mod interleavings;
mod recorded_messages;
mod support;

mod admin {
    mod accounts;
    mod objects;
    mod verify;
}

mod auth {
    mod authenticate;
    mod log_in;
    mod log_out;
    mod refresh;
    mod register;
    mod session_ends;
    mod stream_tickets;
}

mod jobs {
    mod admission;
    mod cancel_job;
    mod create_job;
    mod dedupe;
    mod job_snapshot;
}

mod live {
    mod ends;
    mod held_back;
    mod progress;
    mod reconnects;
    mod streams;
    mod undecodable;
}

mod photos {
    mod delete_photo;
    mod download_url;
    mod history;
    mod list_photos;
    mod show_photo;
    mod tag_photo;
}

mod subscriptions {
    mod job_completion;
    mod job_costs;
    mod relay;
    mod runner;
}

mod uploads {
    mod completion;
    mod finalize_upload;
    mod part_urls;
    mod report_progress;
    mod sweep;
    mod upload_urls;
}

mod work {
    mod clean;
    mod clean_and_retry;
    mod clocks;
    mod known_checksums;
    mod look;
    mod orphans;
    mod process;
    mod process_faults;
    mod runner;
    mod runner_faults;
    mod storage_errors;
}

//! Texts of statements, for a load generator that executes them without the adapter.
#![allow(missing_docs, reason = "not part of the interface")]

use super::{
    claims::{ClaimFromRing, Unpark},
    feed,
    job_reads::{LastEvent, Snapshot},
    journal::{AppendEvents, InsertJobs, InsertPhotos, ScheduleWork, WriteDetails},
};

pub const CREATE_JOB: [&str; 5] = [
    InsertJobs::TEXT,
    InsertPhotos::TEXT,
    WriteDetails::TEXT,
    ScheduleWork::TEXT,
    AppendEvents::TEXT,
];
pub const JOB_SNAPSHOT: &str = Snapshot::TEXT;
pub const LAST_CHANGE: &str = LastEvent::TEXT;
pub const CLAIM: [&str; 2] = [Unpark::TEXT, ClaimFromRing::TEXT];

pub fn page_of_log() -> String {
    feed::text(false, "")
}

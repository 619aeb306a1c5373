//! Rows and their conversions to and from domain values. They are the same for every database.

mod aggregate;
mod aggregate_row;
mod details;
mod event;
mod idempotency;
mod job_group;
mod job_view;
mod photo_page;
mod session;
mod tag;
mod text;
mod work;

pub(crate) use aggregate::{
    JobRow, PhotoRow, PhotoViewRow, UserRow, photo_view_columns, traced_photo, versioned,
};
pub(crate) use aggregate_row::{aggregate_row, tag_mismatch, usage_mismatch};
pub(crate) use details::{HashesRow, NameRow};
pub(crate) use event::{EventRow, NewEventRow};
pub(crate) use idempotency::IdempotencyRow;
pub(crate) use job_group::{JobGroupRow, job_summaries};
pub(crate) use job_view::JobViewRows;
pub(crate) use photo_page::photo_page;
pub(crate) use session::{SessionRow, TicketRow, session_id};
pub(crate) use tag::TagRow;
pub(crate) use text::{decoded, encoded, parsed};
pub(crate) use work::{WorkRow, priority_number};

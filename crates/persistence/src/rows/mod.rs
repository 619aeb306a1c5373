//! Rows and their conversions to and from domain values. They are the same for every database.

mod aggregate;
mod details;
mod event;
mod idempotency;
mod session;
mod tag;
mod text;
mod work;

pub(crate) use aggregate::{JobRow, PhotoRow, PhotoViewRow, UserRow, photo_view_columns, versioned};
pub(crate) use details::{HashesRow, NameRow};
pub(crate) use event::{EventRow, NewEventRow};
pub(crate) use idempotency::IdempotencyRow;
pub(crate) use session::{SessionRow, TicketRow, session_id};
pub(crate) use tag::TagRow;
pub(crate) use text::{decoded, encoded, parsed};
pub(crate) use work::{WorkRow, priority_number};

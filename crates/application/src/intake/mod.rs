//! Reports of uploaded objects, by notifications of the store or by clients. Both are hints only, and lead to the same
//! decision.

mod dialect;
mod report_arrival;
mod storage_event_handler;

pub use dialect::{MalformedMessage, Sequencer, StorageEvent, StorageMessage};
pub use report_arrival::{Arrival, ReportArrival, ReportArrivalHandler};
pub use storage_event_handler::StorageEventHandler;

//! How the deployment learns that an object has arrived: storage's own notifications and clients' words, both taken as
//! hints that lead to one and the same decision.

mod dialect;
mod report_arrival;
mod take_storage_events;

pub use dialect::{Sequencer, StorageEvent, StorageMessage, Unintelligible};
pub use report_arrival::{Arrival, ReportArrival, ReportArrivalHandler};
pub use take_storage_events::TakeStorageEvents;

//! How the deployment learns that an object has arrived: storage's own notifications and clients' words, both taken as
//! hints that lead to one and the same decision.

mod report_arrival;

pub use report_arrival::{Arrival, ReportArrival, ReportArrivalError, ReportArrivalHandler};

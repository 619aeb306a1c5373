use std::io::{self, Write as _};

use rapidphoto_client::types::{PhotoStatus, Reason};
use serde::Serialize;

/// Prints a line on standard output.
pub(crate) fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Prints a line on standard error.
pub(crate) fn print_note(line: &str) {
    // A closed terminal is not an error.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a value as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    io::stdout().lock().write_all(&line)
}

/// Name of a status, as in the API.
pub(crate) fn status_name(status: PhotoStatus) -> &'static str {
    match status {
        PhotoStatus::Queued => "QUEUED",
        PhotoStatus::Uploading => "UPLOADING",
        PhotoStatus::Verifying => "VERIFYING",
        PhotoStatus::Processing => "PROCESSING",
        PhotoStatus::Completed => "COMPLETED",
        PhotoStatus::Rejected => "REJECTED",
        PhotoStatus::Failed => "FAILED",
        PhotoStatus::Cancelled => "CANCELLED",
    }
}

/// Reasons in one line: code and explanation of each.
pub(crate) fn reasons(reasons: &[Reason]) -> String {
    let texts: Vec<_> = reasons
        .iter()
        .map(|reason| format!("{} ({})", reason.message.trim_end_matches('.'), reason.code))
        .collect();
    texts.join("; ")
}

/// An error with its sources in one line.
pub(crate) fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

//! Child process of the tests in this directory.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapidphoto_imaging::run_inspection_child().unwrap_or(ExitCode::FAILURE)
}

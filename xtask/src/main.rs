//! Development tasks of the workspace: `cargo xtask <task>`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints its results"
)]

mod check_deps;
mod module_cycles;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>

tasks:
  check-deps   checks that every dependency between crates is allowed (the table and
               its reasons: xtask/src/check_deps/table.rs) and that no crate has a
               cycle of modules (the rule: xtask/src/module_cycles/mod.rs)
  help         prints this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["check-deps"] => match check_deps::run() {
            Ok(summary) => {
                println!("{summary}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("check-deps: {error:#}");
                ExitCode::FAILURE
            }
        },
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        [] => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        unknown => {
            eprintln!("unknown task: {}\n\n{USAGE}", unknown.join(" "));
            ExitCode::from(2)
        }
    }
}

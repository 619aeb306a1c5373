//! Photos of tests that make a child misbehave: the text `drill: ` and the name of what it does.

use std::{
    fs,
    io::{self, Write},
    process, thread,
};

use rapidphoto_application::ports::Inspection;
use rapidphoto_domain::photo::{Check, Finding};

/// Misbehaves as the file says. The error of a refused operation is reported as the finding of the photo.
#[expect(clippy::panic, clippy::unwrap_used, reason = "tests want panics")]
pub(super) fn perform(file: &[u8]) -> Option<Inspection> {
    let command = std::str::from_utf8(file).ok()?.strip_prefix("drill: ")?;
    let (name, argument) = command.split_once(' ').unwrap_or((command, ""));
    let outcome = match name {
        "abort" => process::abort(),
        "exit" => process::exit(0),
        "panic" => panic!("a drill"),
        "overflow" => Err(io::Error::other(overflow(1).to_string())),
        "loop" => loop {
            std::hint::spin_loop();
        },
        "allocate" => allocate(),
        "garbage" => {
            write(&vec![0x2a; 100_000]);
            Ok(())
        }
        "long-head" => {
            write(&u32::MAX.to_le_bytes());
            Ok(())
        }
        "half" => {
            write(&[200, 0, 0, 0, b'{']);
            process::exit(0)
        }
        "surplus" => {
            write(&[0x2a]);
            Ok(())
        }
        "stderr" => {
            // The pool reads all of it, or else this never ends.
            (0..1000).for_each(|_| io::stderr().write_all(&[b'x'; 10_000]).unwrap());
            Ok(())
        }
        "open" => fs::read(argument).map(drop),
        "create" => fs::write(argument, "x"),
        "socket" => std::net::TcpStream::connect(argument).map(drop),
        "exec" => process::Command::new(argument).status().map(drop),
        "thread" => thread::Builder::new().spawn(|| ()).map(drop),
        "kill" => kill(argument),
        "ptrace" => ptrace(argument),
        "close" => close(),
        other => panic!("unknown drill {other}"),
    };
    let outcome = outcome.map_or_else(|error| error.kind().to_string(), |()| "done".to_owned());
    let finding = Finding {
        measured: Some(outcome.into()),
        ..Finding::without_values(Check::Corrupt)
    };
    Some(Inspection {
        findings: vec![finding],
        ..Inspection::default()
    })
}

fn write(bytes: &[u8]) {
    let mut output = io::stdout().lock();
    drop(output.write_all(bytes).and_then(|()| output.flush()));
}

#[expect(unconditional_recursion, reason = "it overflows the stack")]
fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 1000]);
    overflow(depth + 1) + frame.iter().sum::<u64>()
}

fn allocate() -> io::Result<()> {
    let mut blocks = Vec::new();
    loop {
        blocks.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&blocks);
    }
}

#[cfg(target_os = "linux")]
fn parse(process: &str) -> i32 {
    process.parse().unwrap_or(i32::MAX)
}

#[cfg(target_os = "linux")]
fn kill(process: &str) -> io::Result<()> {
    let process = rustix::process::Pid::from_raw(parse(process)).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::test_kill_process(process)?)
}

#[cfg(target_os = "linux")]
fn ptrace(process: &str) -> io::Result<()> {
    Ok(nix::sys::ptrace::attach(nix::unistd::Pid::from_raw(parse(
        process,
    )))?)
}

#[cfg(target_os = "linux")]
fn close() -> io::Result<()> {
    Ok(nix::unistd::close(1)?)
}

#[cfg(not(target_os = "linux"))]
fn kill(_process: &str) -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
use kill as ptrace;

#[cfg(not(target_os = "linux"))]
fn close() -> io::Result<()> {
    Ok(())
}

//! The commands of a client: real processes that share a state directory.

mod documentation;
mod lists;
mod logins;
mod uploads;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use rapidphoto_testkit::{PASSWORD, Server};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures::binary;

/// User with a state directory and a folder of files.
struct User {
    temporary: TempDir,
}

impl User {
    fn new() -> Self {
        Self {
            temporary: tempfile::tempdir().unwrap(),
        }
    }

    /// New user with an account on a server, logged in.
    fn logged_in(server: &Server) -> Self {
        let user = Self::new();
        let login = [
            "login",
            "--server",
            server.api(),
            "--register",
            "--email",
            "ada@example.org",
        ];
        let output = user.run_with_input(&login, &format!("{PASSWORD}\n"));
        assert!(output.status.success(), "{output:?}");
        user
    }

    fn state(&self) -> PathBuf {
        self.temporary.path().join("state")
    }

    fn folder(&self) -> PathBuf {
        self.temporary.path().join("photos")
    }

    /// Writes a file of the folder.
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Command of this user; paths are relative to the folder.
    fn command(&self, arguments: &[&str]) -> Command {
        std::fs::create_dir_all(self.folder()).unwrap();
        let mut command = rapidphoto_testkit::command(binary());
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("RAPIDPHOTO_STATE_DIR", self.state())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs a command with `--json` and returns its exit code and its lines.
    fn json(&self, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
        let output = self.command(arguments).arg("--json").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        assert!(output.status.success() || !lines.is_empty(), "{stderr}");
        (output.status.code(), lines)
    }
}

/// Lines of the JSON output with this event.
fn events<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

/// Standard output of a command that succeeded.
fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Permission bits of a file.
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

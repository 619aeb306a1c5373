use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;

/// A server process in a private directory. It is stopped when this is dropped, or when the test process ends.
#[derive(Debug)]
pub struct Server {
    script: &'static str,
    pipes: Mutex<Pipes>,
    supervisor: Child,
    directory: TempDir,
}

#[derive(Debug)]
struct Pipes {
    /// The supervisor stops the server when this is closed.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Runs a script of `scripts/lib/servers` with the directory and the ports as arguments, and waits until the server is
    /// ready.
    ///
    /// # Panics
    /// If the server can't be started.
    pub(crate) fn start(script: &'static str, ports: &[u16]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut supervisor = Command::new("bash")
            .arg(script_path(script))
            .arg(directory.path())
            .args(ports.iter().map(u16::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash can be run");
        let commands = supervisor.stdin.take();
        let answers = BufReader::new(supervisor.stdout.take().expect("the output is a pipe"));
        let mut server = Self {
            script,
            pipes: Mutex::new(Pipes { commands, answers }),
            supervisor,
            directory,
        };
        let answer = server
            .pipes
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .answer();
        assert_eq!(
            answer, "ready",
            "{script} did not start its server; its log is above. scripts/test installs the servers"
        );
        server
    }

    /// Stops the server in order; [`start_again`](Self::start_again) continues with its data.
    pub fn stop(&self) {
        self.command("stop");
    }

    /// Kills the server at once, as a crash would.
    pub fn kill(&self) {
        self.command("kill");
    }

    /// Starts the server again after `stop` or `kill`, and waits until it is ready.
    pub fn start_again(&self) {
        self.command("start");
    }

    /// Stops the server's main process from running, so that it no longer answers.
    pub fn freeze(&self) {
        self.command("freeze");
    }

    /// Lets a frozen server run on.
    pub fn thaw(&self) {
        self.command("thaw");
    }

    /// Directory of the server's data and logs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends a command to the supervisor and waits until it is executed.
    fn command(&self, command: &str) {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = pipes.commands.as_mut().expect("the server is not dropped");
        writeln!(commands, "{command}").expect("the supervisor runs");
        assert_eq!(
            pipes.answer(),
            "ok",
            "{} could not {command} its server",
            self.script
        );
    }
}

impl Pipes {
    /// Next line from the supervisor; empty if it has ended.
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the supervisor's output is text");
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pipes
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .commands
            .take();
        let _ = self.supervisor.wait();
    }
}

/// Free ports of the loopback interface, all different.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let sockets = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    sockets.map(|socket| socket.local_addr().expect("the socket is bound").port())
}

fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts/lib/servers")
        .join(script)
}

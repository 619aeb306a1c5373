//! Metrics of the process under the names that Prometheus' own clients use. They are read from `/proc` when they are
//! rendered; other systems than Linux have none. Child processes are not included.

use std::{fmt::Write as _, fs};

/// Clock ticks per second in `/proc` (`USER_HZ`): 100 in the kernel's interface on every architecture that this program
/// is built for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Appends the metrics that can be read to `text`.
pub(super) fn render(text: &mut String) {
    let Some(process) = Process::read() else { return };
    let mut add = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            // Writing to a string never fails.
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
            );
        }
    };
    add(
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time in seconds",
        process.cpu_seconds(),
    );
    add(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory size in bytes",
        process.status_bytes("VmRSS:"),
    );
    add(
        "process_virtual_memory_bytes",
        "gauge",
        "Virtual memory size in bytes",
        process.status_bytes("VmSize:"),
    );
    add(
        "process_threads",
        "gauge",
        "Number of threads",
        process.status("Threads:"),
    );
    add(
        "process_open_fds",
        "gauge",
        "Number of open file descriptors",
        open_files(),
    );
    add(
        "process_max_fds",
        "gauge",
        "Maximum number of open file descriptors",
        max_files(),
    );
    add(
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since the Unix epoch in seconds",
        process.start_time(),
    );
}

struct Process {
    status: String,
    /// Fields of `/proc/self/stat` from the third on; the second, the name, may have spaces.
    stat: Vec<String>,
}

impl Process {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        Some(Self {
            status: fs::read_to_string("/proc/self/status").ok()?,
            stat: fields.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// Field of `/proc/self/stat` by its number in `proc_pid_stat(5)`, at least 3.
    fn stat(&self, number: usize) -> Option<f64> {
        self.stat.get(number.checked_sub(3)?)?.parse().ok()
    }

    /// First number of a line of `/proc/self/status`.
    fn status(&self, name: &str) -> Option<f64> {
        number_after(&self.status, name)
    }

    /// Value of a line of `/proc/self/status` in bytes; the file has units of 1024.
    fn status_bytes(&self, name: &str) -> Option<f64> {
        Some(self.status(name)? * 1024.0)
    }

    fn cpu_seconds(&self) -> Option<f64> {
        Some((self.stat(14)? + self.stat(15)?) / TICKS_PER_SECOND)
    }

    fn start_time(&self) -> Option<f64> {
        let system = fs::read_to_string("/proc/stat").ok()?;
        Some(number_after(&system, "btime")? + self.stat(22)? / TICKS_PER_SECOND)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn open_files() -> Option<f64> {
    // One of them is the directory that is read.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(open as f64)
}

/// `None` without a limit.
fn max_files() -> Option<f64> {
    number_after(&fs::read_to_string("/proc/self/limits").ok()?, "Max open files")
}

/// First word after the name at the start of a line, if it is a number.
fn number_after(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

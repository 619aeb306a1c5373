use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::{self, IsTerminal as _},
    path::Path,
    time::Instant,
};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use rapidphoto_client::{Transfer, types::ProgressTick};
use serde::Serialize;

use super::outcome::Outcome;
use crate::output::{print_json, print_line};

/// Output of a run: lines or JSON on standard output, and progress bars on standard error if that is a terminal.
pub(crate) struct Report {
    json: bool,
    bars: Option<Bars>,
    running: RefCell<BTreeMap<String, Running>>,
    totals: Cell<Totals>,
    /// Bytes of files that are not being sent any more, or need not be.
    settled: Cell<u64>,
    start: Instant,
}

struct Bars {
    all: MultiProgress,
    total: ProgressBar,
}

struct Running {
    transfer: Transfer,
    bytes: u64,
    bar: Option<ProgressBar>,
}

/// Numbers of files, and bytes of photos.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Totals {
    /// Completed photos, including those that were there before.
    pub(crate) completed: u64,
    /// Photos that were there before.
    pub(crate) already_there: u64,
    /// Photos that did not complete, and files that could not be read.
    pub(crate) not_completed: u64,
    /// Files that are hidden, no photos or of the same content as another one.
    pub(crate) skipped: u64,
    /// Bytes of the photos that ended.
    pub(crate) bytes: u64,
}

/// Line of the JSON output.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "camelCase")]
enum Line<'a> {
    Skipped {
        path: &'a Path,
        reason: &'a str,
    },
    Photo(&'a Outcome),
    Summary {
        #[serde(flatten)]
        totals: Totals,
        seconds: f64,
    },
}

impl Report {
    /// Report of a run on photos of so many bytes in total.
    pub(crate) fn new(json: bool, bytes: u64) -> Self {
        let bars = (!json && io::stderr().is_terminal()).then(|| {
            let all = MultiProgress::new();
            let total = all.add(ProgressBar::new(bytes));
            total.set_style(style(
                "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}",
            ));
            Bars { all, total }
        });
        Self {
            json,
            bars,
            running: RefCell::default(),
            totals: Cell::default(),
            settled: Cell::default(),
            start: Instant::now(),
        }
    }

    /// Prints a file that is not uploaded, which is no error.
    pub(crate) fn skip(&self, path: &Path, reason: &str) -> io::Result<()> {
        self.count(|totals| totals.skipped += 1);
        if self.json {
            return print_json(&Line::Skipped { path, reason });
        }
        self.print(&format!("skipped    {}: {reason}", path.display()))
    }

    /// Shows the progress of a file until [`Report::end`].
    pub(crate) fn begin(&self, photo_id: &str, path: &Path, bytes: u64, transfer: &Transfer) {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.all.insert_before(&bars.total, ProgressBar::new(bytes));
            bar.set_style(style("{bar:30} {percent:>3} % {wide_msg}"));
            bar.set_message(path.display().to_string());
            bar
        });
        let running = Running {
            transfer: transfer.clone(),
            bytes,
            bar,
        };
        self.running.borrow_mut().insert(photo_id.to_owned(), running);
    }

    /// Removes the progress of a file.
    pub(crate) fn end(&self, photo_id: &str) {
        let Some(running) = self.running.borrow_mut().remove(photo_id) else {
            return;
        };
        self.settle(running.transfer.sent());
        if let (Some(bars), Some(bar)) = (&self.bars, running.bar) {
            bar.finish_and_clear();
            bars.all.remove(&bar);
        }
    }

    /// Shows the present progress.
    pub(crate) fn update(&self) {
        let Some(bars) = &self.bars else {
            return;
        };
        let totals = self.totals.get();
        let mut sent = self.settled.get();
        for running in self.running.borrow().values() {
            sent += running.transfer.sent();
            if let Some(bar) = &running.bar {
                bar.set_position(running.transfer.sent());
            }
        }
        bars.total.set_position(sent);
        bars.total
            .set_message(format!("{} photos completed", totals.completed));
    }

    /// Progress of the running uploads, for the server and everybody who watches there.
    pub(crate) fn ticks(&self) -> Vec<ProgressTick> {
        let running = self.running.borrow();
        let ticks = running.iter().map(|(photo_id, running)| ProgressTick {
            photo_id: photo_id.clone(),
            bytes_sent: running.transfer.sent(),
            bytes_total: running.bytes,
        });
        ticks
            .filter(|tick| (1..tick.bytes_total).contains(&tick.bytes_sent))
            .collect()
    }

    /// Prints the outcome of a file.
    pub(crate) fn outcome(&self, outcome: &Outcome) -> io::Result<()> {
        self.count(|totals| {
            totals.bytes += outcome.bytes;
            totals.completed += u64::from(outcome.is_completed());
            totals.already_there += u64::from(outcome.is_completed() && !outcome.sent);
            totals.not_completed += u64::from(!outcome.is_completed());
        });
        if !outcome.sent {
            self.settle(outcome.bytes);
        }
        if self.json {
            return print_json(&Line::Photo(outcome));
        }
        self.print(&outcome.line())
    }

    /// Prints the summary. Returns true if all photos are completed.
    pub(crate) fn finish(self) -> io::Result<bool> {
        if let Some(bars) = &self.bars {
            bars.total.finish_and_clear();
        }
        let totals = self.totals.get();
        let seconds = self.start.elapsed().as_secs_f64();
        if self.json {
            print_json(&Line::Summary { totals, seconds })?;
        } else {
            print_line(&summary(totals, seconds))?;
        }
        Ok(totals.not_completed == 0)
    }

    fn settle(&self, bytes: u64) {
        self.settled.set(self.settled.get() + bytes);
    }

    fn count(&self, change: impl FnOnce(&mut Totals)) {
        let mut totals = self.totals.get();
        change(&mut totals);
        self.totals.set(totals);
    }

    fn print(&self, line: &str) -> io::Result<()> {
        match &self.bars {
            Some(bars) => bars.all.suspend(|| print_line(line)),
            None => print_line(line),
        }
    }
}

fn summary(totals: Totals, seconds: f64) -> String {
    let Totals {
        completed,
        already_there,
        not_completed,
        skipped,
        bytes,
    } = totals;
    let all = completed + not_completed;
    let already_there = match already_there {
        0 => String::new(),
        some => format!(" ({some} there already)"),
    };
    let skipped = match skipped {
        0 => String::new(),
        some => format!(", {some} files skipped"),
    };
    let bytes = HumanBytes(bytes);
    format!("{completed} of {all} photos completed{already_there}{skipped}, {bytes} in {seconds:.1} s")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rapidphoto_client::types::{JobItem, PhotoStatus};

use super::photos::DemoPhoto;

/// Jobs with more photos show only the total.
const MAX_LINES: usize = 40;

/// Progress bars of the uploads; invisible if stderr is not a terminal.
pub(super) struct ProgressBars {
    bars: MultiProgress,
    total: ProgressBar,
    lines: HashMap<String, ProgressBar>,
    finished: HashMap<String, bool>,
}

impl ProgressBars {
    pub(super) fn new(items: &[JobItem], photos: &[DemoPhoto]) -> Self {
        let bars = MultiProgress::new();
        let mut lines = HashMap::new();
        if items.len() <= MAX_LINES {
            for (item, photo) in items.iter().zip(photos) {
                let line = bars.add(ProgressBar::new(100));
                line.set_style(style("  {prefix:28} {bar:24} {msg}"));
                line.set_prefix(photo.name.clone());
                line.set_message("QUEUED");
                lines.insert(item.photo_id.clone(), line);
            }
        }
        let total = bars.add(ProgressBar::new(items.len() as u64));
        total.set_style(style("  {pos} of {len} photos finished, {elapsed}"));
        Self {
            bars,
            total,
            lines,
            finished: HashMap::new(),
        }
    }

    pub(super) fn progress(&self, photo: &str, percent: u8) {
        if let Some(line) = self.lines.get(photo) {
            line.set_position(percent.into());
        }
    }

    pub(super) fn status(&mut self, photo: &str, status: PhotoStatus) {
        if let Some(line) = self.lines.get(photo) {
            line.set_message(format!("{status:?}").to_uppercase());
            if status.is_terminal() {
                line.finish();
            }
        }
        self.finished.insert(photo.to_owned(), status.is_terminal());
        self.total
            .set_position(self.finished.values().filter(|finished| **finished).count() as u64);
    }

    /// Removes the bars before the table is printed.
    pub(super) fn clear(&self) {
        // A closed terminal is not an error.
        let _ = self.bars.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rapidphoto_client::types::{JobItem, PhotoStatus};

use super::photos::DemoPhoto;

/// More photos than this get one bar together instead of a line each.
const MAX_LINES: usize = 40;

/// What is shown while photos are on their way. Where there is no terminal, nothing is.
pub(super) struct Screen {
    together: MultiProgress,
    total: ProgressBar,
    lines: HashMap<String, ProgressBar>,
    ended: HashMap<String, bool>,
}

impl Screen {
    pub(super) fn new(items: &[JobItem], photos: &[DemoPhoto]) -> Self {
        let together = MultiProgress::new();
        let mut lines = HashMap::new();
        if items.len() <= MAX_LINES {
            for (item, photo) in items.iter().zip(photos) {
                let line = together.add(ProgressBar::new(100));
                line.set_style(style("  {prefix:28} {bar:24} {msg}"));
                line.set_prefix(photo.name.clone());
                line.set_message("QUEUED");
                lines.insert(item.photo_id.clone(), line);
            }
        }
        let total = together.add(ProgressBar::new(items.len() as u64));
        total.set_style(style("  {pos} of {len} photos at an end, {elapsed}"));
        Self {
            together,
            total,
            lines,
            ended: HashMap::new(),
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
        self.ended.insert(photo.to_owned(), status.is_terminal());
        self.total
            .set_position(self.ended.values().filter(|ended| **ended).count() as u64);
    }

    /// Makes room for the table.
    pub(super) fn clear(&self) {
        // A terminal that went away is no reason to fail.
        let _ = self.together.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

//! The data of a scan in its restart intervals.

use crate::error::Damage;
use crate::window::{Bits, Window};

/// The entropy-coded data with its restart intervals.
pub(crate) struct Stream<'a> {
    pub(crate) window: Window<'a>,
    pub(crate) bits: Bits,
    restart_interval: usize,
    /// MCUs until the next restart marker.
    pub(crate) left: usize,
    /// The number of the next restart marker.
    due: u8,
    /// Nothing can be read until the next restart marker.
    pub(crate) lost: bool,
    /// Nothing can be read any more.
    pub(crate) ended: bool,
    /// Blocks that are still to come of a run of blocks without coefficients (in progressive files).
    pub(crate) blank: usize,
    pub(crate) predictions: [i16; 3],
    pub(crate) damage: Option<Damage>,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(mut window: Window<'a>, restart_interval: usize) -> Self {
        let bits = window.start();
        Self {
            window,
            bits,
            restart_interval,
            left: if restart_interval == 0 {
                usize::MAX
            } else {
                restart_interval
            },
            due: 0,
            lost: false,
            ended: false,
            blank: 0,
            predictions: [0; 3],
            damage: None,
        }
    }

    /// Goes on behind what was read, if that was right.
    #[inline(always)]
    pub(crate) fn settle(&mut self, bits: Bits, valid: bool) {
        self.bits = bits;
        if self.window.is_overrun(&self.bits) {
            self.lose(Damage::Truncated);
        } else if !valid {
            self.lose(Damage::InvalidCode);
        }
    }

    #[cold]
    pub(crate) fn lose(&mut self, damage: Damage) {
        self.lost = true;
        self.ended |= self.restart_interval == 0;
        self.damage = Damage::first_of(self.damage, Some(damage));
    }

    /// At the end of an interval: looks for the marker that is due.
    #[cold]
    #[inline(never)]
    pub(crate) fn restart(&mut self) {
        self.left = self.restart_interval;
        self.predictions = [0; 3];
        self.blank = 0;
        let surplus = self.window.finish(&self.bits);
        if surplus > 1 && !self.lost {
            self.damage.get_or_insert(Damage::Surplus);
        }
        let due = self.due;
        self.due = (due + 1) & 7;
        let Some(found) = self.window.restart_marker() else {
            // Another marker or the end: there is no data for the rest of the picture.
            self.ended = true;
            return self.lose(Damage::Truncated);
        };
        if found != due {
            self.damage = Damage::first_of(self.damage, Some(Damage::Restart));
            // One or two intervals are missing: theirs stay empty, and the marker waits for its own.
            if matches!(found.wrapping_sub(due) & 7, 1 | 2) {
                self.lost = true;
                return;
            }
        }
        self.window.pass_marker();
        self.bits = self.window.start();
        self.lost = false;
    }
}

//! Entropy-coded data of a scan, with its restart intervals.

use crate::error::Damage;
use crate::window::{BitReader, Window};

/// Entropy-coded data of a scan and the decoder's state in it.
pub(crate) struct Stream<'a> {
    pub(crate) window: Window<'a>,
    pub(crate) bits: BitReader,
    restart_interval: usize,
    /// MCUs before the next restart marker.
    pub(crate) mcus_to_restart: usize,
    /// Number of the next restart marker, 0 to 7.
    next_restart: u8,
    /// True if decoding resumes only at the next restart marker.
    pub(crate) is_skipping: bool,
    /// True if there are no more data to decode.
    pub(crate) is_exhausted: bool,
    /// Remaining blocks of an end-of-band run (EOBRUN, in progressive scans).
    pub(crate) eob_run: usize,
    pub(crate) predictions: [i16; 3],
    pub(crate) damage: Option<Damage>,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(mut window: Window<'a>, restart_interval: usize) -> Self {
        let bits = window.begin_interval();
        Self {
            window,
            bits,
            restart_interval,
            mcus_to_restart: if restart_interval == 0 {
                usize::MAX
            } else {
                restart_interval
            },
            next_restart: 0,
            is_skipping: false,
            is_exhausted: false,
            eob_run: 0,
            predictions: [0; 3],
            damage: None,
        }
    }

    /// Advances to `bits`; records damage if they are invalid or beyond the end of the data.
    #[inline(always)]
    pub(crate) fn commit(&mut self, bits: BitReader, is_valid: bool) {
        self.bits = bits;
        if self.window.is_overrun(&self.bits) {
            self.fail(Damage::Truncated);
        } else if !is_valid {
            self.fail(Damage::InvalidCode);
        }
    }

    #[cold]
    pub(crate) fn fail(&mut self, damage: Damage) {
        self.is_skipping = true;
        self.is_exhausted |= self.restart_interval == 0;
        self.damage = Damage::first_of(self.damage, Some(damage));
    }

    /// Ends a restart interval and reads the expected restart marker.
    #[cold]
    #[inline(never)]
    pub(crate) fn restart(&mut self) {
        self.mcus_to_restart = self.restart_interval;
        self.predictions = [0; 3];
        self.eob_run = 0;
        let surplus = self.window.skip_to_marker(&self.bits);
        if surplus > 1 && !self.is_skipping {
            self.damage.get_or_insert(Damage::Surplus);
        }
        let expected = self.next_restart;
        self.next_restart = (expected + 1) & 7;
        let Some(number) = self.window.restart_marker() else {
            // Another marker or the end of the file: there are no data for the rest of the image.
            self.is_exhausted = true;
            return self.fail(Damage::Truncated);
        };
        if number != expected {
            self.damage = Damage::first_of(self.damage, Some(Damage::Restart));
            // One or two intervals are missing: they stay empty, and the marker is used when its own interval
            // begins.
            if matches!(number.wrapping_sub(expected) & 7, 1 | 2) {
                self.is_skipping = true;
                return;
            }
        }
        self.window.skip_marker();
        self.bits = self.window.begin_interval();
        self.is_skipping = false;
    }
}

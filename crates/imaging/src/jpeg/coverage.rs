use super::frame::{Coding, Frame};

/// Coefficients that the scans have completed down to their last bit: a bit set of 64 for each component.
#[derive(Debug, Default)]
pub(super) struct Coverage(Vec<u64>);

impl Coverage {
    /// Adds a scan by its header (ITU-T T.81, B.2.3).
    pub(super) fn add(&mut self, frame: &Frame, scan_header: &[u8]) {
        self.0.resize(frame.components.len(), 0);
        let Some((&count, rest)) = scan_header.split_first() else {
            return;
        };
        let Some((selectors, parameters)) = rest.split_at_checked(usize::from(count) * 2) else {
            return;
        };
        let completed = match (frame.coding, parameters) {
            (Coding::Progressive, &[first, last, bits, ..]) if bits.trailing_zeros() >= 4 => {
                (first..=last.min(63)).fold(0, |mask, coefficient| mask | 1 << (coefficient & 63))
            }
            (Coding::Progressive, _) => 0,
            _ => u64::MAX,
        };
        for selector in selectors.chunks_exact(2) {
            let component = frame
                .components
                .iter()
                .position(|component| Some(&component.id) == selector.first());
            if let Some(covered) = component.and_then(|component| self.0.get_mut(component)) {
                *covered |= completed;
            }
        }
    }

    /// Returns true if no coefficient is left for another scan.
    pub(super) fn is_complete(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|&covered| covered == u64::MAX)
    }
}

//! Blocks of a row of MCUs.

use crate::layout::{ComponentLayout, Layout};

/// Blocks of a row of MCUs, component by component.
pub(super) struct McuRow<'a, const STORED: usize> {
    pub(super) coefficients: &'a mut [[i16; STORED]],
    pub(super) nonzero: &'a mut [u64],
    /// For each component, the index of its first block and the number of blocks per row.
    pub(super) offsets: &'a [(usize, usize)],
}

impl<const STORED: usize> McuRow<'_, STORED> {
    /// Blocks of a component.
    pub(super) fn component_blocks(&self, index: usize, component: &ComponentLayout) -> &[[i16; STORED]] {
        let (from, stride) = self.offsets[index];
        &self.coefficients[from..from + stride * component.vertical]
    }
}

/// For each component, the index of its first block in a row of MCUs and the number of blocks per row.
pub(super) fn offsets(layout: &Layout) -> Vec<(usize, usize)> {
    let mut from = 0;
    let each = |component: &ComponentLayout| {
        let stride = layout.mcu_columns * component.horizontal;
        let offset = (from, stride);
        from += stride * component.vertical;
        offset
    };
    layout.components.iter().map(each).collect()
}

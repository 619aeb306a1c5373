//! The blocks of a row of MCUs.

use crate::layout::{Component, Layout};

/// The blocks of a row of MCUs, component by component.
pub(super) struct Blocks<'a, const K: usize> {
    pub(super) coefficients: &'a mut [[i16; K]],
    pub(super) sets: &'a mut [u64],
    /// Where each component's blocks begin, and how many there are in its rows.
    pub(super) places: &'a [(usize, usize)],
}

impl<const K: usize> Blocks<'_, K> {
    /// A component's blocks.
    pub(super) fn of(&self, index: usize, component: &Component) -> &[[i16; K]] {
        let (from, stride) = self.places[index];
        &self.coefficients[from..from + stride * component.vertical]
    }
}

/// Where each component's blocks begin in a row of MCUs, and how many there are in its rows.
pub(super) fn places(layout: &Layout) -> Vec<(usize, usize)> {
    let mut from = 0;
    let each = |component: &Component| {
        let stride = layout.columns * component.horizontal;
        let place = (from, stride);
        from += stride * component.vertical;
        place
    };
    layout.components.iter().map(each).collect()
}

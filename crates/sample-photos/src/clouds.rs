#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "coordinates are small numbers"
)]

use crate::noise;

/// Cloud cover, computed for a coarse grid of cells and interpolated for pixels.
#[derive(Debug)]
pub(crate) struct Clouds {
    /// Cells per row.
    width: usize,
    /// Binary logarithm of the edge of a cell in pixels.
    cell: u32,
    /// Cover of each cell, 0 to 256.
    cover: Vec<i16>,
}

impl Clouds {
    pub(crate) fn new(seed: u32, width: u32, height: u32, horizon: f32, amount: f32) -> Self {
        let cell = (width.max(height) / 250).max(1).ilog2();
        let columns = ((width >> cell) + 2) as usize;
        let rows = ((height >> cell) + 2) as usize;
        let size = (1_u32 << cell) as f32;
        let across = width.max(height) as f32 / size / 3.6;
        let cover = (0..columns * rows).map(|at| {
            let (column, row) = ((at % columns) as f32, (at / columns) as f32);
            // Clouds are flatter and closer together towards the horizon.
            let above = (1.0 - row * size / horizon).clamp(0.02, 1.0);
            let density = noise::plane(
                seed,
                column / across / (0.4 + above),
                3.0 / (0.35 + above) * 2.0,
                6,
                64,
            );
            let covered = (density - (1.0 - amount)) * 5.0;
            (covered.clamp(0.0, 1.0) * 256.0 * (above * 4.0).min(1.0)) as i16
        });
        Self {
            width: columns,
            cell,
            cover: cover.collect(),
        }
    }

    /// Cover of a pixel, 0 to 256, interpolated between the four nearest cells.
    pub(crate) fn at(&self, x: u32, y: u32) -> i32 {
        let (column, row) = ((x >> self.cell) as usize, (y >> self.cell) as usize);
        let size = 1 << self.cell;
        let (right, down) = ((x as i32) & (size - 1), (y as i32) & (size - 1));
        let first = row * self.width + column;
        let value = |at: usize| self.cover.get(at).copied().map_or(0, i32::from);
        let (upper_left, upper_right) = (value(first), value(first + 1));
        let (lower_left, lower_right) = (value(first + self.width), value(first + self.width + 1));
        if upper_left == upper_right && lower_left == lower_right && upper_left == lower_left {
            return upper_left;
        }
        let upper = upper_left * (size - right) + upper_right * right;
        let lower = lower_left * (size - right) + lower_right * right;
        (upper * (size - down) + lower * down) >> (2 * self.cell)
    }
}

//! The zig-zag sequence of coefficients (ITU-T T.81, A.3.6 and figure 5).

/// Index in raster order (row × 8 + column) of each coefficient in zig-zag order.
pub(crate) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Index in zig-zag order of each coefficient in raster order.
pub(crate) const ZIGZAG_INDEX: [u8; 64] = {
    let mut order = [0; 64];
    let mut k = 0;
    while k < 64 {
        order[ZIGZAG[k] as usize] = k as u8;
        k += 1;
    }
    order
};

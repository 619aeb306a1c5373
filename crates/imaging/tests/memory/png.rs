use crate::{
    fixtures::{
        png::{ADAM7_PASSES, Png, chunk},
        *,
    },
    measure::assert_within_memory_bound,
    samples::{MIB, SIZE},
};

#[test]
fn pngs_of_every_colour_type_stay_within_their_bound() {
    for (depth, colour, bytes_per_pixel) in [(16, 6, 8), (16, 2, 6), (8, 2, 3), (8, 0, 1), (1, 3, 0)] {
        for interlaced in [false, true] {
            let png = Png {
                interlaced,
                before: if colour == 3 {
                    vec![chunk(*b"PLTE", &CORNERS.concat()), chunk(*b"tRNS", &[200, 100])]
                } else {
                    vec![]
                },
                ..Png::new(SIZE, depth, colour)
            };
            let row_length = |pixels: u32| {
                1 + if bytes_per_pixel == 0 {
                    pixels.div_ceil(8)
                } else {
                    pixels * bytes_per_pixel
                }
            };
            let length: u32 = if interlaced {
                let rows = ADAM7_PASSES.iter().map(|&[left, top, column_step, row_step]| {
                    (SIZE.1 - top).div_ceil(row_step) * row_length((SIZE.0 - left).div_ceil(column_step))
                });
                rows.sum()
            } else {
                SIZE.1 * row_length(SIZE.0)
            };
            let file = png.file_with_data(&fdeflate::compress_to_vec(&vec![0; length as usize]));
            let case = format!("PNG, {depth} bits, colour {colour}, interlaced {interlaced}");
            assert_within_memory_bound(&case, &file, 11 * MIB);
        }
    }
}

#[test]
fn decompression_bombs_in_png_metadata_take_no_memory() {
    let bomb = fdeflate::compress_to_vec(&vec![0; 64 << 20]);
    for (name, start) in [
        (*b"iCCP", &b"x\0\0"[..]),
        (*b"zTXt", b"Comment\0\0"),
        (*b"iTXt", b"Comment\0\x01\0\0\0"),
    ] {
        let png = Png {
            before: vec![chunk(name, &[start, &bomb[..]].concat()); 20],
            ..Png::new((64, 64), 8, 0)
        };
        let file = png.file_with_data(&fdeflate::compress_to_vec(&[0; 64 * 65]));
        assert_within_memory_bound(std::str::from_utf8(&name).unwrap(), &file, 0);
    }
}

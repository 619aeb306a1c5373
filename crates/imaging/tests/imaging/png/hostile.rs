//! Decompression bombs.

use moxcms::ColorProfile;

use super::{SIZE, file_with_chunks};
use crate::fixtures::{
    cpu_time::CpuTime,
    png::{Png, chunk},
    *,
};

#[test]
fn decompression_bombs_in_profiles_and_texts_are_not_inflated() {
    const BOMBS: u32 = 40;
    let bomb = fdeflate::compress_to_vec(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let inspection_time = |chunks: Vec<Vec<u8>>| {
        let file = file_with_chunks(chunks);
        let start = CpuTime::start();
        assert_quarters(&inspect(&file), "a bomb");
        start.elapsed()
    };
    let start = CpuTime::start();
    assert_eq!(
        fdeflate::decompress_to_vec(&bomb).map(|zeros| zeros.len()),
        Ok(64 << 20)
    );
    let inflation_time = start.elapsed();
    let plain = inspection_time(vec![]);
    for bomb_chunk in [
        chunk(*b"iCCP", &[b"x\0\0", &bomb[..]].concat()),
        chunk(*b"zTXt", &[b"Comment\0\0", &bomb[..]].concat()),
        chunk(*b"iTXt", &[b"Comment\0\x01\0\0\0", &bomb[..]].concat()),
    ] {
        // A profile is inflated up to its maximum size, to find that it exceeds it.
        let took = inspection_time(vec![bomb_chunk; BOMBS as usize]);
        assert!(
            took < plain * 5 + inflation_time * BOMBS / 4,
            "{took:?}, {plain:?} without, {inflation_time:?} to inflate one"
        );
    }
}

#[test]
fn excessive_empty_deflate_blocks_are_rejected() {
    let pixels = vec![0; (SIZE.0 as usize * 3 + 1) * SIZE.1 as usize];
    let stream = fdeflate::compress_to_vec(&pixels);
    let findings = |blocks: usize| {
        // Empty stored blocks after the zlib header.
        let empty = [0, 0, 0, 0xFF, 0xFF].repeat(blocks);
        let stream = [&stream[..2], &empty, &stream[2..]].concat();
        inspect(&Png::new(SIZE, 8, 2).file_with_data(&stream)).findings
    };
    assert_eq!(findings(1000), []);
    assert_eq!(findings(1 << 20), [corrupt("too_many_parts")]);
    // A profile with too many of them is ignored.
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let stream = fdeflate::compress_to_vec(&profile);
    let inspect_with_profile = |blocks: usize| {
        let empty = [0, 0, 0, 0xFF, 0xFF].repeat(blocks);
        let content = [&b"x\0\0"[..], &stream[..2], &empty, &stream[2..]].concat();
        let png = Png {
            before: vec![chunk(*b"iCCP", &content)],
            ..Png::new((320, 240), 8, 2)
        };
        inspect(&png.file(|_, _| DISPLAY_P3_RED.map(u16::from).to_vec()))
    };
    assert_converted_to_srgb(&inspect_with_profile(1000));
    let ignored = decode(&inspect_with_profile(1 << 20).thumbnails[0]);
    assert!(is_near(ignored.at(9, 9).try_into().unwrap(), DISPLAY_P3_RED));
}

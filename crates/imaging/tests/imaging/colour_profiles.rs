//! Colour profiles with tags that would take much time or memory to read: only the tags of the conversion are read.

use moxcms::ColorProfile;

use crate::fixtures::*;

/// An sRGB profile with additional tags before its own: their signature, and their position and length in `content`.
fn with_tags(tags: &[(&[u8; 4], usize, usize)], content: &[u8]) -> Vec<u8> {
    const ENTRY: usize = 12;
    let plain = ColorProfile::new_srgb().encode().unwrap();
    let count = u32::from_be_bytes(plain[128..132].try_into().unwrap()) as usize;
    let shift = tags.len() * ENTRY;
    let mut profile = plain[..128].to_vec();
    let u32_bytes = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    profile.extend(u32_bytes(count + tags.len()));
    for &(signature, position, length) in tags {
        profile.extend(signature);
        profile.extend(u32_bytes(plain.len() + shift + position));
        profile.extend(u32_bytes(length));
    }
    for entry in plain[132..132 + count * ENTRY].chunks(ENTRY) {
        let position = u32::from_be_bytes(entry[4..8].try_into().unwrap()) as usize;
        profile.extend(&entry[..4]);
        profile.extend(u32_bytes(position + shift));
        profile.extend(&entry[8..]);
    }
    profile.extend(&plain[132 + count * ENTRY..]);
    profile.extend(content);
    let length = u32_bytes(profile.len());
    profile[..4].copy_from_slice(&length);
    profile
}

fn assert_image_is_read(profile: Vec<u8>, case: &str) {
    let options = JpegOptions {
        profile,
        ..JpegOptions::default()
    };
    assert_quarters(&inspect(&quarters_jpeg(300, 300, &options)), case);
}

#[test]
fn a_hundred_thousand_translations_of_a_text_are_not_read() {
    // The text of each record is the other records: 60 GB if all were read.
    const RECORDS: u32 = 100_000;
    let mut text = b"mluc\0\0\0\0".to_vec();
    text.extend(RECORDS.to_be_bytes());
    text.extend(12_u32.to_be_bytes());
    for _ in 0..RECORDS {
        text.extend(b"enUS");
        text.extend((RECORDS * 12).to_be_bytes());
        text.extend(16_u32.to_be_bytes());
    }
    let profile = with_tags(&[(b"cprt", 0, text.len())], &text);
    assert_image_is_read(profile, "a text in many languages");
}

#[test]
fn a_hundred_thousand_tags_of_the_same_text_are_not_read() {
    // 200 GB if it were read for each tag.
    let mut text = b"text\0\0\0\0".to_vec();
    text.resize(2 << 20, 0xFF);
    let profile = with_tags(&vec![(b"cprt", 0, text.len()); 100_000], &text);
    assert_image_is_read(profile, "many tags of one text");
}

#[test]
fn bytes_after_a_profile_are_ignored() {
    let wide = ColorProfile::new_display_p3().encode().unwrap();
    let options = |profile| JpegOptions {
        profile,
        ..JpegOptions::default()
    };
    let pixels = DISPLAY_P3_RED.repeat(320 * 240);
    let mut longer = wide.clone();
    longer.resize(wide.len() + 3_000_000, 7);
    for profile in [wide, longer] {
        let inspection = inspect(&encode_jpeg(320, 240, &pixels, &options(profile)));
        assert_converted_to_srgb(&inspection);
    }
}

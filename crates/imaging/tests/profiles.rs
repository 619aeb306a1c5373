//! Colour profiles that are made to keep a worker busy, or to take its memory, cost nothing.

#[cfg(test)]
mod pictures;

use moxcms::ColorProfile;
use pictures::*;

/// A profile of sRGB with these tags in front of its own: their signatures, and where in `content` each lies.
#[cfg(test)]
fn with_tags(tags: &[(&[u8; 4], usize, usize)], content: &[u8]) -> Vec<u8> {
    const ENTRY: usize = 12;
    let plain = ColorProfile::new_srgb().encode().unwrap();
    let own = u32::from_be_bytes(plain[128..132].try_into().unwrap()) as usize;
    let moved = tags.len() * ENTRY;
    let mut profile = plain[..128].to_vec();
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    profile.extend(number(own + tags.len()));
    for &(signature, place, length) in tags {
        profile.extend(signature);
        profile.extend(number(plain.len() + moved + place));
        profile.extend(number(length));
    }
    for entry in plain[132..132 + own * ENTRY].chunks(ENTRY) {
        let place = u32::from_be_bytes(entry[4..8].try_into().unwrap()) as usize;
        profile.extend(&entry[..4]);
        profile.extend(number(place + moved));
        profile.extend(&entry[8..]);
    }
    profile.extend(&plain[132 + own * ENTRY..]);
    profile.extend(content);
    let length = number(profile.len());
    profile[..4].copy_from_slice(&length);
    profile
}

#[cfg(test)]
fn assert_shown(profile: Vec<u8>, what: &str) {
    let kind = Kind {
        profile,
        ..Kind::default()
    };
    assert_quarters(&inspect(&picture(300, 300, &kind)), what);
}

#[test]
fn a_text_in_a_hundred_thousand_languages_takes_no_memory() {
    // Every record has the whole of the others as its text: sixty gigabytes, if they were read.
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
    assert_shown(profile, "a text in many languages");
}

#[test]
fn a_text_that_is_named_a_hundred_thousand_times_takes_no_time() {
    // Two hundred gigabytes, if it were read each time.
    let mut text = b"text\0\0\0\0".to_vec();
    text.resize(2 << 20, 0xFF);
    let profile = with_tags(&vec![(b"cprt", 0, text.len()); 100_000], &text);
    assert_shown(profile, "a text many times");
}

#[test]
fn a_profile_with_more_than_it_needs_still_counts() {
    let wide = ColorProfile::new_display_p3().encode().unwrap();
    let kind = |profile| Kind {
        profile,
        ..Kind::default()
    };
    let pixels = RED_OF_P3.repeat(320 * 240);
    let mut longer = wide.clone();
    longer.resize(wide.len() + 3_000_000, 7);
    for profile in [wide, longer] {
        let inspection = inspect(&encode(320, 240, &pixels, &kind(profile)));
        assert_red_of_srgb(&inspection);
    }
}

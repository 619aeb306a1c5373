//! Colour profiles (ICC.1:2022) as far as a conversion needs them.
//!
//! A profile is a stranger's file within a stranger's file: tags may repeat without end, overlap, and hold texts in ten
//! thousand languages that each say the same two megabytes. The colour library is given a profile that is put together anew
//! from the few tags that a conversion is made of, each once.

/// The tags that lead from a device's colours to those of a profile's connection space: white point and adaptation,
/// colorants and curves, code points, and the table of devices that colorants do not describe.
const NEEDED: [&[u8; 4]; 11] = [
    b"wtpt", b"chad", b"cicp", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0",
];
/// Bytes before the tags.
const HEADER: usize = 128;
/// A tag's signature, place and length.
const ENTRY: usize = 12;
/// Tags that are looked at; profiles of presses have two dozen.
const MOST_TAGS: usize = 128;
/// The largest tables of four inks, 17 steps each at 16 bits, take half of this; curves and colorants a few kilobytes.
const LARGEST: usize = 1 << 20;

/// A profile of nothing but what a conversion needs; `None` if there is none in it, or too much.
pub(crate) fn essence(profile: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = profile.split_at_checked(HEADER)?;
    let (count, entries) = rest.split_first_chunk()?;
    let count = u32::from_be_bytes(*count) as usize;
    let entries = entries.as_chunks::<ENTRY>().0.iter().take(count.min(MOST_TAGS));
    let mut kept: Vec<(&[u8; 4], &[u8])> = Vec::with_capacity(NEEDED.len());
    for &[s0, s1, s2, s3, p0, p1, p2, p3, l0, l1, l2, l3] in entries {
        let signature = [s0, s1, s2, s3];
        let Some(needed) = NEEDED.into_iter().find(|needed| **needed == signature) else {
            continue;
        };
        if kept.iter().any(|(known, _)| *known == needed) {
            continue;
        }
        let place = u32::from_be_bytes([p0, p1, p2, p3]) as usize;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        kept.push((needed, profile.get(place..place.checked_add(length)?)?));
    }
    let content: usize = kept.iter().map(|(_, content)| content.len()).sum();
    if content > LARGEST {
        return None;
    }
    let mut essence = Vec::with_capacity(HEADER + 4 + (ENTRY + 4) * kept.len() + content);
    essence.extend_from_slice(header);
    essence.extend(u32::try_from(kept.len()).ok()?.to_be_bytes());
    let mut place = essence.len() + ENTRY * kept.len();
    for (signature, content) in &kept {
        essence.extend_from_slice(*signature);
        essence.extend(u32::try_from(place).ok()?.to_be_bytes());
        essence.extend(u32::try_from(content.len()).ok()?.to_be_bytes());
        place = (place + content.len()).next_multiple_of(4);
    }
    for (_, content) in &kept {
        essence.extend_from_slice(content);
        essence.resize(essence.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(essence.len()).ok()?;
    if let Some(place) = essence.first_chunk_mut() {
        *place = length.to_be_bytes();
    }
    Some(essence)
}

#[cfg(test)]
mod tests {
    use moxcms::ColorProfile;

    use super::*;

    /// A profile with these tags, each with its place and length in `content`, which follows the table.
    fn profile(tags: &[(&[u8; 4], usize, usize)], content: &[u8]) -> Vec<u8> {
        let mut file = ColorProfile::new_srgb().encode().unwrap();
        file.truncate(HEADER);
        file.extend(u32::try_from(tags.len()).unwrap().to_be_bytes());
        let start = HEADER + 4 + ENTRY * tags.len();
        for (signature, place, length) in tags {
            file.extend(*signature);
            file.extend(u32::try_from(start + place).unwrap().to_be_bytes());
            file.extend(u32::try_from(*length).unwrap().to_be_bytes());
        }
        file.extend(content);
        file
    }

    fn tags(profile: &[u8]) -> Vec<&[u8]> {
        let count = profile[HEADER + 3].into();
        profile[HEADER + 4..]
            .chunks(ENTRY)
            .take(count)
            .map(|entry| &entry[..4])
            .collect()
    }

    #[test]
    fn the_essence_of_a_profile_converts_as_the_whole_does() {
        for whole in [
            ColorProfile::new_display_p3(),
            ColorProfile::new_adobe_rgb(),
            ColorProfile::new_bt2020(),
            ColorProfile::new_pro_photo_rgb(),
        ] {
            let whole = whole.encode().unwrap();
            let essence = essence(&whole).unwrap();
            assert!(essence.len() < whole.len(), "texts are gone");
            let colours: Vec<u8> = (0..=255).flat_map(|step| [step, 255 - step, step / 2]).collect();
            let [of_whole, of_essence] = [whole, essence].map(|profile| {
                let transform = ColorProfile::new_from_slice(&profile)
                    .unwrap()
                    .create_transform_8bit(
                        moxcms::Layout::Rgb,
                        &ColorProfile::new_srgb(),
                        moxcms::Layout::Rgb,
                        moxcms::TransformOptions::default(),
                    )
                    .unwrap();
                let mut converted = vec![0; colours.len()];
                transform.transform(&colours, &mut converted).unwrap();
                converted
            });
            assert_eq!(of_whole, of_essence);
        }
    }

    #[test]
    fn texts_and_repeated_tags_are_left_out() {
        let many = [
            [(b"cprt", 0, 40); 50].as_slice(),
            &[(b"rTRC", 0, 20); 40],
            &[(b"desc", 0, 40)],
        ]
        .concat();
        let essence = essence(&profile(&many, &[7; 40])).unwrap();
        assert_eq!(tags(&essence), [b"rTRC"]);
        assert_eq!(essence.len(), HEADER + 4 + ENTRY + 20);
        assert_eq!(essence[HEADER + 4 + ENTRY..], [7; 20]);
    }

    #[test]
    fn what_comes_behind_more_tags_than_any_profile_has_is_not_looked_at() {
        let mut many = vec![(b"cprt", 0, 4); MOST_TAGS];
        many.push((b"rTRC", 0, 4));
        assert_eq!(tags(&essence(&profile(&many, &[0; 4])).unwrap()), [b""; 0]);
    }

    #[test]
    fn tags_beyond_the_end_and_too_large_ones_are_no_profile() {
        let content = vec![0; LARGEST + 1];
        assert!(essence(&profile(&[(b"A2B0", 0, LARGEST)], &content)).is_some());
        assert_eq!(essence(&profile(&[(b"A2B0", 0, LARGEST + 1)], &content)), None);
        assert_eq!(
            essence(&profile(&[(b"rTRC", 3, LARGEST), (b"gTRC", 0, 1)], &content)),
            None
        );
        assert_eq!(essence(&profile(&[(b"rTRC", 1, 4)], &[0; 4])), None);
        assert_eq!(
            essence(&profile(&[(b"rTRC", 0, u32::MAX as usize)], &[0; 4])),
            None
        );
        for length in 0..HEADER + 4 {
            assert_eq!(essence(&vec![0; length]), None);
        }
    }
}

//! ICC profiles (ICC.1:2022), reduced to the tags that a colour conversion needs.
//!
//! Profiles come from untrusted clients: tags may repeat thousands of times, overlap, or contain ten thousand
//! translations of a text that all refer to the same two megabytes. The colour library therefore gets a new profile
//! that contains each needed tag once.

/// Tags that convert device colours to the profile connection space: white point and chromatic adaptation,
/// coding-independent code points, colorants and tone curves, and the lookup table of devices that colorants can't
/// describe.
const CONVERSION_TAGS: [&[u8; 4]; 11] = [
    b"wtpt", b"chad", b"cicp", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0",
];
/// Length of the profile header.
const HEADER_BYTES: usize = 128;
/// Length of a tag's entry: signature, offset and length.
const TAG_ENTRY_BYTES: usize = 12;
/// Tags that are read; profiles of printing presses have two dozen.
const MAX_TAGS: usize = 128;
/// Twice the largest CMYK lookup table, of 17 grid points for each ink at 16 bits; curves and colorants take a few
/// kilobytes.
const MAX_CONTENT_BYTES: usize = 1 << 20;

/// Profile with only the tags that a conversion needs; `None` if it is malformed or they are too large.
pub(crate) fn minimal_profile(profile: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = profile.split_at_checked(HEADER_BYTES)?;
    let (count, entries) = rest.split_first_chunk()?;
    let count = u32::from_be_bytes(*count) as usize;
    let entries = entries
        .as_chunks::<TAG_ENTRY_BYTES>()
        .0
        .iter()
        .take(count.min(MAX_TAGS));
    let mut kept: Vec<(&[u8; 4], &[u8])> = Vec::with_capacity(CONVERSION_TAGS.len());
    for &[s0, s1, s2, s3, p0, p1, p2, p3, l0, l1, l2, l3] in entries {
        let signature = [s0, s1, s2, s3];
        let Some(needed) = CONVERSION_TAGS.into_iter().find(|needed| **needed == signature) else {
            continue;
        };
        if kept.iter().any(|(known, _)| *known == needed) {
            continue;
        }
        let offset = u32::from_be_bytes([p0, p1, p2, p3]) as usize;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        kept.push((needed, profile.get(offset..offset.checked_add(length)?)?));
    }
    let content: usize = kept.iter().map(|(_, content)| content.len()).sum();
    if content > MAX_CONTENT_BYTES {
        return None;
    }
    let mut minimal = Vec::with_capacity(HEADER_BYTES + 4 + (TAG_ENTRY_BYTES + 4) * kept.len() + content);
    minimal.extend_from_slice(header);
    minimal.extend(u32::try_from(kept.len()).ok()?.to_be_bytes());
    let mut offset = minimal.len() + TAG_ENTRY_BYTES * kept.len();
    for (signature, content) in &kept {
        minimal.extend_from_slice(*signature);
        minimal.extend(u32::try_from(offset).ok()?.to_be_bytes());
        minimal.extend(u32::try_from(content.len()).ok()?.to_be_bytes());
        offset = (offset + content.len()).next_multiple_of(4);
    }
    for (_, content) in &kept {
        minimal.extend_from_slice(content);
        minimal.resize(minimal.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(minimal.len()).ok()?;
    if let Some(size) = minimal.first_chunk_mut() {
        *size = length.to_be_bytes();
    }
    Some(minimal)
}

#[cfg(test)]
mod tests {
    use moxcms::ColorProfile;

    use super::*;

    /// Profile with these tags, each with its offset and length in `content`, which follows the tag table.
    fn profile(tags: &[(&[u8; 4], usize, usize)], content: &[u8]) -> Vec<u8> {
        let mut file = ColorProfile::new_srgb().encode().unwrap();
        file.truncate(HEADER_BYTES);
        file.extend(u32::try_from(tags.len()).unwrap().to_be_bytes());
        let start = HEADER_BYTES + 4 + TAG_ENTRY_BYTES * tags.len();
        for (signature, offset, length) in tags {
            file.extend(*signature);
            file.extend(u32::try_from(start + offset).unwrap().to_be_bytes());
            file.extend(u32::try_from(*length).unwrap().to_be_bytes());
        }
        file.extend(content);
        file
    }

    fn tags(profile: &[u8]) -> Vec<&[u8]> {
        let count = profile[HEADER_BYTES + 3].into();
        profile[HEADER_BYTES + 4..]
            .chunks(TAG_ENTRY_BYTES)
            .take(count)
            .map(|entry| &entry[..4])
            .collect()
    }

    #[test]
    fn a_minimal_profile_converts_as_the_complete_one_does() {
        for complete in [
            ColorProfile::new_display_p3(),
            ColorProfile::new_adobe_rgb(),
            ColorProfile::new_bt2020(),
            ColorProfile::new_pro_photo_rgb(),
        ] {
            let complete = complete.encode().unwrap();
            let minimal = minimal_profile(&complete).unwrap();
            assert!(minimal.len() < complete.len(), "texts are removed");
            let colours: Vec<u8> = (0..=255).flat_map(|step| [step, 255 - step, step / 2]).collect();
            let [of_complete, of_minimal] = [complete, minimal].map(|profile| {
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
            assert_eq!(of_complete, of_minimal);
        }
    }

    #[test]
    fn texts_and_repeated_tags_are_removed() {
        let many = [
            [(b"cprt", 0, 40); 50].as_slice(),
            &[(b"rTRC", 0, 20); 40],
            &[(b"desc", 0, 40)],
        ]
        .concat();
        let minimal = minimal_profile(&profile(&many, &[7; 40])).unwrap();
        assert_eq!(tags(&minimal), [b"rTRC"]);
        assert_eq!(minimal.len(), HEADER_BYTES + 4 + TAG_ENTRY_BYTES + 20);
        assert_eq!(minimal[HEADER_BYTES + 4 + TAG_ENTRY_BYTES..], [7; 20]);
    }

    #[test]
    fn tags_after_the_maximum_number_are_ignored() {
        let mut many = vec![(b"cprt", 0, 4); MAX_TAGS];
        many.push((b"rTRC", 0, 4));
        assert_eq!(
            tags(&minimal_profile(&profile(&many, &[0; 4])).unwrap()),
            [b""; 0]
        );
    }

    #[test]
    fn tags_beyond_the_end_and_large_tags_invalidate_the_profile() {
        let content = vec![0; MAX_CONTENT_BYTES + 1];
        assert!(minimal_profile(&profile(&[(b"A2B0", 0, MAX_CONTENT_BYTES)], &content)).is_some());
        assert_eq!(
            minimal_profile(&profile(&[(b"A2B0", 0, MAX_CONTENT_BYTES + 1)], &content)),
            None
        );
        assert_eq!(
            minimal_profile(&profile(
                &[(b"rTRC", 3, MAX_CONTENT_BYTES), (b"gTRC", 0, 1)],
                &content
            )),
            None
        );
        assert_eq!(minimal_profile(&profile(&[(b"rTRC", 1, 4)], &[0; 4])), None);
        assert_eq!(
            minimal_profile(&profile(&[(b"rTRC", 0, u32::MAX as usize)], &[0; 4])),
            None
        );
        for length in 0..HEADER_BYTES + 4 {
            assert_eq!(minimal_profile(&vec![0; length]), None);
        }
    }
}

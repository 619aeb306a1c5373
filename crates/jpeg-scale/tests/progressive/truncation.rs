//! Truncated progressive files and incomplete scripts.

use super::*;
use jpeg_scale::read_header;

#[test]
fn truncation_at_every_byte_is_reported_at_every_scale() {
    let (_, file) = small();
    let data = header(&file, 0).1;
    for end in 0..data {
        assert!(decode_at(&file[..end], Scale::Half).is_err(), "at {end}");
        assert!(read_header(&file[..end]).is_err(), "at {end}");
    }
    for end in data..file.len() - 2 {
        assert_eq!(
            damage(&file[..end]),
            Some(Damage::Truncated),
            "at {end} of {}",
            file.len()
        );
    }
    // Without EOI the image is complete.
    for end in [file.len() - 2, file.len() - 1, file.len()] {
        assert_eq!(damage(&file[..end]), None);
    }
}

#[test]
fn scans_before_a_truncation_are_decoded() {
    let (image, file) = small();
    let expected = decode_at(&file, Scale::Eighth).unwrap();
    let cut = decode_at(&file[..scans(&file)[9] + 60], Scale::Eighth).unwrap();
    assert_eq!(cut.damage, Some(Damage::Truncated));
    assert!(rows(&cut) == rows(&expected), "DC coefficients were complete");
    // At most one bit of luma coefficients is missing.
    let full = decode_at(&file, Scale::Full).unwrap();
    let cut = decode_at(&file[..scans(&file)[9] + 60], Scale::Full).unwrap();
    let steps: i32 = image.components[0].1.iter().map(|&step| i32::from(step)).sum();
    for y in 0..40 {
        for (a, b) in full.planes.planes[0]
            .row(y)
            .iter()
            .zip(cut.planes.planes[0].row(y))
        {
            assert!(i32::from(a.abs_diff(*b)) <= steps / 4);
        }
    }
    assert_ne!(rows(&full), rows(&cut));
}

#[test]
fn scripts_may_omit_bits_but_no_component() {
    let (image, file) = small();
    let starts = scans(&file);
    // EOI after each scan.
    for &start in &starts[1..] {
        let mut ended = file[..start].to_vec();
        ended.extend([0xff, 0xd9]);
        assert_eq!(damage(&ended), None);
    }
    let without = [
        scan(&[0], (0, 0), 0, 0),
        scan(&[2], (0, 0), 0, 0),
        scan(&[0], (1, 63), 0, 0),
    ];
    assert_eq!(damage(&image.encode(SOF2, &without)), Some(Damage::Truncated));
}

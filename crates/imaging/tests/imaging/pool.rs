//! The pool stays within its threads and its memory budget, and survives damaged files.

use std::{num::NonZeroUsize, sync::Arc};

use bytes::Bytes;
use jpeg_encoder::ColorType;
use rapidphoto_application::ports::PhotoInspector;
use rapidphoto_domain::photo::Check;
use rapidphoto_imaging::{ImagingConfig, ImagingPool};
use rapidphoto_sample_photos::SamplePhoto;

use crate::fixtures::*;

const MIB: u64 = 1 << 20;

fn pool(threads: usize, memory_budget_bytes: u64) -> Arc<ImagingPool> {
    let config = ImagingConfig {
        threads: NonZeroUsize::new(threads).unwrap(),
        memory_budget_bytes,
    };
    Arc::new(ImagingPool::new(config).unwrap())
}

#[tokio::test]
async fn concurrent_photos_stay_within_the_memory_budget() {
    // A photo of this size takes about 25 MiB: three fit, though there are eight threads.
    let budget = 80 * MIB;
    let pool = pool(8, budget);
    let file = Bytes::from(SamplePhoto::new(1, 2400, 1800).jpeg());
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (pool, file) = (Arc::clone(&pool), file.clone());
            tokio::spawn(async move { pool.inspect(file, LIMITS).await })
        })
        .collect();
    let mut inspections = Vec::new();
    for call in calls {
        inspections.push(call.await.unwrap().unwrap());
    }
    assert!(
        inspections
            .iter()
            .all(|inspection| inspection.findings.is_empty())
    );
    assert!(inspections.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(
        pool.peak_memory_bytes() > budget / 2,
        "several were inspected at once"
    );
    assert!(pool.peak_memory_bytes() <= budget);
}

#[tokio::test]
async fn a_hundred_photos_of_fifty_megapixels_wait_for_memory() {
    const EDGES: (u16, u16) = (8660, 5774);
    // One photo at a time fits.
    let pool = pool(4, 32 * MIB);
    let grey: Vec<u8> = (0..usize::from(EDGES.0) * usize::from(EDGES.1))
        .map(|at| (at / 64 % 251).to_le_bytes()[0])
        .collect();
    let options = JpegOptions {
        colour: ColorType::Luma,
        ..JpegOptions::default()
    };
    let file = Bytes::from(encode_jpeg(EDGES.0, EDGES.1, &grey, &options));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let (pool, file) = (Arc::clone(&pool), file.clone());
            tokio::spawn(async move { pool.inspect(file, LIMITS).await })
        })
        .collect();
    for call in calls {
        let inspection = call.await.unwrap().unwrap();
        assert_eq!(inspection.findings, []);
        assert_eq!(inspection.thumbnails.len(), 2);
    }
    assert!(pool.peak_memory_bytes() <= 32 * MIB);
}

#[tokio::test]
async fn a_photo_that_needs_more_than_the_budget_has_too_many_pixels() {
    let pool = pool(2, 20 * MIB);
    let large = SamplePhoto::new(2, 2400, 1800);
    let inspection = pool.inspect(Bytes::from(large.jpeg()), LIMITS).await.unwrap();
    let [finding] = &inspection.findings[..] else {
        panic!("{:?}", inspection.findings)
    };
    assert_eq!(finding.check, Check::TooManyPixels);
    assert_eq!(finding.measured, Some((2400_u64 * 1800).into()));
    assert!(inspection.thumbnails.is_empty());
    assert_eq!(pool.peak_memory_bytes(), 0);

    let small = pool
        .inspect(
            Bytes::from(quarters_jpeg(64, 64, &JpegOptions::default())),
            LIMITS,
        )
        .await;
    assert_quarters(&small.unwrap(), "a small photo in the same pool");
}

#[tokio::test]
async fn the_coefficients_of_a_progressive_photo_are_never_all_in_memory() {
    // Its 36 million coefficients of two bytes each do not fit.
    let pool = pool(1, 32 * MIB);
    let photo = SamplePhoto {
        progressive: true,
        ..SamplePhoto::new(2, 6000, 4000)
    };
    let inspection = pool.inspect(Bytes::from(photo.jpeg()), LIMITS).await.unwrap();
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.thumbnails.len(), 2);
}

#[tokio::test]
async fn damaged_photos_never_break_the_pool() {
    let pool = pool(2, 256 * MIB);
    let files = [false, true].map(|progressive| {
        let photo = SamplePhoto {
            progressive,
            ..SamplePhoto::new(4, 200, 150)
        };
        photo.jpeg()
    });
    let mut noise = 0x1234_5678_u32;
    let mut next = || {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        noise as usize
    };
    for round in 0..400 {
        let mut file = files[round % 2].clone();
        for _ in 0..=next() % 8 {
            let at = next() % file.len();
            file[at] = next().to_le_bytes()[0];
        }
        match pool.inspect(Bytes::from(file), LIMITS).await {
            Ok(inspection) => {
                let is_valid = inspection.findings.is_empty();
                assert_eq!(
                    is_valid,
                    inspection.thumbnails.len() == 2,
                    "{:?}",
                    inspection.findings
                );
            }
            // The pool reports panics of decoders as errors; there must be none.
            Err(error) => panic!("round {round}: {error}"),
        }
    }
    let valid = pool
        .inspect(
            Bytes::from(quarters_jpeg(64, 64, &JpegOptions::default())),
            LIMITS,
        )
        .await;
    assert_quarters(&valid.unwrap(), "after the damaged photos");
}

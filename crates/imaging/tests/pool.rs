//! The pool keeps to its threads and its memory, and survives what it is fed.

#[cfg(test)]
mod pictures;

use std::{num::NonZeroUsize, sync::Arc};

use bytes::Bytes;
use pictures::*;
use rapidphoto_application::ports::PhotoInspector;
use rapidphoto_domain::photo::Check;
use rapidphoto_imaging::{ImagingConfig, ImagingPool};
use rapidphoto_sample_photos::SamplePhoto;

const MIB: u64 = 1 << 20;

#[cfg(test)]
fn pool(threads: usize, memory_budget_bytes: u64) -> Arc<ImagingPool> {
    let config = ImagingConfig {
        threads: NonZeroUsize::new(threads).unwrap(),
        memory_budget_bytes,
    };
    Arc::new(ImagingPool::new(config).unwrap())
}

#[tokio::test]
async fn photos_that_come_together_stay_within_the_memory() {
    // A photo of this size weighs about 25 MiB: three fit, though there are eight threads.
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
async fn a_hundred_photos_of_fifty_megapixels_queue() {
    const EDGES: (u16, u16) = (8660, 5774);
    // One at a time fits, whatever the threads.
    let pool = pool(4, 32 * MIB);
    let grey: Vec<u8> = (0..usize::from(EDGES.0) * usize::from(EDGES.1))
        .map(|at| (at / 64 % 251).to_le_bytes()[0])
        .collect();
    let kind = Kind {
        colour: jpeg_encoder::ColorType::Luma,
        ..Kind::default()
    };
    let file = Bytes::from(encode(EDGES.0, EDGES.1, &grey, &kind));
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
async fn a_photo_that_is_heavier_than_all_memory_has_too_many_pixels() {
    let pool = pool(2, 20 * MIB);
    let heavy = SamplePhoto::new(2, 2400, 1800);
    let inspection = pool.inspect(Bytes::from(heavy.jpeg()), LIMITS).await.unwrap();
    let [finding] = &inspection.findings[..] else {
        panic!("{:?}", inspection.findings)
    };
    assert_eq!(finding.check, Check::TooManyPixels);
    assert_eq!(finding.measured, Some((2400_u64 * 1800).into()));
    assert!(inspection.thumbnails.is_empty());
    assert_eq!(pool.peak_memory_bytes(), 0);

    let light = pool
        .inspect(Bytes::from(picture(64, 64, &Kind::default())), LIMITS)
        .await;
    assert_quarters(&light.unwrap(), "a light photo in the same pool");
}

#[tokio::test]
async fn the_coefficients_of_a_progressive_photo_are_never_all_in_memory() {
    // Its 36 million coefficients of two bytes would not fit.
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
async fn damaged_photos_never_stop_the_pool() {
    let pool = pool(2, 256 * MIB);
    let whole = [false, true].map(|progressive| {
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
        let mut file = whole[round % 2].clone();
        for _ in 0..=next() % 8 {
            let at = next() % file.len();
            file[at] = next().to_le_bytes()[0];
        }
        match pool.inspect(Bytes::from(file), LIMITS).await {
            Ok(inspection) => {
                let sound = inspection.findings.is_empty();
                assert_eq!(
                    sound,
                    inspection.thumbnails.len() == 2,
                    "{:?}",
                    inspection.findings
                );
            }
            // Decoders of others may break, but not what is ours.
            Err(error) => panic!("round {round}: {error}"),
        }
    }
    let sound = pool
        .inspect(Bytes::from(picture(64, 64, &Kind::default())), LIMITS)
        .await;
    assert_quarters(&sound.unwrap(), "after all that");
}

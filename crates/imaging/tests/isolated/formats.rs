//! Every format has the same result in a child process as on a thread.

use std::{fs, num::NonZeroUsize, path::Path};

use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};
use rapidphoto_application::ports::{InspectionLimits, PhotoInspector};
use rapidphoto_imaging::{ImagingConfig, ImagingPool, ProcessConfig, ProcessPool};
use rapidphoto_sample_photos::SamplePhoto;

use crate::support::*;

async fn assert_same_results(budget: u64, limits: InspectionLimits, files: &[(String, Bytes)]) {
    let threads = ImagingPool::new(ImagingConfig {
        threads: NonZeroUsize::new(2).unwrap(),
        memory_budget_bytes: budget,
    })
    .unwrap();
    let processes = ProcessPool::start(ProcessConfig {
        memory_budget_bytes: budget,
        ..config(2)
    })
    .await
    .unwrap();
    // Twice, because a child keeps buffers from photo to photo.
    for (name, file) in files.iter().chain(files) {
        let expected = threads.inspect(file.clone(), limits).await.unwrap();
        let actual = processes.inspect(file.clone(), limits).await;
        assert_eq!(
            actual.unwrap_or_else(|error| panic!("{name}: {error}")),
            expected,
            "{name}"
        );
    }
}

/// All kinds of files that the decoders know, intact and damaged.
fn corpus() -> Vec<(String, Bytes)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/inspect");
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files: Vec<_> = entries
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(path).unwrap().into(),
            )
        })
        .collect();
    for kind in [
        "jpeg-progressive-cmyk",
        "tiff-ycbcr-jpeg",
        "tiff-rgb-lzw",
        "webp-lossy",
        "gif-",
        "png-rgba",
    ] {
        assert!(files.iter().any(|(name, _)| name.starts_with(kind)), "{kind}");
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_has_the_same_result_in_a_child() {
    let limits = InspectionLimits {
        max_pixels: 1 << 18,
        min_edge: Some(2),
    };
    assert_same_results(256 * MIB, limits, &corpus()).await;
}

fn jpeg(width: u16, height: u16, colour: ColorType, channels: usize) -> Bytes {
    let mut file = Vec::new();
    let encoder = Encoder::new(&mut file, 85);
    encoder
        .encode(&pixels(width, height, channels), width, height, colour)
        .unwrap();
    file.into()
}

fn large_photos() -> Vec<(String, Bytes)> {
    let (width, height) = (4000, 3000);
    let photo = SamplePhoto::new(1, width, height);
    let progressive = SamplePhoto {
        progressive: true,
        ..photo
    };
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width.into(), height.into());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&pixels(width, height, 4))
        .unwrap();
    vec![
        ("baseline".to_owned(), photo.jpeg().into()),
        ("progressive".to_owned(), progressive.jpeg().into()),
        ("CMYK".to_owned(), jpeg(width, height, ColorType::Cmyk, 4)),
        ("RGB".to_owned(), jpeg(width, height, ColorType::Rgb, 3)),
        ("PNG".to_owned(), png.into()),
        ("WebP, lossless".to_owned(), lossless_webp(width, height)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn large_photos_fit_the_memory_that_they_reserve() {
    assert_same_results(512 * MIB, LIMITS, &large_photos()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_beyond_the_budget_has_too_many_pixels() {
    let large = SamplePhoto::new(2, 2400, 1800).jpeg().into();
    let files = [("large".to_owned(), large), ("small".to_owned(), photo(3))];
    assert_same_results(20 * MIB, LIMITS, &files).await;
}

//! Resizing is Lanczos3 to within rounding, is the same with every backend, and rejects invalid sizes.

use std::f64::consts::PI;

use jpeg_scale::{Backend, Plane, ResizeError, Resizer};

/// A plane of noise and slopes, with arbitrary padding after its rows.
fn plane(width: usize, height: usize, gap: usize, seed: u64) -> Plane {
    let stride = width + gap;
    let mut state = seed | 1;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let data = (0..stride * height).map(|at| {
        let (x, y) = (at % stride, at / stride);
        match (x / 7 + y / 5) % 4 {
            0 => noise() as u8,
            1 => (x * 3 + y) as u8,
            2 => 255 * (noise() & 1) as u8,
            _ if x >= width => noise() as u8,
            _ => 255,
        }
    });
    Plane {
        width,
        height,
        stride,
        data: data.collect(),
    }
}

/// One direction in floating point, by the definition.
fn lanczos(line: &[f64], region: f64, target: usize) -> Vec<f64> {
    let scale = region / target as f64;
    let stretch = scale.max(1.0);
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    let resized = |index: usize| {
        let center = (index as f64 + 0.5) * scale;
        let (mut sum, mut weights) = (0.0, 0.0);
        for (position, sample) in line.iter().enumerate() {
            let x = (position as f64 + 0.5 - center) / stretch;
            if x.abs() < 3.0 {
                let weight = sinc(x) * sinc(x / 3.0);
                sum += weight * sample;
                weights += weight;
            }
        }
        sum / weights
    };
    (0..target).map(resized).collect()
}

fn reference(source: &Plane, region: (f64, f64), (width, height): (usize, usize)) -> Vec<u8> {
    let columns: Vec<Vec<f64>> = (0..source.width)
        .map(|x| {
            let column: Vec<f64> = (0..source.height).map(|y| f64::from(source.row(y)[x])).collect();
            lanczos(&column, region.1, height)
        })
        .collect();
    (0..height)
        .flat_map(|y| {
            let line: Vec<f64> = columns.iter().map(|column| column[y]).collect();
            lanczos(&line, region.0, width)
        })
        .map(|sample| sample.round().clamp(0.0, 255.0) as u8)
        .collect()
}

#[test]
fn resized_planes_are_within_one_of_lanczos3_in_floating_point() {
    for (size, region, target) in [
        ((200, 150), (200.0, 150.0), (102, 77)),
        ((201, 151), (200.5, 150.375), (103, 64)),
        ((200, 150), (200.0, 150.0), (31, 20)),
        ((200, 150), (200.0, 150.0), (7, 3)),
        ((64, 48), (64.0, 48.0), (64, 48)),
        ((40, 30), (40.0, 30.0), (90, 71)),
        ((300, 1), (300.0, 1.0), (128, 1)),
        ((1, 300), (1.0, 300.0), (1, 128)),
        ((3, 2), (2.25, 1.5), (1, 1)),
        ((1, 1), (1.0, 1.0), (5, 9)),
    ] {
        let source = plane(size.0, size.1, 5, 77);
        let resized = Resizer::new().resize(source.samples(), region, target).unwrap();
        assert_eq!(
            (resized.width, resized.height, resized.stride),
            (target.0, target.1, target.0)
        );
        let exact = reference(&source, region, target);
        assert_eq!(resized.data.len(), exact.len());
        for (at, (ours, exact)) in resized.data.iter().zip(exact).enumerate() {
            assert!(
                ours.abs_diff(exact) <= 1,
                "{size:?} to {target:?} at {at}: {ours}, not {exact}"
            );
        }
    }
}

#[test]
fn every_backend_gives_the_same_bytes() {
    let mut ours = Resizer::new();
    let mut portable = Resizer::with_backend(Backend::portable());
    for width in [1, 15, 16, 31, 32, 63, 64, 65, 200, 333] {
        for (height, target) in [(1, 1), (7, 5), (40, 13), (129, 64), (600, 8)] {
            let source = plane(width, height, width % 3, (width * height) as u64);
            let region = (width as f64, height as f64 - 0.25);
            for across in [1, 7, 8, 9, 64, 100] {
                let size = (across, target);
                assert_eq!(
                    ours.resize(source.samples(), region, size),
                    portable.resize(source.samples(), region, size),
                    "{width} × {height} to {size:?}"
                );
            }
        }
    }
}

#[test]
fn lines_of_65535_samples_are_resized() {
    for (width, height) in [(65_535, 1), (1, 65_535)] {
        let source = Plane {
            width,
            height,
            stride: width,
            data: vec![201; 65_535],
        };
        for edge in [1, 256, 1024] {
            let size = if width > height { (edge, 1) } else { (1, edge) };
            let region = (width as f64, height as f64);
            let resized = Resizer::new().resize(source.samples(), region, size).unwrap();
            assert_eq!(resized.data, vec![201; edge]);
        }
    }
}

#[test]
fn large_reductions_are_within_four_of_lanczos3() {
    for (size, target) in [
        ((7001, 40), (100, 20)),
        ((40, 7001), (20, 70)),
        ((3000, 3001), (9, 10)),
    ] {
        let source = plane(size.0, size.1, 3, 5);
        let region = (size.0 as f64 - 0.5, size.1 as f64);
        let resized = Resizer::new().resize(source.samples(), region, target).unwrap();
        let exact = reference(&source, region, target);
        for (at, (ours, exact)) in resized.data.iter().zip(exact).enumerate() {
            // The plane is black and white noise, for which the error is largest.
            assert!(
                ours.abs_diff(exact) <= 4,
                "{size:?} to {target:?} at {at}: {ours}, not {exact}"
            );
        }
    }
}

#[test]
fn a_hundred_million_samples_in_a_row_need_no_large_weights() {
    // Weights for each of them would take gigabytes, and half a minute.
    let source = vec![77; 100_000_000];
    for (width, height) in [(source.len(), 1), (1, source.len())] {
        let samples = jpeg_scale::Samples {
            width,
            height,
            stride: width,
            data: &source,
        };
        let target = (width.min(1024), height.min(1024));
        let resized = Resizer::new()
            .resize(samples, (width as f64, height as f64), target)
            .unwrap();
        assert_eq!(resized.data, [77; 1024]);
    }
}

#[test]
fn overshoot_is_clamped_to_black_and_white() {
    let bars = Plane {
        width: 120,
        height: 120,
        stride: 120,
        data: (0..120 * 120)
            .map(|at| {
                if (at % 120 / 10 + at / 1200) % 2 == 0 {
                    0
                } else {
                    255
                }
            })
            .collect(),
    };
    let exact = reference(&bars, (120.0, 120.0), (77, 77));
    let resized = Resizer::new()
        .resize(bars.samples(), (120.0, 120.0), (77, 77))
        .unwrap();
    assert!(exact.contains(&0) && exact.contains(&255));
    assert!(
        resized
            .data
            .iter()
            .zip(exact)
            .all(|(ours, exact)| ours.abs_diff(exact) <= 1)
    );
}

#[test]
fn reused_resizers_and_targets_give_the_same_planes() {
    let mut resizer = Resizer::new();
    let mut target = Plane::default();
    // More sizes than are cached, twice.
    for round in 0..2 {
        for width in (20..200).step_by(9) {
            let source = plane(width, 50, round, width as u64);
            let region = (width as f64, 50.0);
            resizer
                .resize_into(source.samples(), region, (33, 21), &mut target)
                .unwrap();
            assert_eq!(
                Ok(&target),
                Resizer::new().resize(source.samples(), region, (33, 21)).as_ref()
            );
        }
    }
}

#[test]
fn invalid_sizes_and_regions_are_errors() {
    let source = plane(4, 3, 0, 1);
    let whole = (4.0, 3.0);
    let resize =
        |plane: &Plane, region, size| Resizer::new().resize(plane.samples(), region, size).unwrap_err();
    for region in [
        (0.0, 1.0),
        (1.0, -1.0),
        (4.5, 1.0),
        (1.0, 3.01),
        (f64::NAN, 1.0),
        (1.0, f64::INFINITY),
    ] {
        assert_eq!(resize(&source, region, (1, 1)), ResizeError::Region, "{region:?}");
    }
    for size in [(0, 1), (1, 0)] {
        assert_eq!(resize(&source, whole, size), ResizeError::Target);
    }
    let corruptions: [fn(&mut Plane); 5] = [
        |plane| plane.width = 0,
        |plane| plane.height = 0,
        |plane| plane.stride = 3,
        |plane| plane.data.truncate(11),
        |plane| plane.height = usize::MAX,
    ];
    for corrupt in corruptions {
        let mut plane = source.clone();
        corrupt(&mut plane);
        assert_eq!(resize(&plane, whole, (1, 1)), ResizeError::Samples, "{plane:?}");
    }
}

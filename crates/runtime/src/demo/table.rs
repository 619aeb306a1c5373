use std::{fmt::Write, time::Duration};

use rapidphoto_client::types::Photo;

use super::upload::PhotoResult;

/// Table with one line per photo.
pub(super) fn render(results: &[PhotoResult]) -> String {
    let mut rows = vec![
        [
            "photo",
            "size",
            "pixels",
            "camera",
            "taken",
            "thumbnails",
            "status",
        ]
        .map(str::to_owned),
    ];
    rows.extend(results.iter().map(|result| row(&result.photo)));
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        // Writing to a string never fails.
        let _ = writeln!(table, "{}", cells.join("  ").trim_end());
    }
    table
}

fn row(photo: &Photo) -> [String; 7] {
    let pixels = match (photo.width, photo.height) {
        (Some(width), Some(height)) => format!("{width}×{height}"),
        _ => "–".to_owned(),
    };
    let camera = photo
        .camera
        .as_ref()
        .and_then(|camera| camera.model.clone())
        .unwrap_or_else(|| "–".to_owned());
    let taken = photo.taken_at.clone().unwrap_or_else(|| "–".to_owned());
    let thumbnails: Vec<String> = photo
        .thumbnails
        .iter()
        .map(|thumbnail| format!("{}×{}", thumbnail.width, thumbnail.height))
        .collect();
    let mut status = format!("{:?}", photo.status).to_uppercase();
    for reason in &photo.reasons {
        let _ = write!(status, " {}", reason.code);
    }
    [
        photo.filename.clone(),
        megabytes(photo.bytes),
        pixels,
        camera,
        taken,
        thumbnails.join(" "),
        status,
    ]
}

/// Summary of all photos.
pub(super) fn summary(completed: usize, total: usize, bytes: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    format!(
        "{completed} of {total} photos ({}) completed in {seconds:.1} s",
        megabytes(bytes)
    )
}

fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1} MB")
}

//! Writes a set of generated photos: `cargo run --release -p rapidphoto-sample-photos --example sample-photos DIR [COUNT] [SEED]`.
#![expect(clippy::print_stdout, reason = "an example prints to the terminal")]

use std::{error::Error, fs, path::PathBuf, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(
        arguments
            .next()
            .ok_or("usage: sample-photos DIR [COUNT] [SEED]")?,
    );
    let count = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let seed = arguments.next().map_or(Ok(1), |text| text.parse())?;
    fs::create_dir_all(&directory)?;
    for (name, photo) in rapidphoto_sample_photos::demo_photos(count, seed) {
        let start = Instant::now();
        let file = photo.jpeg();
        let took = start.elapsed().as_millis();
        println!(
            "{name} {} × {}, orientation {}, {} bytes, {took} ms",
            photo.width,
            photo.height,
            photo.orientation.exif(),
            file.len()
        );
        fs::write(directory.join(name), file)?;
    }
    Ok(())
}

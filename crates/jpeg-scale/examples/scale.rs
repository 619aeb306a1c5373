//! `scale IN.jpg EIGHTHS OUT.jpg`: decodes a photo at 1, 2, 3, 4 or 8 eighths of its size.
#![allow(clippy::print_stderr)]

use std::error::Error;

use jpeg_scale::{Decoder, Encoder, Limits, Scale};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, eighths, to] = arguments.as_slice() else {
        return Err("usage: scale IN.jpg EIGHTHS OUT.jpg".into());
    };
    let eighths: usize = eighths.parse()?;
    let scale = Scale::ALL
        .into_iter()
        .find(|scale| scale.eighths() == eighths)
        .ok_or("EIGHTHS must be 1, 2, 3, 4 or 8")?;
    let decoded = Decoder::new().decode(&std::fs::read(from)?, scale, &Limits::default())?;
    if let Some(damage) = decoded.damage {
        eprintln!("damaged: {damage}");
    }
    std::fs::write(to, Encoder::new(90).encode(&decoded.planes)?)?;
    Ok(())
}

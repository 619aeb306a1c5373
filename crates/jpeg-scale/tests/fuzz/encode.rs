//! Any planes: an error, or a file that is the same with every backend and that an independent decoder reads.

use jpeg_scale::{Backend, Decoder, Encoder, Limits, Plane, Planes, Scale};
use zune_core::options::DecoderOptions;

pub(crate) fn check(data: &[u8]) {
    let Some((&[width, height, quality, kind, chroma_width, chroma_height], samples)) =
        data.split_first_chunk()
    else {
        return;
    };
    let (width, height) = (usize::from(width % 100), usize::from(height % 100));
    // Consistent sizes, and arbitrary ones.
    let (chroma_width, chroma_height) = match kind & 7 {
        0 => (width, height),
        1 => (width.div_ceil(2), height),
        2 => (width, height.div_ceil(2)),
        3..=5 => (width.div_ceil(2), height.div_ceil(2)),
        _ => (usize::from(chroma_width % 100), usize::from(chroma_height % 100)),
    };
    let plane = |width: usize, height: usize, skip: usize| {
        let stride = width + usize::from(kind >> 4);
        let data = samples
            .iter()
            .copied()
            .cycle()
            .skip(skip)
            .take(stride * height)
            .collect();
        Plane {
            width,
            height,
            stride,
            data,
        }
    };
    let mut planes = vec![plane(width, height, 0)];
    if kind & 8 == 0 {
        planes.push(plane(chroma_width, chroma_height, 1));
        planes.push(plane(chroma_width, chroma_height, 2));
    }
    let image = Planes {
        width,
        height,
        planes,
    };
    let file = Encoder::new(quality).encode(&image);
    assert_eq!(
        file,
        Encoder::with_backend(quality, Backend::portable()).encode(&image)
    );
    let Ok(file) = file else { return };
    let decoded = Decoder::new()
        .decode(&file, Scale::Full, &Limits::default())
        .expect("decoded");
    assert_eq!(decoded.damage, None);
    for (before, after) in image.planes.iter().zip(&decoded.planes.planes) {
        assert_eq!((before.width, before.height), (after.width, after.height));
        if quality >= 100 {
            for y in 0..before.height {
                for (before, after) in before.row(y).iter().zip(after.row(y)) {
                    assert!(before.abs_diff(*after) <= 4, "{before} became {after}");
                }
            }
        }
    }
    let options = DecoderOptions::default().set_strict_mode(true);
    zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(&file), options)
        .decode()
        .expect("decoded by zune-jpeg");
}

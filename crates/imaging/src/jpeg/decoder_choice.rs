use jpeg_decoder::ColorTransform;
use jpeg_scale::Header;

use super::{frame::Coding, layout::Layout};

/// Choice between the scaled decoder (`jpeg-scale`) and the general one (`jpeg-decoder`). Both the memory bound of a
/// file and its decoding follow this choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecoderChoice {
    /// The scaled decoder alone, even if it fails: the general one would keep every coefficient of a progressive file
    /// in memory. Without a header, decoding reports the file as damaged.
    Scaled(Option<Header>),
    /// The scaled decoder, then the general one if the first reports damage.
    ScaledThenGeneral(Header),
    /// The general decoder.
    General,
}

impl DecoderChoice {
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let Some(frame) = &layout.frame else {
            return Self::General;
        };
        if !matches!(colour_transform(layout), None | Some(ColorTransform::YCbCr)) {
            return Self::General;
        }
        match (frame.coding, jpeg_scale::read_header(layout.file)) {
            (_, Ok(header)) if header.unsupported.is_some() || header.rgb => Self::General,
            (Coding::Progressive, header) => Self::Scaled(header.ok()),
            (_, Ok(header)) => Self::ScaledThenGeneral(header),
            (_, Err(_)) => Self::General,
        }
    }
}

/// Colour transform of the components, by libjpeg's rules: JFIF first, then Adobe's segment, then the component ids.
pub(super) fn colour_transform(layout: &Layout<'_>) -> Option<ColorTransform> {
    let components = &layout.frame.as_ref()?.components;
    let ids: Vec<u8> = components.iter().map(|component| component.id).collect();
    match (components.len(), layout.has_jfif, layout.adobe_transform) {
        (3, false, Some(0)) => Some(ColorTransform::RGB),
        (3, false, None) if ids == *b"RGB" => Some(ColorTransform::RGB),
        (3, _, _) => Some(ColorTransform::YCbCr),
        (4, _, None | Some(0)) => Some(ColorTransform::CMYK),
        (4, _, Some(_)) => Some(ColorTransform::YCCK),
        _ => None,
    }
}

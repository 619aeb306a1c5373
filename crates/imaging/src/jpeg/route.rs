use jpeg_decoder::ColorTransform;
use jpeg_scale::Header;

use super::{Coding, Layout};

/// Who decodes a file. Whatever a file weighs and whoever gets to read it follows from this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The scaled decoder alone, whatever comes of it: the general one would have to keep every coefficient of a
    /// progressive file. Without a header it will find the file damaged.
    Scaled(Option<Header>),
    /// The scaled decoder, and the general one if it finds anything wrong.
    Either(Header),
    /// The general decoder.
    General,
}

impl Route {
    pub(super) fn of(layout: &Layout<'_>) -> Self {
        let Some(frame) = &layout.frame else {
            return Self::General;
        };
        if !matches!(colours(layout), None | Some(ColorTransform::YCbCr)) {
            return Self::General;
        }
        match (frame.coding, jpeg_scale::read_header(layout.file)) {
            (_, Ok(header)) if header.unsupported.is_some() || header.rgb => Self::General,
            (Coding::Progressive, header) => Self::Scaled(header.ok()),
            (_, Ok(header)) => Self::Either(header),
            (_, Err(_)) => Self::General,
        }
    }
}

/// How components become colours, as libjpeg decides it: JFIF first, then Adobe's word, then the components' names.
pub(super) fn colours(layout: &Layout<'_>) -> Option<ColorTransform> {
    let components = &layout.frame.as_ref()?.components;
    let names: Vec<u8> = components.iter().map(|component| component.id).collect();
    match (components.len(), layout.jfif, layout.adobe) {
        (3, false, Some(0)) => Some(ColorTransform::RGB),
        (3, false, None) if names == *b"RGB" => Some(ColorTransform::RGB),
        (3, _, _) => Some(ColorTransform::YCbCr),
        (4, _, None | Some(0)) => Some(ColorTransform::CMYK),
        (4, _, Some(_)) => Some(ColorTransform::YCCK),
        _ => None,
    }
}

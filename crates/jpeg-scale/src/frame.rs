//! The frame header (ITU-T T.81, B.2.2).

use crate::error::Unsupported;
use crate::header::{Header, Sampling};

#[derive(Clone, Copy, Default)]
pub(crate) struct FrameComponent {
    pub(crate) id: u8,
    pub(crate) horizontal: u8,
    pub(crate) vertical: u8,
    pub(crate) quantization: u8,
}

#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) progressive: bool,
    pub(crate) rgb: bool,
    pub(crate) count: u8,
    pub(crate) components: [FrameComponent; 4],
}

impl Frame {
    pub(crate) fn header(&self, unsupported: Option<Unsupported>) -> Header {
        let sampling = self.components.map(|each| Sampling {
            horizontal: each.horizontal,
            vertical: each.vertical,
        });
        Header {
            width: self.width,
            height: self.height,
            components: self.count,
            sampling,
            progressive: self.progressive,
            rgb: self.rgb,
            unsupported,
        }
    }
}

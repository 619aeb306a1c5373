use crate::raster::THIN_IMAGE_EDGE;

/// Frame header (ITU-T T.81, B.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) coding: Coding,
    pub(super) components: Vec<Component>,
    precision: u8,
    is_arithmetic: bool,
}

/// Coding process of a frame (ITU-T T.81, 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Each block is coded once, from its first coefficient to its last.
    Sequential,
    /// Coefficients and their bits are spread over many scans.
    Progressive,
    /// Samples are predicted from their neighbours, without blocks.
    Lossless,
    /// Frames that refine one another.
    Hierarchical,
}

/// Colour component with its sampling factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    horizontal: u8,
    vertical: u8,
}

impl Frame {
    /// Stored width and height of a component, as fractions of the image's width and height.
    pub(super) fn sampling_ratio(&self, component: usize) -> (f64, f64) {
        let max = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1);
        let ratio = |factor: fn(&Component) -> u8| {
            let own = self.components.get(component).map_or(1, factor);
            f64::from(own) / f64::from(max(factor))
        };
        (
            ratio(|component| component.horizontal),
            ratio(|component| component.vertical),
        )
    }

    /// Parses the content of a start-of-frame segment with this marker code.
    pub(super) fn read(code: u8, content: &[u8]) -> Option<Self> {
        let [precision, h1, h0, w1, w0, count, rest @ ..] = content else {
            return None;
        };
        let components: Vec<_> = rest
            .chunks_exact(3)
            .filter_map(|component| match component {
                [id, sampling, _] => Some(Component {
                    id: *id,
                    horizontal: sampling >> 4,
                    vertical: sampling & 15,
                }),
                _ => None,
            })
            .collect();
        let is_valid = |component: &Component| {
            (1..=4).contains(&component.horizontal) && (1..=4).contains(&component.vertical)
        };
        if components.is_empty()
            || components.len() != usize::from(*count)
            || !components.iter().all(is_valid)
        {
            return None;
        }
        Some(Self {
            width: u16::from_be_bytes([*w1, *w0]),
            height: u16::from_be_bytes([*h1, *h0]),
            coding: match code & 0b111 {
                0 | 1 => Coding::Sequential,
                2 => Coding::Progressive,
                3 => Coding::Lossless,
                _ => Coding::Hierarchical,
            },
            components,
            precision: *precision,
            is_arithmetic: code >= 0xC8,
        })
    }

    /// Feature of the frame that is not supported.
    pub(super) fn unsupported_feature(&self) -> Option<&'static str> {
        if self.coding == Coding::Hierarchical {
            Some("image/jpeg, hierarchical")
        } else if self.coding == Coding::Lossless {
            Some("image/jpeg, lossless")
        } else if self.is_arithmetic {
            Some("image/jpeg with arithmetic coding")
        } else if self.precision != 8 {
            Some("image/jpeg with more than 8 bits per sample")
        } else if !matches!(self.components.len(), 1 | 3 | 4) {
            Some("image/jpeg with an unsupported number of components")
        } else {
            None
        }
    }

    /// Returns true if the image is so thin that the padding of its last blocks would be visible after
    /// scaling.
    pub(super) fn is_thin(&self) -> bool {
        u32::from(self.width.min(self.height)) < THIN_IMAGE_EDGE
    }

    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Samples of all components, padded to whole MCUs.
    pub(super) fn padded_samples(&self) -> u64 {
        self.padded_blocks() * 64
    }

    /// Samples of the largest component, padded to whole MCUs.
    pub(super) fn max_component_samples(&self) -> u64 {
        let blocks = self
            .components
            .iter()
            .map(|&component| self.component_blocks(component));
        blocks.max().unwrap_or_default() * 64
    }

    /// Blocks that a decoder visits in a scan with this header (ITU-T T.81, B.2.3).
    pub(super) fn blocks_in_scan(&self, scan_header: &[u8]) -> u64 {
        let Some((&count, rest)) = scan_header.split_first() else {
            return 0;
        };
        let selectors = rest.chunks_exact(2).take(count.into());
        let selected = selectors.filter_map(|selector| {
            self.components
                .iter()
                .find(|component| Some(&component.id) == selector.first())
        });
        selected.map(|&component| self.component_blocks(component)).sum()
    }

    /// Upper bound of the blocks that a decoder may visit in all scans together.
    pub(super) fn max_block_visits(&self) -> u64 {
        /// libjpeg's standard progression visits every block six times.
        const MAX_VISITS_PER_BLOCK: u64 = 8;
        /// Visits that any image may have; they take less than half a second.
        const MIN_VISIT_LIMIT: u64 = 4 << 20;
        (self.padded_blocks() * MAX_VISITS_PER_BLOCK).max(MIN_VISIT_LIMIT)
    }

    /// Blocks of 8 × 8 samples that contain pixels.
    pub(super) fn blocks(&self) -> u64 {
        let (across, down) = self.max_sampling_factors();
        let blocks = |component: &Component| {
            let columns = (u64::from(self.width) * u64::from(component.horizontal)).div_ceil(across * 8);
            let rows = (u64::from(self.height) * u64::from(component.vertical)).div_ceil(down * 8);
            columns * rows
        };
        self.components.iter().map(blocks).sum()
    }

    fn padded_blocks(&self) -> u64 {
        self.components
            .iter()
            .map(|&component| self.component_blocks(component))
            .sum()
    }

    /// Blocks of a component, padded to whole MCUs.
    fn component_blocks(&self, component: Component) -> u64 {
        let (across, down) = self.max_sampling_factors();
        let mcus = u64::from(self.width).div_ceil(across * 8) * u64::from(self.height).div_ceil(down * 8);
        mcus * u64::from(component.horizontal) * u64::from(component.vertical)
    }

    fn max_sampling_factors(&self) -> (u64, u64) {
        let max = |factor: fn(&Component) -> u8| {
            u64::from(self.components.iter().map(factor).max().unwrap_or(1).max(1))
        };
        (
            max(|component| component.horizontal),
            max(|component| component.vertical),
        )
    }
}

use crate::raster::THIN;

/// What a frame header says (ITU-T T.81, B.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) coding: Coding,
    pub(crate) components: Vec<Component>,
    precision: u8,
    arithmetic: bool,
}

/// How pixels are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Each block once, from its first coefficient to its last.
    Sequential,
    /// Coefficients and their bits in many scans.
    Progressive,
    /// Without loss, without blocks.
    Lossless,
    /// Frames that build on one another.
    Hierarchical,
}

/// One colour component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) id: u8,
    horizontal: u8,
    vertical: u8,
}

impl Frame {
    /// How wide and high a component is stored, as parts of the picture's width and height.
    pub(crate) fn share(&self, component: usize) -> (f64, f64) {
        let most = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1);
        let part = |factor: fn(&Component) -> u8| {
            let own = self.components.get(component).map_or(1, factor);
            f64::from(own) / f64::from(most(factor))
        };
        (
            part(|component| component.horizontal),
            part(|component| component.vertical),
        )
    }

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
        let sane = |component: &Component| {
            (1..=4).contains(&component.horizontal) && (1..=4).contains(&component.vertical)
        };
        if components.is_empty() || components.len() != usize::from(*count) || !components.iter().all(sane) {
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
            arithmetic: code >= 0xC8,
        })
    }

    /// What keeps a photo of this kind from being read here; `None`: nothing.
    pub(crate) fn obstacle(&self) -> Option<&'static str> {
        if self.coding == Coding::Hierarchical {
            Some("image/jpeg, hierarchical")
        } else if self.coding == Coding::Lossless {
            Some("image/jpeg, lossless")
        } else if self.arithmetic {
            Some("image/jpeg with arithmetic coding")
        } else if self.precision != 8 {
            Some("image/jpeg with more than 8 bits a sample")
        } else if !matches!(self.components.len(), 1 | 3 | 4) {
            Some("image/jpeg with an unusual number of colours")
        } else {
            None
        }
    }

    pub(super) fn is_readable(&self) -> bool {
        self.obstacle().is_none()
    }

    /// Whether it is so low or narrow that what fills up its last blocks would be seen in a picture at a smaller scale.
    pub(super) fn is_thin(&self) -> bool {
        u32::from(self.width.min(self.height)) < THIN
    }

    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Samples of all components, padded as they are stored.
    pub(crate) fn samples(&self) -> u64 {
        self.blocks_padded() * 64
    }

    /// Samples of the largest component, padded as they are stored.
    pub(super) fn most_samples(&self) -> u64 {
        let largest = self.components.iter().map(|&component| self.blocks_of(component));
        largest.max().unwrap_or_default() * 64
    }

    /// Blocks that a decoder looks at in a scan with this header (ITU-T T.81, B.2.3).
    pub(super) fn blocks_in_scan(&self, header: &[u8]) -> u64 {
        let Some((&count, rest)) = header.split_first() else {
            return 0;
        };
        let selectors = rest.chunks_exact(2).take(count.into());
        let named = selectors.filter_map(|selector| {
            self.components
                .iter()
                .find(|component| Some(&component.id) == selector.first())
        });
        named.map(|&component| self.blocks_of(component)).sum()
    }

    /// So many blocks a decoder may look at in all scans together.
    pub(super) fn most_visits(&self) -> u64 {
        /// libjpeg's scripts look at every block six times.
        const EACH: u64 = 8;
        /// Takes less than half a second.
        const FEW: u64 = 4 << 20;
        (self.blocks_padded() * EACH).max(FEW)
    }

    /// Blocks of 8 × 8 samples that hold pixels.
    pub(super) fn blocks(&self) -> u64 {
        let (across, down) = self.most_factors();
        let blocks = |component: &Component| {
            let columns = (u64::from(self.width) * u64::from(component.horizontal)).div_ceil(across * 8);
            let rows = (u64::from(self.height) * u64::from(component.vertical)).div_ceil(down * 8);
            columns * rows
        };
        self.components.iter().map(blocks).sum()
    }

    fn blocks_padded(&self) -> u64 {
        self.components
            .iter()
            .map(|&component| self.blocks_of(component))
            .sum()
    }

    /// A component's blocks, with those that fill up the last units.
    fn blocks_of(&self, component: Component) -> u64 {
        let (across, down) = self.most_factors();
        let units = u64::from(self.width).div_ceil(across * 8) * u64::from(self.height).div_ceil(down * 8);
        units * u64::from(component.horizontal) * u64::from(component.vertical)
    }

    fn most_factors(&self) -> (u64, u64) {
        let most = |factor: fn(&Component) -> u8| {
            u64::from(self.components.iter().map(factor).max().unwrap_or(1).max(1))
        };
        (
            most(|component| component.horizontal),
            most(|component| component.vertical),
        )
    }
}

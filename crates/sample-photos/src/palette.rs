/// Red, green and blue, 0 to 255.
pub(crate) type Colour = [i32; 3];

/// Colours of one time of day or season.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    /// Sky at the zenith.
    pub(crate) zenith: Colour,
    /// Sky at the horizon.
    pub(crate) horizon: Colour,
    /// Sun and sunlit clouds.
    pub(crate) sun: Colour,
    /// Farthest hills.
    pub(crate) far: Colour,
    /// Nearest hills.
    pub(crate) near: Colour,
    /// Meadow in the foreground.
    pub(crate) ground: Colour,
    /// Height of the sun, from the horizon (0) to the upper edge (1).
    pub(crate) sun_height: f32,
    /// Cloud cover, 0 to 1.
    pub(crate) clouds: f32,
}

/// All palettes.
pub(crate) const PALETTES: [Palette; 6] = [
    // A clear morning.
    Palette {
        zenith: [62, 124, 196],
        horizon: [226, 226, 210],
        sun: [255, 246, 214],
        far: [138, 164, 190],
        near: [40, 72, 58],
        ground: [92, 118, 50],
        sun_height: 0.55,
        clouds: 0.50,
    },
    // Noon with cumulus.
    Palette {
        zenith: [30, 96, 186],
        horizon: [182, 212, 236],
        sun: [255, 255, 250],
        far: [112, 148, 178],
        near: [44, 84, 44],
        ground: [104, 134, 48],
        sun_height: 0.85,
        clouds: 0.62,
    },
    // The golden hour.
    Palette {
        zenith: [72, 104, 160],
        horizon: [255, 198, 120],
        sun: [255, 226, 160],
        far: [176, 142, 138],
        near: [66, 52, 42],
        ground: [126, 98, 42],
        sun_height: 0.22,
        clouds: 0.55,
    },
    // After sunset.
    Palette {
        zenith: [30, 38, 92],
        horizon: [244, 124, 92],
        sun: [255, 176, 128],
        far: [110, 78, 118],
        near: [26, 24, 44],
        ground: [36, 34, 48],
        sun_height: 0.04,
        clouds: 0.58,
    },
    // Dawn in haze.
    Palette {
        zenith: [120, 148, 190],
        horizon: [252, 214, 206],
        sun: [255, 236, 222],
        far: [186, 182, 202],
        near: [70, 84, 98],
        ground: [96, 108, 86],
        sun_height: 0.30,
        clouds: 0.48,
    },
    // Autumn.
    Palette {
        zenith: [58, 112, 178],
        horizon: [236, 222, 190],
        sun: [255, 240, 200],
        far: [150, 150, 156],
        near: [112, 66, 30],
        ground: [152, 112, 40],
        sun_height: 0.60,
        clouds: 0.52,
    },
];

/// Linear interpolation between two colours as `part` goes from 0 to 256.
pub(crate) const fn mix(from: Colour, to: Colour, part: i32) -> Colour {
    let ([red, green, blue], [to_red, to_green, to_blue]) = (from, to);
    [
        red + (((to_red - red) * part) >> 8),
        green + (((to_green - green) * part) >> 8),
        blue + (((to_blue - blue) * part) >> 8),
    ]
}

/// Scales all three channels by `1 + by / 256`; darkens if `by` is negative.
pub(crate) const fn brighten(colour: Colour, by: i32) -> Colour {
    let [r, g, b] = colour;
    [r + ((r * by) >> 8), g + ((g * by) >> 8), b + ((b * by) >> 8)]
}

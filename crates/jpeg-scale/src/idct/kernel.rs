//! Inverse transform, generic over the operations of a vector.

/// Defines the transform over a vector type `V` with `ZERO`, `load`, `add`, `sub`, `scale`, `dequantize` and
/// `store` in scope; `$enable` are attributes of every function.
macro_rules! transform {
    ($(#[$enable:meta])*) => {
        /// Transforms a group of blocks and sets its coefficients to zero. Row `y` of the samples receives
        /// `N` samples of each block.
        $(#[$enable])*
        pub(crate) fn transform<const N: usize>(
            group: &mut Group,
            steps: &[i16; 64],
            samples: &mut GroupSamples,
        ) {
            let (lanes, _) = group.as_chunks_mut::<LANES>();
            let mut rows = [[ZERO; N]; N];
            for x in 0..N {
                let mut column = [ZERO; N];
                for y in 0..N {
                    let k = usize::from(ZIGZAG_INDEX[y * 8 + x]);
                    column[y] = dequantize(load(&lanes[k]), steps[k]);
                    lanes[k] = [0; LANES];
                }
                let column = one_dimension(&column);
                for y in 0..N {
                    rows[y][x] = column[y];
                }
            }
            for y in 0..N {
                store(&one_dimension(&rows[y]), &mut samples[y]);
            }
        }

        /// One-dimensional transform: `x[n] = c[0]/√8 + Σ c[u]·cos((2n+1)uπ/2N)/2`, which includes the
        /// scaling by √(N/8).
        $(#[$enable])*
        fn one_dimension<const N: usize>(c: &[V; N]) -> [V; N] {
            let mut x = [ZERO; N];
            match N {
                1 => x[0] = scale(c[0], COS_PI_4),
                2 => {
                    x[0] = scale(add(c[0], c[1]), COS_PI_4);
                    x[1] = scale(sub(c[0], c[1]), COS_PI_4);
                }
                3 => {
                    let mean = scale(c[0], COS_PI_4);
                    let sides = add(mean, scale(c[2], COS_PI_3));
                    let slope = scale(c[1], COS_PI_6);
                    x[0] = add(sides, slope);
                    x[1] = sub(mean, scale(c[2], COS_0));
                    x[2] = sub(sides, slope);
                }
                4 => {
                    let (even, odd) = (even_four(c[0], c[2]), odd_four(c[1], c[3]));
                    x[0] = add(even[0], odd[0]);
                    x[1] = add(even[1], odd[1]);
                    x[2] = sub(even[1], odd[1]);
                    x[3] = sub(even[0], odd[0]);
                }
                _ => {
                    let (outer, inner) = (even_four(c[0], c[4]), odd_four(c[2], c[6]));
                    let even = [
                        add(outer[0], inner[0]),
                        add(outer[1], inner[1]),
                        sub(outer[1], inner[1]),
                        sub(outer[0], inner[0]),
                    ];
                    let odd = [c[1], c[3], c[5], c[7]];
                    let odd = [
                        weighted_sum(odd, [COS_PI_16, COS_3PI_16, COS_5PI_16, COS_7PI_16]),
                        weighted_sum(odd, [COS_3PI_16, -COS_7PI_16, -COS_PI_16, -COS_5PI_16]),
                        weighted_sum(odd, [COS_5PI_16, -COS_PI_16, COS_7PI_16, COS_3PI_16]),
                        weighted_sum(odd, [COS_7PI_16, -COS_5PI_16, COS_3PI_16, -COS_PI_16]),
                    ];
                    for n in 0..4 {
                        x[n] = add(even[n], odd[n]);
                        x[7 - n] = sub(even[n], odd[n]);
                    }
                }
            }
            x
        }

        $(#[$enable])*
        fn even_four(c0: V, c2: V) -> [V; 2] {
            [scale(add(c0, c2), COS_PI_4), scale(sub(c0, c2), COS_PI_4)]
        }

        $(#[$enable])*
        fn odd_four(c1: V, c3: V) -> [V; 2] {
            [
                add(scale(c1, COS_PI_8), scale(c3, COS_3PI_8)),
                sub(scale(c1, COS_3PI_8), scale(c3, COS_PI_8)),
            ]
        }

        $(#[$enable])*
        fn weighted_sum(c: [V; 4], factors: [i16; 4]) -> V {
            let low = add(scale(c[0], factors[0]), scale(c[1], factors[1]));
            let high = add(scale(c[2], factors[2]), scale(c[3], factors[3]));
            add(low, high)
        }
    };
}
pub(super) use transform;

//! Forward transform, generic over the operations of a vector.

/// Defines the transform over a vector type with its operations, `widen`, `transpose` and `quantize` in
/// scope; `$enable` are attributes of every function.
macro_rules! transform {
    ($(#[$enable:meta])*) => {
        /// Transforms and quantizes two blocks.
        $(#[$enable])*
        pub(crate) fn transform(samples: &BlockPair, divisors: &Divisors, blocks: &mut [QuantizedBlock; 2]) {
            let mut rows = [ZERO; 8];
            for y in 0..8 {
                rows[y] = widen(&samples[y]);
            }
            let columns = transpose(&one_dimension(&rows));
            quantize(&one_dimension(&columns), divisors, blocks);
        }

        /// One-dimensional transform: `c[u] = Σ x[n]·cos((2n+1)uπ/16)/2`, and `Σ x[n]/√8` for `c[0]`.
        $(#[$enable])*
        fn one_dimension(x: &[V; 8]) -> [V; 8] {
            let sum = |n: usize| add(x[n], x[7 - n]);
            let difference = |n: usize| sub(x[n], x[7 - n]);
            let (s0, s1, s2, s3) = (sum(0), sum(1), sum(2), sum(3));
            let odd = [difference(0), difference(1), difference(2), difference(3)];
            // Scaled before the addition, because the sum can have 17 bits.
            let outer = scale(add(s0, s3), COS_PI_4);
            let inner = scale(add(s1, s2), COS_PI_4);
            let (outer_slope, inner_slope) = (sub(s0, s3), sub(s1, s2));
            [
                add(outer, inner),
                weighted_sum(odd, [COS_PI_16, COS_3PI_16, COS_5PI_16, COS_7PI_16]),
                add(scale(outer_slope, COS_PI_8), scale(inner_slope, COS_3PI_8)),
                weighted_sum(odd, [COS_3PI_16, -COS_7PI_16, -COS_PI_16, -COS_5PI_16]),
                sub(outer, inner),
                weighted_sum(odd, [COS_5PI_16, -COS_PI_16, COS_7PI_16, COS_3PI_16]),
                sub(scale(outer_slope, COS_3PI_8), scale(inner_slope, COS_PI_8)),
                weighted_sum(odd, [COS_7PI_16, -COS_5PI_16, COS_3PI_16, -COS_PI_16]),
            ]
        }

        $(#[$enable])*
        fn weighted_sum(x: [V; 4], factors: [i16; 4]) -> V {
            let low = add(scale(x[0], factors[0]), scale(x[1], factors[1]));
            let high = add(scale(x[2], factors[2]), scale(x[3], factors[3]));
            add(low, high)
        }
    };
}
pub(super) use transform;

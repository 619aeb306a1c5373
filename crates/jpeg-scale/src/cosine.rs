//! Cosine factors of the transforms.

/// Half of a cosine as a factor of the vectors' `scale`, which divides by 32 768.
macro_rules! half {
    ($cosine:literal) => {
        ($cosine * 16384.0 + 0.5) as i16
    };
}

pub(crate) const COS_0: i16 = half!(1.0);
pub(crate) const COS_PI_16: i16 = half!(0.980_785_280_403_230_4);
pub(crate) const COS_PI_8: i16 = half!(0.923_879_532_511_286_7);
pub(crate) const COS_PI_6: i16 = half!(0.866_025_403_784_438_6);
pub(crate) const COS_3PI_16: i16 = half!(0.831_469_612_302_545_2);
pub(crate) const COS_PI_4: i16 = half!(0.707_106_781_186_547_5);
pub(crate) const COS_5PI_16: i16 = half!(0.555_570_233_019_602_2);
pub(crate) const COS_PI_3: i16 = half!(0.5);
pub(crate) const COS_3PI_8: i16 = half!(0.382_683_432_365_089_8);
pub(crate) const COS_7PI_16: i16 = half!(0.195_090_322_016_128_3);

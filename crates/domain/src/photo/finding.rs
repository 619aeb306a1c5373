use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::PhotoId;

/// Check of a photo; its name is the stable code of the rejection reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The file is no image, or has a format that this deployment does not support.
    UnsupportedFormat,
    /// The detected type differs from the declared type.
    TypeMismatch,
    /// The size differs from the declared size.
    SizeMismatch,
    /// The file has more bytes than allowed.
    TooLarge,
    /// The shorter edge has fewer pixels than allowed.
    TooSmallResolution,
    /// The image has more pixels than this deployment can decode.
    TooManyPixels,
    /// The image can't be decoded completely.
    Corrupt,
    /// The SHA-256 differs from the declared one.
    ChecksumMismatch,
    /// The sharpness is below the minimum.
    Blurry,
    /// The image is similar to another photo of the owner.
    NearDuplicate,
    /// A malware scanner reported the file.
    Infected,
    /// A moderation service rejected the image.
    Moderation,
}

impl Check {
    /// All checks.
    pub const ALL: [Self; 12] = [
        Self::UnsupportedFormat,
        Self::TypeMismatch,
        Self::SizeMismatch,
        Self::TooLarge,
        Self::TooSmallResolution,
        Self::TooManyPixels,
        Self::Corrupt,
        Self::ChecksumMismatch,
        Self::Blurry,
        Self::NearDuplicate,
        Self::Infected,
        Self::Moderation,
    ];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnsupportedFormat => "unsupported_format",
            Self::TypeMismatch => "type_mismatch",
            Self::SizeMismatch => "size_mismatch",
            Self::TooLarge => "too_large",
            Self::TooSmallResolution => "too_small_resolution",
            Self::TooManyPixels => "too_many_pixels",
            Self::Corrupt => "corrupt",
            Self::ChecksumMismatch => "checksum_mismatch",
            Self::Blurry => "blurry",
            Self::NearDuplicate => "near_duplicate",
            Self::Infected => "infected",
            Self::Moderation => "moderation",
        }
    }

    /// Message for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnsupportedFormat => "the file is not an image of a supported format",
            Self::TypeMismatch => "the type of the file differs from the declared type",
            Self::SizeMismatch => "the size of the file differs from the declared size",
            Self::TooLarge => "the file is larger than allowed",
            Self::TooSmallResolution => "the image has fewer pixels than allowed",
            Self::TooManyPixels => "the image has more pixels than allowed",
            Self::Corrupt => "the image is damaged and can't be decoded completely",
            Self::ChecksumMismatch => "the checksum of the file differs from the declared checksum",
            Self::Blurry => "the image is less sharp than allowed",
            Self::NearDuplicate => "the image is similar to another photo of the user",
            Self::Infected => "the file contains malware",
            Self::Moderation => "the image was rejected by moderation",
        }
    }

    const fn default_policy(self) -> Policy {
        match self {
            Self::UnsupportedFormat
            | Self::TypeMismatch
            | Self::SizeMismatch
            | Self::TooLarge
            | Self::TooManyPixels
            | Self::Corrupt
            | Self::ChecksumMismatch
            | Self::Infected
            | Self::Moderation => Policy::Reject,
            Self::TooSmallResolution | Self::Blurry | Self::NearDuplicate => Policy::Off,
        }
    }
}

/// Measured or allowed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Measure {
    /// Integer, such as a number of bytes or pixels.
    Count(u64),
    /// Real number, such as a sharpness.
    Quantity(f64),
    /// Text, such as a type. Never a hash of the content, which must be erasable.
    Name(String),
}

impl From<u64> for Measure {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Measure {
    fn from(quantity: f64) -> Self {
        // JSON has neither NaN nor infinity: as numbers they would be stored as null and lost.
        if quantity.is_finite() {
            Self::Quantity(quantity)
        } else {
            Self::Name(quantity.to_string())
        }
    }
}

impl From<String> for Measure {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

/// Finding of a failed check, with the measured and the allowed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Check that failed.
    pub check: Check,
    /// Measured value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measure>,
    /// Allowed value: a limit, or the expected value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Measure>,
    /// Similar photo, for [`Check::NearDuplicate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoId>,
}

impl Finding {
    /// Finding with the measured and the allowed value.
    pub fn measured(check: Check, measured: impl Into<Measure>, allowed: impl Into<Measure>) -> Self {
        Self {
            check,
            measured: Some(measured.into()),
            allowed: Some(allowed.into()),
            photo: None,
        }
    }

    /// Finding without values.
    pub const fn without_values(check: Check) -> Self {
        Self {
            check,
            measured: None,
            allowed: None,
            photo: None,
        }
    }
}

/// Consequence of a failed check in a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// None: the check is not made, or its finding is ignored.
    Off,
    /// The photo is completed with a warning.
    Warn,
    /// The photo is rejected.
    Reject,
}

/// Policies of a deployment by check; the others have their default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckPolicies(BTreeMap<Check, Policy>);

/// Findings of a photo, sorted by the policies of a deployment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Findings that reject the photo; it is accepted if there are none.
    pub reasons: Vec<Finding>,
    /// Findings that are stored as warnings.
    pub warnings: Vec<Finding>,
}

impl CheckPolicies {
    /// Default policies with these exceptions.
    pub const fn with(exceptions: BTreeMap<Check, Policy>) -> Self {
        Self(exceptions)
    }

    /// Policy of a check.
    pub fn policy(&self, check: Check) -> Policy {
        self.0.get(&check).copied().unwrap_or(check.default_policy())
    }

    /// Sorts findings into reasons and warnings; findings of checks that are off are dropped.
    pub fn evaluate(&self, findings: impl IntoIterator<Item = Finding>) -> Verdict {
        let mut verdict = Verdict::default();
        for finding in findings {
            match self.policy(finding.check) {
                Policy::Off => {}
                Policy::Warn => verdict.warnings.push(finding),
                Policy::Reject => verdict.reasons.push(finding),
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_stored_under_its_code() {
        for check in Check::ALL {
            assert_eq!(serde_json::to_value(check).unwrap(), check.code());
        }
    }

    #[test]
    fn nan_and_infinity_are_stored_as_text() {
        let finding = Finding::measured(Check::Blurry, f64::NAN, f64::INFINITY);
        let stored = serde_json::to_string(&finding).unwrap();
        assert_eq!(stored, r#"{"check":"blurry","measured":"NaN","allowed":"inf"}"#);
        assert_eq!(serde_json::from_str::<Finding>(&stored).unwrap(), finding);
    }

    #[test]
    fn policies_sort_findings_into_reasons_and_warnings() {
        let policies = CheckPolicies::with(BTreeMap::from([
            (Check::Blurry, Policy::Warn),
            (Check::TypeMismatch, Policy::Off),
        ]));
        let verdict = policies.evaluate(
            [
                Check::Blurry,
                Check::TypeMismatch,
                Check::Corrupt,
                Check::NearDuplicate,
            ]
            .map(Finding::without_values),
        );
        assert_eq!(verdict.reasons, [Finding::without_values(Check::Corrupt)]);
        assert_eq!(verdict.warnings, [Finding::without_values(Check::Blurry)]);
    }
}

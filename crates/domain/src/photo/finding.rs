use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::PhotoId;

/// The checks that a photo goes through; a check's name is the reason's stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Bytes that are no image, or of a kind that this deployment can't read.
    UnsupportedFormat,
    /// Another type than declared.
    TypeMismatch,
    /// Another length than declared.
    SizeMismatch,
    /// Longer than a file may be, in bytes.
    TooLarge,
    /// Smaller than a photo may be, in pixels of the shorter edge.
    TooSmallResolution,
    /// More pixels than can be decoded here.
    TooManyPixels,
    /// An image that can't be decoded to its end.
    Corrupt,
    /// Another SHA-256 than declared.
    ChecksumMismatch,
    /// Below the wanted sharpness.
    Blurry,
    /// Looks like a photo that the owner already has.
    NearDuplicate,
    /// A scanner found malware.
    Infected,
    /// A moderation service said no.
    Moderation,
}

impl Check {
    /// Every check.
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

    /// The reason's stable code.
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

    /// What a person is told.
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnsupportedFormat => "the file is not an image of a supported format",
            Self::TypeMismatch => "the file is of another type than declared",
            Self::SizeMismatch => "the file has another size than declared",
            Self::TooLarge => "the file is larger than allowed",
            Self::TooSmallResolution => "the image has too few pixels",
            Self::TooManyPixels => "the image has more pixels than allowed",
            Self::Corrupt => "the image is damaged",
            Self::ChecksumMismatch => "the file has another checksum than declared",
            Self::Blurry => "the image is blurred",
            Self::NearDuplicate => "the image looks like one that is already there",
            Self::Infected => "the file contains malware",
            Self::Moderation => "the image was refused by moderation",
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

/// A measured or an allowed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Measure {
    /// A count, such as bytes or pixels.
    Count(u64),
    /// A quantity that is not counted, such as sharpness.
    Quantity(f64),
    /// A name, such as a type or a checksum.
    Name(String),
}

impl From<u64> for Measure {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Measure {
    fn from(quantity: f64) -> Self {
        // JSON has no NaN and no infinity: as a number it would come back from the log as nothing.
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

/// A check that said no, with what it measured and what it allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// What it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measure>,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Measure>,
    /// The photo that this one resembles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoId>,
}

impl Finding {
    /// A finding with both its values.
    pub fn measured(check: Check, measured: impl Into<Measure>, allowed: impl Into<Measure>) -> Self {
        Self {
            check,
            measured: Some(measured.into()),
            allowed: Some(allowed.into()),
            photo: None,
        }
    }

    /// A finding that has no values to show.
    pub const fn bare(check: Check) -> Self {
        Self {
            check,
            measured: None,
            allowed: None,
            photo: None,
        }
    }
}

/// What a deployment does when a check says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Nothing: the check is not made, or its word not heard.
    Off,
    /// The photo is completed with a warning.
    Warn,
    /// The photo is rejected.
    Reject,
}

/// A deployment's policy for each check; what is not named keeps its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckPolicies(BTreeMap<Check, Policy>);

/// What all findings on a photo come to under a deployment's policies.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Reasons to reject the photo.
    pub reasons: Vec<Finding>,
    /// Warnings to complete it with.
    pub warnings: Vec<Finding>,
}

impl CheckPolicies {
    /// The defaults, with these exceptions.
    pub const fn with(exceptions: BTreeMap<Check, Policy>) -> Self {
        Self(exceptions)
    }

    /// What is done when `check` says no.
    pub fn policy(&self, check: Check) -> Policy {
        self.0.get(&check).copied().unwrap_or(check.default_policy())
    }

    /// Sorts findings into reasons and warnings; those that are off are dropped.
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
    fn a_measure_that_is_no_number_is_still_told() {
        let finding = Finding::measured(Check::Blurry, f64::NAN, f64::INFINITY);
        let stored = serde_json::to_string(&finding).unwrap();
        assert_eq!(stored, r#"{"check":"blurry","measured":"NaN","allowed":"inf"}"#);
        assert_eq!(serde_json::from_str::<Finding>(&stored).unwrap(), finding);
    }

    #[test]
    fn a_policy_decides_what_a_finding_comes_to() {
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
            .map(Finding::bare),
        );
        assert_eq!(verdict.reasons, [Finding::bare(Check::Corrupt)]);
        assert_eq!(verdict.warnings, [Finding::bare(Check::Blurry)]);
    }
}

//! Comparison of a stored object, as HEAD reports it, with the client's declaration.

use rapidphoto_domain::{
    photo::{Check, Declared, Finding, InvalidTransition, Photo, PhotoCommand, PhotoEvent, StoredObject},
    values::{Checksum, MimeType},
};

use super::failure::WorkError;
use crate::{
    ports::{Claim, ObjectHead, PhotoReads},
    settings::Settings,
};

/// Stored object as HEAD reports it, with the checksum that the client declared for it.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) head: ObjectHead,
    pub(super) declared_checksum: Option<Checksum>,
}

/// Reads the checksum that the client declared for a claim's photo; `None` if it declared none or the photo is deleted.
pub(super) async fn declared_checksum(
    photos: &dyn PhotoReads,
    claim: &Claim,
) -> Result<Option<Checksum>, WorkError> {
    let view = photos.photo(claim.owner, claim.token.photo).await;
    let view = view.map_err(WorkError::Database)?;
    Ok(view.and_then(|view| view.hashes.declared))
}

/// Events for a photo in VERIFYING whose object exists: processing starts, or the photo is rejected.
pub(super) fn decide_verification(
    photo: &Photo,
    arrived: &Arrived,
    settings: &Settings,
) -> Result<Vec<PhotoEvent>, InvalidTransition> {
    let findings = head_findings(&photo.declared, arrived, settings.uploads.max_file_bytes);
    let verdict = settings.checks.policies.evaluate(findings);
    photo.decide(if verdict.reasons.is_empty() {
        PhotoCommand::StartProcessing {
            object: stored_object(&arrived.head),
        }
    } else {
        PhotoCommand::Reject {
            reasons: verdict.reasons,
        }
    })
}

/// The object that HEAD reported, as it is stored in the photo's state.
pub(super) const fn stored_object(head: &ObjectHead) -> StoredObject {
    StoredObject { bytes: head.bytes }
}

/// Differences in size, type and checksum between the HEAD response and the declaration.
pub(super) fn head_findings(declared: &Declared, arrived: &Arrived, max_bytes: u64) -> Vec<Finding> {
    let head = &arrived.head;
    let mut findings = size_findings(declared, head.bytes, max_bytes);
    if let Some(stored) = head.content_type.as_deref().and_then(essence)
        && !content_type_agrees(&stored, declared.mime_type)
    {
        findings.push(Finding::measured(
            Check::TypeMismatch,
            stored,
            declared.mime_type.to_string(),
        ));
    }
    if let (Some(stored), Some(declared)) = (head.checksum, arrived.declared_checksum)
        && stored != declared
    {
        findings.push(Finding::without_values(Check::ChecksumMismatch));
    }
    findings
}

/// Differences between an object's size in bytes and the declared size or the limit.
pub(super) fn size_findings(declared: &Declared, bytes: u64, max_bytes: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    if bytes != declared.bytes {
        findings.push(Finding::measured(Check::SizeMismatch, bytes, declared.bytes));
    }
    if bytes > max_bytes {
        findings.push(Finding::measured(Check::TooLarge, bytes, max_bytes));
    }
    findings
}

/// Returns true if two names mean the same type. HEIC is the kind of HEIF that phones write; programs use both names.
pub(super) fn same_type(one: MimeType, other: MimeType) -> bool {
    let heif = |mime_type| matches!(mime_type, MimeType::Heic | MimeType::Heif);
    one == other || (heif(one) && heif(other))
}

/// Media type in lower case and without parameters; `None` for the generic binary types, which say nothing.
fn essence(content_type: &str) -> Option<String> {
    let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let unknown = ["", "application/octet-stream", "binary/octet-stream"].contains(&essence.as_str());
    (!unknown).then_some(essence)
}

fn content_type_agrees(stored: &str, declared: MimeType) -> bool {
    stored.parse().is_ok_and(|stored| same_type(stored, declared))
}

#[cfg(test)]
mod tests {
    use rapidphoto_domain::values::ETag;

    use super::*;

    const DECLARED: Declared = Declared {
        mime_type: MimeType::Jpeg,
        bytes: 1000,
    };

    fn arrived(bytes: u64, content_type: Option<&str>, checksum: Option<[u8; 32]>) -> Arrived {
        let head = ObjectHead {
            e_tag: ETag::parse("tag").unwrap(),
            bytes,
            content_type: content_type.map(str::to_owned),
            checksum: checksum.map(Checksum::from_bytes),
        };
        Arrived {
            head,
            declared_checksum: Some(Checksum::from_bytes([7; 32])),
        }
    }

    fn checks(arrived: &Arrived) -> Vec<Check> {
        let findings = head_findings(&DECLARED, arrived, 5000);
        findings.into_iter().map(|finding| finding.check).collect()
    }

    #[test]
    fn matching_and_unknown_values_give_no_findings() {
        for content_type in [
            None,
            Some("image/jpeg"),
            Some("IMAGE/JPEG; q=1"),
            Some("binary/octet-stream"),
            Some(""),
        ] {
            assert_eq!(checks(&arrived(1000, content_type, None)), []);
        }
        assert_eq!(checks(&arrived(1000, None, Some([7; 32]))), []);
    }

    #[test]
    fn every_mismatch_gives_a_finding() {
        assert_eq!(
            checks(&arrived(6000, Some("text/plain"), Some([8; 32]))),
            [
                Check::SizeMismatch,
                Check::TooLarge,
                Check::TypeMismatch,
                Check::ChecksumMismatch
            ]
        );
        assert_eq!(checks(&arrived(999, Some("image/png"), None)).len(), 2);
    }

    #[test]
    fn heic_and_heif_are_one_type() {
        assert!(same_type(MimeType::Heic, MimeType::Heif));
        assert!(!same_type(MimeType::Heic, MimeType::Avif));
        assert!(!same_type(MimeType::Jpeg, MimeType::Png));
    }
}

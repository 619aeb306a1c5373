//! Value types reject invalid input, whether it is parsed or deserialised.

use std::{collections::BTreeSet, fmt::Debug, str::FromStr};

use proptest::{collection::vec, prelude::*};
use rapidphoto_domain::{
    IdError, PhotoId, StreamId, StreamType,
    photo::{PerceptualHash, PerceptualHashError},
    values::{
        Checksum, ChecksumError, ETag, ETagError, Email, Filename, KeySpace, MimeType, MultipartId,
        MultipartIdError, OriginalKey, PartNumber, PartNumberError, Progress, TagLabel, TagLabelError,
        ThumbnailEdge, UploadId,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use crate::strategies;

/// Checks that parsing, displaying and (de)serialising agree: a displayed value parses to the same value, and
/// deserialisation rejects the same texts as parsing.
fn assert_conversions_agree<V>(raw: &str)
where
    V: FromStr + ToString + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let stored = serde_json::to_string(raw).unwrap();
    match raw.parse::<V>() {
        Err(_) => assert!(serde_json::from_str::<V>(&stored).is_err(), "{raw:?}"),
        Ok(value) => {
            assert_eq!(serde_json::from_str::<V>(&stored).unwrap(), value);
            let displayed = value.to_string();
            assert_eq!(serde_json::to_value(&value).unwrap(), displayed);
            assert_eq!(
                displayed.parse::<V>().ok(),
                Some(value),
                "{raw:?}, displayed and parsed again"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn deserialisation_rejects_the_same_texts_as_parsing(
        text in any::<String>(), stem in "\\PC{0,80}", domain in "[a-zA-Z.-]{1,20}",
    ) {
        for raw in [text, format!("{stem}.JPG"), format!(" {stem}@{domain} "), stem, domain] {
            assert_conversions_agree::<Filename>(&raw);
            assert_conversions_agree::<Email>(&raw);
            assert_conversions_agree::<TagLabel>(&raw);
            assert_conversions_agree::<ETag>(&raw);
            assert_conversions_agree::<Checksum>(&raw);
            assert_conversions_agree::<MimeType>(&raw);
            assert_conversions_agree::<UploadId>(&raw);
            assert_conversions_agree::<StreamId>(&raw);
        }
    }

    #[test]
    fn a_filename_contains_no_separators_or_control_characters(
        name in "\\PC{0,300}|[.a-z/\\\\\u{202a}-\u{202e}\n]{0,20}",
    ) {
        if let Ok(name) = Filename::parse(&format!("{name}.png")) {
            let name = name.as_str();
            prop_assert!(name.len() <= 255 && name.len() > ".png".len());
            let forbidden = ['/', '\\', '\0', '\n', '\u{202a}', '\u{202e}', '\u{2066}', '\u{200f}'];
            prop_assert!(!name.contains(forbidden));
        }
    }

    #[test]
    fn a_displayed_value_parses_to_the_same_value(
        upload in strategies::upload_id(), checksum in strategies::checksum(), mime_type in strategies::mime_type(),
    ) {
        assert_conversions_agree::<UploadId>(&upload.to_string());
        assert_conversions_agree::<Checksum>(&checksum.to_string());
        assert_conversions_agree::<MimeType>(&mime_type.to_string());
        prop_assert_eq!(upload.to_string().parse(), Ok(upload));
        prop_assert_eq!(checksum.to_string().parse(), Ok(checksum));
        prop_assert_eq!(mime_type.to_string().to_uppercase().parse(), Ok(mime_type));
    }

    #[test]
    fn a_perceptual_hash_is_16_hexadecimal_digits(hash in any::<u64>()) {
        let hash = PerceptualHash(hash);
        prop_assert_eq!(hash.to_string().len(), 16);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_conversions_agree::<PerceptualHash>(&hash.to_string());
        for bad in [format!("+{}", &hash.to_string()[1..]), format!("{hash}0"), hash.to_string()[1..].to_owned()] {
            assert_conversions_agree::<PerceptualHash>(&bad);
            prop_assert_eq!(bad.parse::<PerceptualHash>(), Err(PerceptualHashError));
        }
    }

    #[test]
    fn a_stream_id_is_the_identifier_of_its_aggregate(
        user in strategies::user_id(), job in strategies::job_id(),
        photo in strategies::photo_id(), event in strategies::event_id(),
    ) {
        for (stream, kind) in [
            (StreamId::from(user), StreamType::User),
            (StreamId::from(job), StreamType::Job),
            (StreamId::from(photo), StreamType::Photo),
        ] {
            prop_assert_eq!(stream.stream_type(), kind);
            prop_assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            prop_assert_eq!(stream.to_string().parse::<StreamId>(), Ok(stream));
            assert_conversions_agree::<StreamId>(&stream.to_string());
        }
        prop_assert!(event.to_string().parse::<StreamId>().is_err());
    }

    #[test]
    fn progress_never_decreases_for_any_ticks(
        total in any::<u64>(), ticks in vec(any::<(u64, u64)>(), 0..40),
    ) {
        let mut progress = Progress::new(0, total);
        for (sent, claimed_total) in ticks {
            let next = progress.max(Progress::new(sent, claimed_total));
            prop_assert!(next.bytes_sent() >= progress.bytes_sent());
            prop_assert!(next.percent() >= progress.percent());
            prop_assert!(next.bytes_sent() <= total && next.bytes_total() == total);
            prop_assert_eq!(next.percent() == 100, next.bytes_sent() == total);
            progress = next;
        }
        prop_assert_eq!(progress.max(Progress::complete(total)), Progress::complete(total));
    }

    #[test]
    fn bytes_sent_never_exceed_the_total(sent in any::<u64>(), total in any::<u64>()) {
        let stored = format!(r#"{{"bytesSent":{sent},"bytesTotal":{total}}}"#);
        let progress: Progress = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(progress, Progress::new(sent, total));
        prop_assert!(progress.bytes_sent() <= progress.bytes_total() && progress.percent() <= 100);
        let stored = serde_json::to_string(&progress).unwrap();
        prop_assert_eq!(serde_json::from_str::<Progress>(&stored).unwrap(), progress);
    }

    #[test]
    fn every_object_has_its_own_key(owner in strategies::user_id(), photos in any::<[u128; 2]>()) {
        let keys = KeySpace::new("prod").unwrap();
        let photos: BTreeSet<_> = photos.map(PhotoId::from_bits).into();
        let mut all = BTreeSet::new();
        for &photo in &photos {
            let original = keys.original(owner, photo);
            prop_assert_eq!(keys.parse_original(&original), Some(OriginalKey { owner, photo }));
            all.insert(original);
            all.extend(ThumbnailEdge::ALL.map(|edge| keys.thumbnail(owner, photo, edge)));
        }
        prop_assert_eq!(all.len(), 3 * photos.len());
    }
}

#[test]
fn a_key_consists_of_environment_user_and_photo() {
    let (user, photo) = (crate::fixtures::USER, crate::fixtures::PHOTO);
    let keys = KeySpace::new("prod").unwrap();
    assert_eq!(
        keys.original(user, photo),
        format!("prod/{user}/{photo}/original")
    );
    assert_eq!(
        keys.thumbnail(user, photo, ThumbnailEdge::Small),
        format!("prod/{user}/{photo}/thumbnails/256.jpg")
    );
    assert_eq!(
        keys.thumbnail(user, photo, ThumbnailEdge::Large),
        format!("prod/{user}/{photo}/thumbnails/1024.jpg")
    );
}

#[test]
fn a_thumbnail_edge_is_256_or_1024_pixels() {
    for edge in ThumbnailEdge::ALL {
        assert_eq!(serde_json::to_value(edge).unwrap(), edge.pixels());
        assert_eq!(ThumbnailEdge::try_from(edge.pixels()), Ok(edge));
    }
    assert!(serde_json::from_str::<ThumbnailEdge>("512").is_err());
}

#[test]
fn a_checksum_is_64_lower_case_hexadecimal_digits() {
    let zeros = "0".repeat(64);
    assert_eq!(zeros.parse(), Ok(Checksum::from_bytes([0; 32])));
    let ab = "ab".repeat(32);
    assert_eq!(ab.parse(), Ok(Checksum::from_bytes([0xab; 32])));
    for bad in [
        "",
        &zeros[1..],
        &format!("{zeros}00"),
        &ab.to_uppercase(),
        &"g".repeat(64),
    ] {
        assert_eq!(bad.parse::<Checksum>(), Err(ChecksumError), "{bad:?}");
    }
}

#[test]
fn an_entity_tag_is_parsed_with_or_without_quotation_marks() {
    let tag = ETag::parse("\"d41d8cd9-2\"").unwrap();
    assert_eq!(Ok(tag.clone()), ETag::parse("d41d8cd9-2"));
    assert_eq!(tag.quoted(), "\"d41d8cd9-2\"");
    assert!(ETag::parse(&"x".repeat(256)).is_ok());
    for bad in [
        "",
        "\"\"",
        "\"",
        "a b",
        "a\"b",
        "W/\"a\"",
        "a\r\nb",
        "é",
        &"x".repeat(257),
    ] {
        assert_eq!(ETag::parse(bad), Err(ETagError), "{bad:?}");
    }
}

#[test]
fn a_label_is_trimmed_and_normalised() {
    assert_eq!(TagLabel::parse("  Zu\u{308}rich ").unwrap().as_str(), "Zürich");
    assert!(TagLabel::parse(&"猫".repeat(64)).is_ok());
    for bad in ["", "  ", "a\nb", "a\0", &"x".repeat(65), &" ".repeat(1_000_000)] {
        assert_eq!(TagLabel::parse(bad), Err(TagLabelError));
    }
    for bad in [".", "..", " .. ", "\u{fffd}", "a\u{fffd}b"] {
        assert_eq!(TagLabel::parse(bad), Err(TagLabelError));
    }
    assert_eq!(TagLabel::parse(" ... ").unwrap().as_str(), "...");
}

#[test]
fn an_identifier_of_an_unknown_kind_is_no_stream_id() {
    for bad in [
        "",
        "usr_",
        "evt_01K4000000000000000000000A",
        "01K4000000000000000000000A",
        "ph_x",
    ] {
        assert!(bad.parse::<StreamId>().is_err(), "{bad:?}");
    }
    assert_eq!(
        "job_".parse::<PhotoId>(),
        Err(IdError::Prefix { expected: "ph_" })
    );
}

#[test]
fn a_store_s_identifier_of_an_upload_is_visible_ascii_and_hidden_from_debug() {
    let id = MultipartId::parse("2~AbC-dEf_gHi.+/=").unwrap();
    assert!(!format!("{id:?}").contains("AbC"), "{id:?}");
    assert!(MultipartId::parse(&"x".repeat(1024)).is_ok());
    for bad in ["", "a b", "a\nb", "é", &"x".repeat(1025)] {
        assert_eq!(MultipartId::parse(bad), Err(MultipartIdError), "{bad:?}");
    }
}

#[test]
fn a_part_number_is_1_to_10000() {
    for number in [1, 10_000] {
        assert_eq!(
            PartNumber::new(number).map(|part| i32::from(part.get())),
            Ok(number)
        );
    }
    for bad in [i64::MIN, -1, 0, 10_001, 65_536, i64::MAX] {
        assert_eq!(PartNumber::new(bad), Err(PartNumberError), "{bad}");
    }
}

//! Values can't hold what they should not, wherever they are read from.

use std::{collections::BTreeSet, fmt::Debug, str::FromStr};

use proptest::{collection::vec, prelude::*};
use rapidphoto_domain::{
    IdError, PhotoId, StreamId, StreamType,
    photo::{PerceptualHash, PerceptualHashError},
    values::{
        Checksum, ChecksumError, ETag, ETagError, Email, Filename, KeySpace, MimeType, OriginalKey, Progress,
        TagLabel, TagLabelError, ThumbnailEdge, UploadId,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use crate::any;

/// Reading, showing and storing a value agree: what is shown reads back, and storage refuses what reading refuses.
fn agrees_everywhere<V>(raw: &str)
where
    V: FromStr + ToString + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let stored = serde_json::to_string(raw).unwrap();
    match raw.parse::<V>() {
        Err(_) => assert!(serde_json::from_str::<V>(&stored).is_err(), "{raw:?}"),
        Ok(value) => {
            assert_eq!(serde_json::from_str::<V>(&stored).unwrap(), value);
            let shown = value.to_string();
            assert_eq!(serde_json::to_value(&value).unwrap(), shown);
            assert_eq!(shown.parse::<V>().ok(), Some(value), "{raw:?} reads once");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_value_holds_from_storage_what_it_refuses_from_outside(
        text in any::<String>(), stem in "\\PC{0,80}", domain in "[a-zA-Z.-]{1,20}",
    ) {
        for raw in [text, format!("{stem}.JPG"), format!(" {stem}@{domain} "), stem, domain] {
            agrees_everywhere::<Filename>(&raw);
            agrees_everywhere::<Email>(&raw);
            agrees_everywhere::<TagLabel>(&raw);
            agrees_everywhere::<ETag>(&raw);
            agrees_everywhere::<Checksum>(&raw);
            agrees_everywhere::<MimeType>(&raw);
            agrees_everywhere::<UploadId>(&raw);
            agrees_everywhere::<StreamId>(&raw);
        }
    }

    #[test]
    fn a_filename_is_safe_to_show_and_to_offer(name in "\\PC{0,300}|[.a-z/\\\\\u{202a}-\u{202e}\n]{0,20}") {
        if let Ok(name) = Filename::parse(&format!("{name}.png")) {
            let name = name.as_str();
            prop_assert!(name.len() <= 255 && name.len() > ".png".len());
            let hostile = ['/', '\\', '\0', '\n', '\u{202a}', '\u{202e}', '\u{2066}', '\u{200f}'];
            prop_assert!(!name.contains(hostile));
        }
    }

    #[test]
    fn values_read_back_what_they_show(
        upload in any::upload_id(), checksum in any::checksum(), mime_type in any::mime_type(),
    ) {
        agrees_everywhere::<UploadId>(&upload.to_string());
        agrees_everywhere::<Checksum>(&checksum.to_string());
        agrees_everywhere::<MimeType>(&mime_type.to_string());
        prop_assert_eq!(upload.to_string().parse(), Ok(upload));
        prop_assert_eq!(checksum.to_string().parse(), Ok(checksum));
        prop_assert_eq!(mime_type.to_string().to_uppercase().parse(), Ok(mime_type));
    }

    #[test]
    fn a_perceptual_hash_is_sixteen_digits(hash in any::<u64>()) {
        let hash = PerceptualHash(hash);
        prop_assert_eq!(hash.to_string().len(), 16);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        agrees_everywhere::<PerceptualHash>(&hash.to_string());
        for bad in [format!("+{}", &hash.to_string()[1..]), format!("{hash}0"), hash.to_string()[1..].to_owned()] {
            agrees_everywhere::<PerceptualHash>(&bad);
            prop_assert_eq!(bad.parse::<PerceptualHash>(), Err(PerceptualHashError));
        }
    }

    #[test]
    fn streams_are_named_by_identifiers_of_their_kind(
        user in any::user_id(), job in any::job_id(), photo in any::photo_id(), event in any::event_id(),
    ) {
        for (stream, kind) in [
            (StreamId::from(user), StreamType::User),
            (StreamId::from(job), StreamType::Job),
            (StreamId::from(photo), StreamType::Photo),
        ] {
            prop_assert_eq!(stream.stream_type(), kind);
            prop_assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            prop_assert_eq!(stream.to_string().parse::<StreamId>(), Ok(stream));
            agrees_everywhere::<StreamId>(&stream.to_string());
        }
        prop_assert!(event.to_string().parse::<StreamId>().is_err());
    }

    #[test]
    fn progress_never_falls_whatever_is_reported(
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
    fn progress_holds_no_more_than_everything(sent in any::<u64>(), total in any::<u64>()) {
        let stored = format!(r#"{{"bytesSent":{sent},"bytesTotal":{total}}}"#);
        let progress: Progress = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(progress, Progress::new(sent, total));
        prop_assert!(progress.bytes_sent() <= progress.bytes_total() && progress.percent() <= 100);
        let stored = serde_json::to_string(&progress).unwrap();
        prop_assert_eq!(serde_json::from_str::<Progress>(&stored).unwrap(), progress);
    }

    #[test]
    fn no_two_photos_share_a_key(owner in any::user_id(), photos in any::<[u128; 2]>()) {
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
fn a_key_says_environment_user_photo_and_nothing_of_the_file() {
    let (user, photo) = (crate::given::USER, crate::given::PHOTO);
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
fn a_thumbnail_has_one_of_two_edges() {
    for edge in ThumbnailEdge::ALL {
        assert_eq!(serde_json::to_value(edge).unwrap(), edge.pixels());
        assert_eq!(ThumbnailEdge::try_from(edge.pixels()), Ok(edge));
    }
    assert!(serde_json::from_str::<ThumbnailEdge>("512").is_err());
}

#[test]
fn a_checksum_is_64_lower_case_digits() {
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
fn an_entity_tag_is_the_same_with_and_without_quotes() {
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
fn a_label_has_one_spelling() {
    assert_eq!(TagLabel::parse("  Zu\u{308}rich ").unwrap().as_str(), "Zürich");
    assert!(TagLabel::parse(&"猫".repeat(64)).is_ok());
    for bad in ["", "  ", "a\nb", "a\0", &"x".repeat(65), &" ".repeat(1_000_000)] {
        assert_eq!(TagLabel::parse(bad), Err(TagLabelError));
    }
}

#[test]
fn an_identifier_of_no_known_kind_names_no_stream() {
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

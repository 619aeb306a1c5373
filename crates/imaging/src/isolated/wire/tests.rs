use proptest::{prelude::*, prop_assert_eq};
use rapidphoto_application::ports::{Camera, Location, TakenAt};
use rapidphoto_domain::photo::{Check, Measure};

use super::*;

fn read(mut bytes: &[u8]) -> Result<Answer, AnswerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Answer::read(&mut bytes))
}

fn measure() -> impl Strategy<Value = Measure> {
    prop_oneof![
        any::<u64>().prop_map(Measure::from),
        // Whole numbers among them, which must not become counts.
        any::<i32>().prop_map(|number| Measure::from(f64::from(number) / 2.0)),
        ".{0,40}".prop_map(Measure::from),
    ]
}

fn finding() -> impl Strategy<Value = Finding> {
    let check = prop_oneof![
        Just(Check::Corrupt),
        Just(Check::TooManyPixels),
        Just(Check::UnsupportedFormat)
    ];
    (
        check,
        proptest::option::of(measure()),
        proptest::option::of(measure()),
    )
        .prop_map(|(check, measured, allowed)| Finding {
            measured,
            allowed,
            ..Finding::without_values(check)
        })
}

fn metadata() -> impl Strategy<Value = PhotoMetadata> {
    let time =
        (0_i64..4_000_000_000, proptest::option::of(-840_i16..840)).prop_map(|(seconds, offset)| TakenAt {
            local: chrono::DateTime::from_timestamp(seconds, 0).unwrap().naive_utc(),
            offset_minutes: offset,
        });
    let location = (-90.0..90.0, -180.0..180.0, proptest::option::of(-100.0..9000.0)).prop_map(
        |(latitude, longitude, altitude)| Location {
            latitude,
            longitude,
            altitude,
        },
    );
    (
        proptest::option::of(time),
        proptest::option::of(location),
        proptest::option::of(".{0,200}"),
        proptest::option::of(1_u8..=8),
    )
        .prop_map(|(taken_at, location, make, orientation)| PhotoMetadata {
            taken_at,
            location,
            camera: make.map(|make| Camera {
                make: Some(make),
                ..Camera::default()
            }),
            orientation,
            ..PhotoMetadata::default()
        })
}

fn thumbnail(edge: ThumbnailEdge) -> impl Strategy<Value = EncodedThumbnail> {
    let pixels = 1..=edge.pixels();
    let file = proptest::collection::vec(any::<u8>(), 0..500);
    (pixels.clone(), pixels, file).prop_map(move |(width, height, file)| EncodedThumbnail {
        edge,
        width,
        height,
        jpeg: file.into(),
    })
}

fn inspection() -> impl Strategy<Value = Inspection> {
    (
        any::<(u32, u32)>(),
        proptest::option::of((thumbnail(ThumbnailEdge::Small), thumbnail(ThumbnailEdge::Large))),
        proptest::collection::vec(finding(), 0..4),
        metadata(),
        any::<Option<u64>>(),
        proptest::option::of(0.0..1e9),
    )
        .prop_map(
            |(size, thumbnails, findings, metadata, hash, sharpness)| Inspection {
                mime_type: hash.is_some().then_some(MimeType::Jpeg),
                width: size.0,
                height: size.1,
                thumbnails: thumbnails.into_iter().flat_map(<[_; 2]>::from).collect(),
                findings,
                metadata,
                perceptual_hash: hash.map(PerceptualHash),
                sharpness,
            },
        )
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        inspection().prop_map(|inspection| Answer::Done(Box::new(inspection))),
        any::<u64>().prop_map(Answer::Weight),
        ".{0,100}".prop_map(Answer::Panicked),
        any::<(Option<i32>, bool, bool, u8)>().prop_map(|(landlock, seccomp, limits, inherited)| {
            Answer::Ready(Protection {
                landlock,
                seccomp,
                limits,
                inherited_descriptors: inherited.into(),
            })
        }),
    ]
}

proptest! {
    #[test]
    fn every_answer_is_read_as_it_was_written(answers in proptest::collection::vec(answer(), 1..4)) {
        let bytes: Vec<u8> = answers.iter().flat_map(|answer| answer.clone().encode().unwrap()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut rest = &bytes[..];
        for answer in answers {
            prop_assert_eq!(runtime.block_on(Answer::read(&mut rest)).unwrap(), answer);
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_cut_answer_is_an_error(answer in answer(), cut in any::<prop::sample::Index>()) {
        let bytes = answer.encode().unwrap();
        let cut = &bytes[..cut.index(bytes.len())];
        prop_assert!(matches!(read(cut), Err(AnswerError::Closed)));
    }

    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        // The result doesn't matter: there is no panic, and nothing is allocated for more than a head.
        drop(read(&bytes));
    }

    #[test]
    fn any_head_is_an_answer_or_an_error(head in "[{}\\[\\]\",:a-zD0-9]{0,60}") {
        let mut bytes = u32::try_from(head.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend_from_slice(head.as_bytes());
        drop(read(&bytes));
    }

    #[test]
    fn every_request_is_read_as_it_was_written(length: u64, max_pixels: u64, min_edge: Option<u32>) {
        let request = Request { length, limits: InspectionLimits { max_pixels, min_edge } };
        prop_assert_eq!(Request::decode(request.encode()), request);
    }

    #[test]
    fn every_permit_is_read_as_it_was_written(budget_bytes in 0..u64::MAX) {
        for permit in [Permit::Decode, Permit::ExceedsBudget { budget_bytes }] {
            prop_assert_eq!(Permit::decode(permit.encode()), permit);
        }
    }
}

#[test]
fn lengths_above_the_limits_are_refused() {
    let huge = [0xff; 4];
    assert!(matches!(read(&huge), Err(AnswerError::HeadTooLong(u32::MAX))));

    let done = |thumbnails: &str| {
        let head = format!(
            r#"{{"done":{{"mime_type":null,"width":1,"height":1,"thumbnails":[{thumbnails}],"findings":[],
            "metadata":{{}},"perceptual_hash":null,"sharpness":null}}}}"#
        );
        let mut bytes = u32::try_from(head.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend_from_slice(head.as_bytes());
        read(&bytes)
    };
    assert!(done("").is_ok());
    let thumbnail = r#"{"edge":256,"width":1,"height":1,"length":0}"#;
    assert!(done(&[thumbnail; 2].join(",")).is_ok());
    assert!(matches!(
        done(&[thumbnail; 3].join(",")),
        Err(AnswerError::TooManyThumbnails(3))
    ));
    for invalid in [
        r#"{"edge":256,"width":257,"height":1,"length":0}"#,
        r#"{"edge":256,"width":1,"height":0,"length":0}"#,
        r#"{"edge":256,"width":1,"height":1,"length":4000000000}"#,
    ] {
        assert!(
            matches!(done(invalid), Err(AnswerError::InvalidThumbnail { .. })),
            "{invalid}"
        );
    }
}

#[test]
fn a_child_that_lacks_a_restriction_is_weaker() {
    let strong = Protection {
        landlock: Some(4),
        seccomp: true,
        limits: true,
        inherited_descriptors: 0,
    };
    let changed = |change: fn(&mut Protection)| {
        let mut protection = strong.clone();
        change(&mut protection);
        protection
    };
    for weaker in [
        changed(|child| child.landlock = None),
        changed(|child| child.landlock = Some(3)),
        changed(|child| child.seccomp = false),
        changed(|child| child.limits = false),
    ] {
        assert!(weaker.is_weaker_than(&strong), "{weaker:?}");
        assert!(!strong.is_weaker_than(&weaker), "{weaker:?}");
    }
    assert!(!strong.is_weaker_than(&changed(|child| child.inherited_descriptors = 3)));
}

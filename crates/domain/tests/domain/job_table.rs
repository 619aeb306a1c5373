//! Commands to a job in each of its states, and its status as a function of its photos.

use rapidphoto_domain::{
    job::{FoldError, JobCounts, JobError, JobEvent, JobOutcome, JobStatus, UploadJob},
    photo::PhotoStatus,
};

use crate::fixtures::{JOB, USER};

type Results = [Result<JobEvent, JobError>; 5];

const ENDED: JobCounts = JobCounts {
    queued: 0,
    active: 0,
    completed: 2,
    rejected: 0,
    failed: 1,
    cancelled: 0,
};
const IN_PROGRESS: JobCounts = JobCounts {
    active: 1,
    completed: 1,
    ..ENDED
};

/// Sum of the photos' retries that the outcome includes.
const RETRIES: u32 = 3;

const fn completed(round: u32) -> JobEvent {
    JobEvent::UploadJobCompleted {
        round,
        status: JobStatus::CompletedWithErrors,
        counts: ENDED,
        retries: Some(RETRIES),
    }
}

fn job(later: &[JobEvent]) -> UploadJob {
    let first = UploadJob::create(JOB, USER, 3, 9_000);
    UploadJob::fold([&first].into_iter().chain(later)).unwrap()
}

#[test]
fn commands_are_accepted_or_rejected_according_to_the_table() {
    use JobError::{AlreadyCancelled, AlreadyCompleted, NotCompleted, NotRetried, NotTerminal};
    let cancelled = JobEvent::UploadJobCancelled {};
    let reopened = |round| JobEvent::UploadJobReopened { round };
    // Columns: complete with all photos terminal, complete with one in progress, reopen after a retry, reopen
    // without one, cancel.
    #[rustfmt::skip]
    let table: [(Vec<JobEvent>, Results); 6] = [
        (vec![], [Ok(completed(1)), Err(NotTerminal), Err(NotCompleted), Err(NotCompleted), Ok(cancelled.clone())]),
        (vec![cancelled.clone()], [Ok(completed(1)), Err(NotTerminal), Err(NotCompleted), Err(NotCompleted), Err(AlreadyCancelled)]),
        (vec![completed(1)],
            [Err(AlreadyCompleted), Err(AlreadyCompleted), Ok(reopened(2)), Err(NotRetried), Err(AlreadyCompleted)]),
        (vec![cancelled.clone(), completed(1)],
            [Err(AlreadyCompleted), Err(AlreadyCompleted), Ok(reopened(2)), Err(NotRetried), Err(AlreadyCancelled)]),
        (vec![completed(1), reopened(2)],
            [Ok(completed(2)), Err(NotTerminal), Err(NotCompleted), Err(NotCompleted), Ok(cancelled.clone())]),
        (vec![cancelled.clone(), completed(1), reopened(2)],
            [Ok(completed(2)), Err(NotTerminal), Err(NotCompleted), Err(NotCompleted), Ok(cancelled.clone())]),
    ];
    for (history, expected) in table {
        let given = job(&history);
        let results = [
            given.complete(ENDED, RETRIES),
            given.complete(IN_PROGRESS, RETRIES),
            given.reopen(RETRIES + 1),
            given.reopen(RETRIES),
            given.cancel(),
        ];
        assert_eq!(results, expected, "{history:?}");
    }
}

#[test]
fn events_are_applied_to_the_job() {
    let begun = job(&[]);
    assert_eq!(
        begun,
        UploadJob {
            id: JOB,
            owner: USER,
            photo_count: 3,
            round: 1,
            cancelled: false,
            outcome: None,
        }
    );
    let ended = begun
        .clone()
        .apply(&JobEvent::UploadJobCancelled {})
        .apply(&completed(1));
    let outcome = JobOutcome {
        status: JobStatus::CompletedWithErrors,
        counts: ENDED,
        retries: Some(RETRIES),
    };
    assert_eq!(
        ended,
        UploadJob {
            cancelled: true,
            outcome: Some(outcome),
            ..begun.clone()
        }
    );
    assert_eq!(
        ended.apply(&JobEvent::UploadJobReopened { round: 2 }),
        UploadJob {
            round: 2,
            ..begun.clone()
        }
    );
    let other = UploadJob::create(JOB, USER, 99, 0);
    assert_eq!(
        begun.clone().apply(&other),
        begun,
        "a second creation changes nothing"
    );
}

#[test]
fn a_stream_must_begin_with_the_creation_of_the_job() {
    assert_eq!(UploadJob::fold([]), Err(FoldError));
    let created_late = [
        JobEvent::UploadJobCancelled {},
        UploadJob::create(JOB, USER, 1, 1),
    ];
    assert_eq!(UploadJob::fold(&created_late), Err(FoldError));
}

/// Status according to the documentation, computed from the photos instead of their counts.
fn documented_status(photos: &[PhotoStatus]) -> JobStatus {
    let some = |status: PhotoStatus| photos.contains(&status);
    let all = |status: PhotoStatus| photos.iter().all(|photo| *photo == status);
    let unsuccessful = some(PhotoStatus::Failed) || some(PhotoStatus::Rejected);
    if !photos.is_empty() && all(PhotoStatus::Queued) {
        return JobStatus::Queued;
    }
    if photos.iter().any(|status| !status.is_terminal()) {
        return JobStatus::InProgress;
    }
    match (some(PhotoStatus::Completed), unsuccessful) {
        (true, false) => JobStatus::Completed,
        (true, true) => JobStatus::CompletedWithErrors,
        (false, true) => JobStatus::Failed,
        (false, false) => {
            assert!(all(PhotoStatus::Cancelled));
            JobStatus::Cancelled
        }
    }
}

#[test]
fn the_status_of_a_job_is_the_documented_one_for_every_combination_of_photos() {
    // None, one or two photos of each status: 3^8 jobs.
    let mut seen = std::collections::BTreeSet::new();
    for combination in 0..3_usize.pow(8) {
        let photos: Vec<PhotoStatus> = (0_u32..)
            .zip(PhotoStatus::ALL)
            .flat_map(|(digit, status)| std::iter::repeat_n(status, combination / 3_usize.pow(digit) % 3))
            .collect();
        let counts = JobCounts::of(photos.iter().copied());
        assert_eq!(counts.total() as usize, photos.len());
        let status = JobStatus::of(&counts);
        assert_eq!(status, documented_status(&photos), "{photos:?}");
        assert_eq!(
            status.is_terminal(),
            photos.iter().all(|photo| photo.is_terminal()),
            "{photos:?}"
        );
        seen.insert(status);
    }
    assert_eq!(seen, JobStatus::ALL.into());
}

#[test]
fn the_status_of_a_job_depends_only_on_which_counts_are_zero() {
    let counts = |mask: u32, some: u32| {
        let field = |bit: u32| if mask >> bit & 1 == 1 { some } else { 0 };
        JobCounts {
            queued: field(0),
            active: field(1),
            completed: field(2),
            rejected: field(3),
            failed: field(4),
            cancelled: field(5),
        }
    };
    for mask in 0..1 << 6 {
        let one_each = JobStatus::of(&counts(mask, 1));
        for some in [2, 1_000, u32::MAX] {
            assert_eq!(
                JobStatus::of(&counts(mask, some)),
                one_each,
                "{:?}",
                counts(mask, 1)
            );
        }
    }
}

#[test]
fn every_status_is_counted_in_one_field() {
    let mut counts = JobCounts::default();
    for (photos, status) in (1..).zip(PhotoStatus::ALL) {
        counts.add(status, photos);
    }
    let expected = JobCounts {
        queued: 1,
        active: 2 + 3 + 4,
        completed: 5,
        rejected: 6,
        failed: 7,
        cancelled: 8,
    };
    assert_eq!(counts, expected);
    assert_eq!(counts.total(), 36);
}

#[test]
fn a_job_status_is_stored_as_its_name() {
    for status in JobStatus::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        assert_eq!(status.to_string(), status.as_str());
    }
}

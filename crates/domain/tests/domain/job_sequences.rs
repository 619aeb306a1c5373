//! Properties of a job during random sequences of commands to its photos.

use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use rapidphoto_domain::{
    EventId,
    job::{JobCounts, JobError, JobEvent, JobStatus, UploadJob},
    photo::{Photo, PhotoCommand, PhotoStatus, QueuePhoto},
};

use crate::strategies;

#[derive(Debug, Clone)]
enum Step {
    Photo(Index, PhotoCommand),
    CancelJob,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => (any::<Index>(), strategies::photo_command()).prop_map(|(photo, command)| Step::Photo(photo, command)),
        1 => Just(Step::CancelJob),
    ]
}

/// Job with its photos and its events.
struct TestJob {
    photos: Vec<Photo>,
    job: UploadJob,
    log: Vec<JobEvent>,
    /// Identifiers of the events that ended and started rounds.
    ids: Vec<EventId>,
}

impl TestJob {
    fn new(files: Vec<QueuePhoto>) -> Self {
        let (job, owner) = (files[0].job, files[0].owner);
        let bytes = files
            .iter()
            .map(|file| u128::from(file.declared.bytes))
            .sum::<u128>();
        let first = UploadJob::create(
            job,
            owner,
            u32::try_from(files.len()).unwrap(),
            u64::try_from(bytes).unwrap_or(u64::MAX),
        );
        Self {
            photos: files
                .into_iter()
                .map(|file| Photo::begin(&Photo::queue(file)).unwrap())
                .collect(),
            job: UploadJob::begin(&first).unwrap(),
            log: vec![first],
            ids: vec![],
        }
    }

    fn statuses(&self) -> impl Iterator<Item = PhotoStatus> {
        self.photos.iter().map(Photo::status)
    }

    fn retries(&self) -> u32 {
        self.photos.iter().map(|photo| photo.retries).sum()
    }

    fn record(&mut self, event: JobEvent) {
        self.job = self.job.clone().apply(&event);
        self.log.push(event);
    }

    /// Executes one step, and then completes or reopens the job as the `job-completion` subscription does.
    fn execute(&mut self, step: Step) {
        match step {
            Step::CancelJob => {
                if let Ok(event) = self.job.cancel() {
                    self.record(event);
                }
            }
            Step::Photo(index, command) => {
                let chosen = index.index(self.photos.len());
                let photo = &mut self.photos[chosen];
                for event in photo.decide(command).unwrap_or_default() {
                    *photo = photo.clone().apply(&event);
                }
            }
        }
        let counts = JobCounts::of(self.statuses());
        let retries = self.retries();
        if let Ok(event) = self.job.reopen(retries) {
            self.ids
                .push(UploadJob::reopening_id(self.job.id, self.job.round + 1));
            self.record(event);
        }
        if let Ok(event) = self.job.complete(counts, retries) {
            self.ids
                .push(UploadJob::completion_id(self.job.id, self.job.round));
            self.record(event);
        }
    }
}

fn files_and_steps() -> impl Strategy<Value = (Vec<QueuePhoto>, Vec<Step>)> {
    (vec(strategies::queue_photo(), 1..5), vec(step(), 0..80))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_job_is_terminal_if_and_only_if_all_its_photos_are((files, steps) in files_and_steps()) {
        let mut test = TestJob::new(files);
        for step in steps {
            test.execute(step);
            let all_terminal = test.statuses().all(PhotoStatus::is_terminal);
            let counts = JobCounts::of(test.statuses());
            prop_assert_eq!(JobStatus::of(&counts).is_terminal(), all_terminal);
            prop_assert_eq!(test.job.outcome.is_some(), all_terminal);
            prop_assert_eq!(counts.total(), test.job.photo_count);
        }
    }

    #[test]
    fn a_round_ends_once_and_only_when_all_photos_are_terminal((files, steps) in files_and_steps()) {
        let mut test = TestJob::new(files);
        for step in steps {
            test.execute(step);
            let counts = JobCounts::of(test.statuses());
            let error = if test.job.outcome.is_some() {
                JobError::AlreadyCompleted
            } else {
                JobError::NotTerminal
            };
            prop_assert_eq!(test.job.complete(counts, test.retries()), Err(error));
        }
        for event in &test.log {
            if let JobEvent::UploadJobCompleted { status, counts, .. } = event {
                prop_assert!(status.is_terminal());
                prop_assert_eq!(*status, JobStatus::of(counts));
                prop_assert_eq!(counts.queued + counts.active, 0);
            }
        }
    }

    #[test]
    fn rounds_are_consecutive_and_their_events_have_distinct_identifiers((files, steps) in files_and_steps()) {
        let mut test = TestJob::new(files);
        for step in steps {
            test.execute(step);
        }
        let mut round = 1;
        for event in &test.log {
            match event {
                JobEvent::UploadJobCompleted { round: ended, .. } => prop_assert_eq!(*ended, round),
                JobEvent::UploadJobReopened { round: started } => {
                    round += 1;
                    prop_assert_eq!(*started, round);
                }
                JobEvent::UploadJobCreated { .. } | JobEvent::UploadJobCancelled {} => {}
            }
        }
        prop_assert_eq!(test.job.round, round);
        let distinct: BTreeSet<_> = test.ids.iter().collect();
        prop_assert_eq!(distinct.len(), test.ids.len());
    }

    #[test]
    fn a_job_is_the_fold_of_its_events_and_can_be_stored_and_read((files, steps) in files_and_steps()) {
        let mut test = TestJob::new(files);
        for step in steps {
            test.execute(step);
        }
        prop_assert_eq!(&UploadJob::fold(&test.log).unwrap(), &test.job);
        let stored = serde_json::to_string(&test.job).unwrap();
        prop_assert_eq!(serde_json::from_str::<UploadJob>(&stored).unwrap(), test.job);
    }

    #[test]
    fn the_identifiers_of_round_events_depend_only_on_job_and_round(
        job in strategies::job_id(), other in strategies::job_id(), round in any::<u32>(), later in any::<u32>(),
    ) {
        prop_assume!(job != other && round != later);
        let ids = [
            UploadJob::completion_id(job, round),
            UploadJob::completion_id(job, later),
            UploadJob::completion_id(other, round),
            UploadJob::reopening_id(job, round),
            UploadJob::reopening_id(job, later),
            UploadJob::reopening_id(other, round),
        ];
        prop_assert_eq!(BTreeSet::from(ids).len(), 6);
        prop_assert_eq!(UploadJob::completion_id(job, round), ids[0]);
        prop_assert_eq!(UploadJob::reopening_id(job, round), ids[3]);
    }
}

/// The properties above are meaningful only if the random sequences reach all statuses.
#[test]
fn random_sequences_reach_every_status_and_many_rounds() {
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let mut statuses = BTreeSet::new();
    let mut ended = BTreeSet::new();
    let mut rounds = BTreeSet::new();
    for _ in 0..128 {
        let (files, steps) = files_and_steps().new_tree(&mut runner).unwrap().current();
        let mut test = TestJob::new(files);
        for step in steps {
            test.execute(step);
            statuses.insert(JobStatus::of(&JobCounts::of(test.statuses())));
            ended.extend(test.job.outcome.map(|outcome| outcome.status));
            rounds.insert(test.job.round);
        }
    }
    assert_eq!(statuses, JobStatus::ALL.into());
    assert_eq!(ended.len(), 4, "{ended:?}");
    assert!(rounds.len() >= 4, "{rounds:?}");
}

#[test]
fn the_identifiers_of_round_events_never_change() {
    // If a new release derived another identifier, its retry of a commit by the previous release would end the round
    // twice.
    let job = crate::fixtures::JOB;
    assert_eq!(
        [
            UploadJob::completion_id(job, 1).to_string(),
            UploadJob::reopening_id(job, 2).to_string()
        ],
        ["evt_620PTVNB4ZYMKW74R6C4CSH2T7", "evt_5VT7SCN6Q27H69CJ86JXQPPZQ9"]
    );
}

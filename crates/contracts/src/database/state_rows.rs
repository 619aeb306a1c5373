//! State rows: always equal to the folds of their streams.

use std::collections::BTreeMap;

use rapidphoto_application::ports::{Commit, CommitError, DatabasePorts, Versioned};
use rapidphoto_domain::{
    StreamId, Timestamp, UserId, Version,
    job::{JobCounts, UploadJob},
    photo::{Check, Finding, Photo, PhotoCommand},
    values::TagLabel,
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt},
    observations,
    random_steps::{self, Step, Variation},
};

/// Rows are paged in the order of their streams, each with its version.
pub async fn state_rows_are_ordered_by_stream<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    assert_eq!(db.state_rows.state_rows(None, 10).await.unwrap(), []);
    for photos in 0..4 {
        let owner = fixtures::user(&db, now).await;
        let (_, photos) = fixtures::job(&db, now, owner, photos).await;
        for photo in photos.iter().step_by(2) {
            fixtures::execute(&db, now, photo, PhotoCommand::Cancel).await;
        }
    }
    let rows = observations::rows(&db).await;
    assert_eq!(rows.len(), 4 + 4 + 6);
    assert_eq!(db.state_rows.stream_count().await.unwrap(), 14);
    assert!(rows.is_sorted_by(|one, next| one.stream < next.stream));
    for page in [1, 5, 14, 100] {
        let first = db.state_rows.state_rows(None, page).await.unwrap();
        assert_eq!(first, rows[..page.min(14)]);
        let rest = db
            .state_rows
            .state_rows(Some(rows[3].stream), page)
            .await
            .unwrap();
        assert_eq!(rest, rows[4..(4 + page).min(14)]);
    }
    for row in &rows {
        assert_eq!(row.version, db.log.latest_version(row.stream).await.unwrap());
        assert_eq!(row.state, observations::fold(&db, row.stream).await);
    }
}

/// A page can start after a stream that does not exist.
pub async fn a_page_of_rows_can_start_after_any_stream<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let unknown: StreamId = fixtures::job_id().into();
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 1).await;
    let streams_after = |stream: Option<StreamId>| {
        let db = db.clone();
        async move {
            let rows = db.state_rows.state_rows(stream, 9).await.unwrap();
            rows.into_iter().map(|row| row.stream).collect::<Vec<_>>()
        }
    };
    let (user, job, photo) = (owner.into(), job.value.id.into(), photos[0].value.id.into());
    assert_eq!(streams_after(None).await, [user, job, photo]);
    assert_eq!(streams_after(Some(user)).await, [job, photo]);
    assert_eq!(
        streams_after(Some(unknown)).await,
        [job, photo],
        "jobs are ordered after users, whatever their ids"
    );
    assert_eq!(streams_after(Some(job)).await, [photo]);
    assert_eq!(streams_after(Some(photo)).await, []);
}

/// Random commands in random batches, some of them outdated or repeated: after each step every row is the fold of its
/// stream, and reads return the decided state.
pub async fn state_rows_equal_the_folds_of_their_streams<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    random_steps::check_all(async |steps: Vec<Step>| {
        let mut model = Model::new(&db, now).await;
        for step in steps {
            model.step(&step).await?;
        }
        model.check().await
    })
    .await;
    for row in observations::rows(&db).await {
        assert_eq!(row.state, observations::fold(&db, row.stream).await);
    }
    assert_eq!(db.state_rows.tag_mismatches().await.unwrap(), []);
    assert_eq!(db.state_rows.usage_mismatches().await.unwrap(), []);
}

/// Expected state of a user's job, for comparison with the database.
struct Model<'a> {
    db: &'a DatabasePorts,
    now: Timestamp,
    owner: UserId,
    job: Versioned<UploadJob>,
    photos: Vec<Versioned<Photo>>,
    /// Outdated states of the photos.
    stale: Vec<Versioned<Photo>>,
    last: Option<Commit>,
}

impl<'a> Model<'a> {
    async fn new(db: &'a DatabasePorts, now: Timestamp) -> Self {
        let owner = fixtures::user(db, now).await;
        let (job, photos) = fixtures::job(db, now, owner, random_steps::PHOTOS.into()).await;
        Self {
            db,
            now,
            owner,
            job,
            photos,
            stale: Vec::new(),
            last: None,
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step.variation {
            Variation::Valid => self.decide(step).await,
            Variation::Stale => self.decide_on_stale_state(step).await,
            Variation::Repeated => self.repeat_last_commit().await,
        }
    }

    /// Applies the command to the photos that allow it, and completes or reopens the job as needed.
    async fn decide(&mut self, step: &Step) -> Result<(), String> {
        let mut commit = fixtures::commit(self.now);
        let mut after: BTreeMap<usize, Versioned<Photo>> = BTreeMap::new();
        for index in &step.photos {
            let before = &self.photos[usize::from(*index)];
            let command = command(step, self.now);
            if before
                .value
                .decide(command.clone())
                .is_ok_and(|events| !events.is_empty())
            {
                after.insert(usize::from(*index), commit.write_command(before, command));
            }
        }
        for (index, photo) in after {
            self.stale.push(std::mem::replace(&mut self.photos[index], photo));
        }
        let counts = JobCounts::of(self.photos.iter().map(|photo| photo.value.status()));
        let retries = self.photos.iter().map(|photo| photo.value.retries).sum();
        let job_event = match self.job.value.outcome {
            None => self.job.value.complete(counts, retries).ok(),
            Some(_) => self.job.value.reopen(retries).ok(),
        };
        if let Some(event) = job_event {
            self.job = commit.write_job_event(&self.job, event);
        }
        if commit.changes.is_empty() {
            return Ok(());
        }
        let committed = self
            .db
            .journal
            .commit(commit.clone())
            .await
            .map_err(|error| format!("{error:?}"))?;
        self.last = Some(commit);
        expect_eq(&committed.repeated, &false)?;
        self.check().await
    }

    async fn decide_on_stale_state(&self, step: &Step) -> Result<(), String> {
        let Some(before) = self.stale.get(usize::from(step.number) % self.stale.len().max(1)) else {
            return Ok(());
        };
        let command = command(step, self.now);
        if before
            .value
            .decide(command.clone())
            .is_ok_and(|events| !events.is_empty())
        {
            let mut commit = fixtures::commit(self.now);
            commit.write_command(before, command);
            let rejected = self.db.journal.commit(commit).await;
            if !matches!(rejected, Err(CommitError::Conflict(_))) {
                return Err(format!("a stale decision returned {rejected:?}"));
            }
        }
        Ok(())
    }

    async fn repeat_last_commit(&self) -> Result<(), String> {
        let Some(last) = self.last.clone() else {
            return Ok(());
        };
        let again = self
            .db
            .journal
            .commit(last)
            .await
            .map_err(|error| format!("{error:?}"))?;
        expect_eq(&again.repeated, &true)
    }

    async fn check(&self) -> Result<(), String> {
        let db = self.db;
        for photo in &self.photos {
            let stream = photo.value.id.into();
            let loaded = db.aggregates.photo(photo.value.id).await.unwrap();
            expect_eq(&loaded.as_ref(), &Some(photo))?;
            expect_eq(&db.log.latest_version(stream).await.unwrap(), &photo.version)?;
            let events = db.log.events(stream, Version::NEW).await.unwrap();
            expect_eq(&(events.len() as u64), &photo.version.0)?;
            let folded = observations::fold(db, stream).await;
            let decided = rapidphoto_application::ports::AggregateState::Photo(Box::new(photo.value.clone()));
            expect_eq(&folded, &decided)?;
        }
        expect_eq(
            &db.aggregates.job(self.job.value.id).await.unwrap().as_ref(),
            &Some(&self.job),
        )?;
        let view = db.jobs.job(self.owner, self.job.value.id).await.unwrap();
        let view = view.ok_or("the job is not found")?;
        let (deleted, shown): (Vec<_>, Vec<_>) = self.photos.iter().partition(|photo| photo.value.deleted);
        let shown: Vec<_> = shown.iter().map(|photo| (&photo.value, photo.version)).collect();
        let viewed: Vec<_> = view
            .photos
            .iter()
            .map(|view| (&view.photo, view.version))
            .collect();
        expect_eq(&viewed, &shown)?;
        let deleted = JobCounts::of(deleted.iter().map(|photo| photo.value.status()));
        expect_eq(&JobCounts::of(view.deleted.iter().copied()), &deleted)
    }
}

fn expect_eq<T: PartialEq + std::fmt::Debug>(actual: &T, expected: &T) -> Result<(), String> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("got {actual:?}, expected {expected:?}"))
    }
}

fn command(step: &Step, now: Timestamp) -> PhotoCommand {
    let window = fixtures::window(now + std::time::Duration::from_millis(step.number.into()));
    let labels = || {
        ["a", "Zürich", "猫"]
            .iter()
            .zip([1, 2, 4])
            .filter(|(_, bit)| step.number & bit != 0)
            .map(|(label, _)| TagLabel::parse(label).unwrap())
            .collect()
    };
    match step.command {
        0 | 1 => PhotoCommand::CompleteUpload,
        2 | 3 => PhotoCommand::StartProcessing {
            object: fixtures::arrived(),
        },
        4 => PhotoCommand::CompleteProcessing {
            result: Box::new(fixtures::completed(now)),
        },
        5 => PhotoCommand::StartUpload,
        6 => PhotoCommand::Renew { window },
        7 => PhotoCommand::Reject {
            reasons: vec![Finding::measured(Check::TooLarge, u64::from(step.number), 3)],
        },
        8 => PhotoCommand::FailMissingUpload,
        9 => PhotoCommand::ExpireUpload,
        10 => PhotoCommand::FailProcessing,
        11 => PhotoCommand::Retry { window },
        12 => PhotoCommand::Tag { labels: labels() },
        13 => PhotoCommand::Untag { labels: labels() },
        14 => PhotoCommand::Cancel,
        _ => PhotoCommand::Delete,
    }
}

//! State rows: always the fold of their streams, whatever was decided in whatever order.

use std::collections::BTreeMap;

use rapidphoto_application::ports::{Commit, CommitError, DatabasePorts, Versioned};
use rapidphoto_domain::{
    StreamId, Timestamp, UserId, Version,
    job::{JobCounts, UploadJob},
    photo::{Check, Finding, Photo, PhotoCommand},
    values::TagLabel,
};

use super::{
    RecordHarness,
    given::{self, Writing},
    play::{self, Step, Twist},
    seen,
};

/// Rows come in the order of their streams, page by page, each with its version.
pub async fn state_rows_come_in_the_order_of_streams<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    assert_eq!(record.state_rows.state_rows(None, 10).await.unwrap(), []);
    for photos in 0..4 {
        let owner = given::user(&record, now).await;
        let (_, photos) = given::job(&record, now, owner, photos).await;
        for photo in photos.iter().step_by(2) {
            given::command(&record, now, photo, PhotoCommand::Cancel).await;
        }
    }
    let rows = seen::rows(&record).await;
    assert_eq!(rows.len(), 4 + 4 + 6);
    assert_eq!(record.state_rows.stream_count().await.unwrap(), 14);
    assert!(rows.is_sorted_by(|one, next| one.stream < next.stream));
    for page in [1, 5, 14, 100] {
        let first = record.state_rows.state_rows(None, page).await.unwrap();
        assert_eq!(first, rows[..page.min(14)]);
        let rest = record
            .state_rows
            .state_rows(Some(rows[3].stream), page)
            .await
            .unwrap();
        assert_eq!(rest, rows[4..(4 + page).min(14)]);
    }
    for row in &rows {
        assert_eq!(row.version, record.log.latest_version(row.stream).await.unwrap());
        assert_eq!(row.state, seen::fold(&record, row.stream).await);
    }
}

/// A page can begin behind a stream that is not there.
pub async fn a_page_of_rows_begins_behind_any_stream<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let strange: StreamId = given::job_id().into();
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 1).await;
    let behind = |stream: Option<StreamId>| {
        let record = record.clone();
        async move {
            let rows = record.state_rows.state_rows(stream, 9).await.unwrap();
            rows.into_iter().map(|row| row.stream).collect::<Vec<_>>()
        }
    };
    let (user, job, photo) = (owner.into(), job.value.id.into(), photos[0].value.id.into());
    assert_eq!(behind(None).await, [user, job, photo]);
    assert_eq!(behind(Some(user)).await, [job, photo]);
    assert_eq!(
        behind(Some(strange)).await,
        [job, photo],
        "jobs follow users, whatever their ids"
    );
    assert_eq!(behind(Some(job)).await, [photo]);
    assert_eq!(behind(Some(photo)).await, []);
}

/// Random decisions in random batches, some of them stale, some written twice: after each of them every row is the
/// fold of its stream, and what is read is what was decided.
pub async fn state_rows_equal_the_folds_of_their_streams<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    play::all(async |steps: Vec<Step>| {
        let mut game = Game::begin(&record, now).await;
        for step in steps {
            game.step(&step).await?;
        }
        game.check().await
    })
    .await;
    for row in seen::rows(&record).await {
        assert_eq!(row.state, seen::fold(&record, row.stream).await);
    }
}

/// A user's job as it must be, beside the record that holds it.
struct Game<'a> {
    record: &'a DatabasePorts,
    now: Timestamp,
    owner: UserId,
    job: Versioned<UploadJob>,
    photos: Vec<Versioned<Photo>>,
    /// States that have passed.
    past: Vec<Versioned<Photo>>,
    last: Option<Commit>,
}

impl<'a> Game<'a> {
    async fn begin(record: &'a DatabasePorts, now: Timestamp) -> Self {
        let owner = given::user(record, now).await;
        let (job, photos) = given::job(record, now, owner, play::PHOTOS.into()).await;
        Self {
            record,
            now,
            owner,
            job,
            photos,
            past: Vec::new(),
            last: None,
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step.twist {
            Twist::None => self.decide(step).await,
            Twist::Stale => self.decide_on_the_past(step).await,
            Twist::Again => self.write_again().await,
        }
    }

    /// What the command leads to on the photos that allow it, and the job's end when all photos are at theirs.
    async fn decide(&mut self, step: &Step) -> Result<(), String> {
        let mut commit = given::commit(self.now);
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
            self.past.push(std::mem::replace(&mut self.photos[index], photo));
        }
        let counts = JobCounts::of(self.photos.iter().map(|photo| photo.value.status()));
        let of_job = match self.job.value.outcome {
            None => self.job.value.complete(counts).ok(),
            Some(_)
                if self
                    .photos
                    .iter()
                    .any(|photo| !photo.value.status().is_terminal()) =>
            {
                self.job.value.reopen().ok()
            }
            Some(_) => None,
        };
        if let Some(event) = of_job {
            self.job = commit.write_job_event(&self.job, event);
        }
        if commit.changes.is_empty() {
            return Ok(());
        }
        let committed = self
            .record
            .journal
            .commit(commit.clone())
            .await
            .map_err(|error| format!("{error:?}"))?;
        self.last = Some(commit);
        same(&committed.repeated, &false)?;
        self.check().await
    }

    async fn decide_on_the_past(&self, step: &Step) -> Result<(), String> {
        let Some(before) = self.past.get(usize::from(step.number) % self.past.len().max(1)) else {
            return Ok(());
        };
        let command = command(step, self.now);
        if before
            .value
            .decide(command.clone())
            .is_ok_and(|events| !events.is_empty())
        {
            let mut commit = given::commit(self.now);
            commit.write_command(before, command);
            let refused = self.record.journal.commit(commit).await;
            if !matches!(refused, Err(CommitError::Conflict(_))) {
                return Err(format!("a stale decision came to {refused:?}"));
            }
        }
        Ok(())
    }

    async fn write_again(&self) -> Result<(), String> {
        let Some(last) = self.last.clone() else {
            return Ok(());
        };
        let again = self
            .record
            .journal
            .commit(last)
            .await
            .map_err(|error| format!("{error:?}"))?;
        same(&again.repeated, &true)
    }

    async fn check(&self) -> Result<(), String> {
        let record = self.record;
        for photo in &self.photos {
            let stream = photo.value.id.into();
            let loaded = record.aggregates.photo(photo.value.id).await.unwrap();
            same(&loaded.as_ref(), &Some(photo))?;
            same(&record.log.latest_version(stream).await.unwrap(), &photo.version)?;
            let events = record.log.events(stream, Version::NEW).await.unwrap();
            same(&(events.len() as u64), &photo.version.0)?;
            let folded = seen::fold(record, stream).await;
            let decided = rapidphoto_application::ports::AggregateState::Photo(Box::new(photo.value.clone()));
            same(&folded, &decided)?;
        }
        same(
            &record.aggregates.job(self.job.value.id).await.unwrap().as_ref(),
            &Some(&self.job),
        )?;
        let view = record.jobs.job(self.owner, self.job.value.id).await.unwrap();
        let view = view.ok_or("the job is not shown")?;
        let (deleted, shown): (Vec<_>, Vec<_>) = self.photos.iter().partition(|photo| photo.value.deleted);
        let shown: Vec<_> = shown.iter().map(|photo| (&photo.value, photo.version)).collect();
        let viewed: Vec<_> = view
            .photos
            .iter()
            .map(|view| (&view.photo, view.version))
            .collect();
        same(&viewed, &shown)?;
        let deleted = JobCounts::of(deleted.iter().map(|photo| photo.value.status()));
        same(&JobCounts::of(view.deleted.iter().copied()), &deleted)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(is: &T, should: &T) -> Result<(), String> {
    if is == should {
        Ok(())
    } else {
        Err(format!("{is:?} should be {should:?}"))
    }
}

fn command(step: &Step, now: Timestamp) -> PhotoCommand {
    let window = given::window(now + std::time::Duration::from_millis(step.number.into()));
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
            object: given::arrived(),
        },
        4 => PhotoCommand::CompleteProcessing {
            result: Box::new(given::completed(now)),
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

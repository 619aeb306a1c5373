//! Whether a commit may be written: every check, in the order that all adapters share, before the first write.

use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_application::ports::{
    AggregateState, Change, ClaimToken, Commit, CommitError, Cursor, Details, Unique, VersionConflict,
    WorkOrder,
};
use rapidphoto_domain::{EventId, PhotoId, Version};

use super::space::{Space, cursor_at};

/// What is to be done with a commit that is not refused.
pub(super) enum Judgement {
    /// It is new: write it.
    New,
    /// It stands already, up to here.
    Stands(Cursor),
}

pub(super) fn judge(space: &Space, commit: &Commit) -> Result<Judgement, CommitError> {
    if let Some(stands) = known_events(space, commit)? {
        return Ok(Judgement::Stands(stands));
    }
    versions(space, commit)?;
    claims(space, commit)?;
    checkpoint(space, commit)?;
    upload_ids(space, commit)?;
    emails(space, commit)?;
    idempotency_key(space, commit)?;
    Ok(Judgement::New)
}

/// Where the commit's last event stands, if all of them do.
fn known_events(space: &Space, commit: &Commit) -> Result<Option<Cursor>, CommitError> {
    let mut seen = BTreeSet::new();
    let (mut last, mut stored, mut missing) = (Cursor::START, None, false);
    for (id, change, version) in numbered(commit) {
        if !seen.insert(id) {
            return Err(CommitError::Duplicate(Unique::EventId(id)));
        }
        let Some(index) = space.ids.get(&id).copied() else {
            missing = true;
            continue;
        };
        let same = space
            .log
            .get(index)
            .is_some_and(|row| row.stream == change.stream && row.version == version);
        if !same {
            return Err(CommitError::Duplicate(Unique::EventId(id)));
        }
        stored = Some(id);
        last = last.max(cursor_at(index));
    }
    match stored {
        None => Ok(None),
        Some(id) if missing => Err(CommitError::Duplicate(Unique::EventId(id))),
        Some(_) => Ok(Some(last)),
    }
}

/// Every event of the commit, with its change and the version it would have.
fn numbered(commit: &Commit) -> impl Iterator<Item = (EventId, &Change, Version)> {
    commit.changes.iter().flat_map(|change| {
        let numbers = 1_u64..;
        change
            .events
            .iter()
            .zip(numbers)
            .map(move |(event, number)| (event.id, change, change.expected.plus(number)))
    })
}

fn versions(space: &Space, commit: &Commit) -> Result<(), CommitError> {
    let written = commit
        .changes
        .iter()
        .map(|change| (change.stream, change.expected));
    let guarded = commit.guards.iter().map(|guard| (guard.stream, guard.version));
    let moved: Vec<_> = written
        .chain(guarded)
        .map(|(stream, expected)| VersionConflict {
            stream,
            expected,
            actual: space.version(stream),
        })
        .filter(|conflict| conflict.expected != conflict.actual)
        .collect();
    if moved.is_empty() {
        Ok(())
    } else {
        Err(CommitError::Conflict(moved))
    }
}

fn claims(space: &Space, commit: &Commit) -> Result<(), CommitError> {
    for order in &commit.work {
        let (WorkOrder::Finish { claim } | WorkOrder::Postpone { claim, .. }) = order else {
            continue;
        };
        if !space.holds(*claim) {
            let ClaimToken { photo, kind, .. } = *claim;
            return Err(CommitError::StaleClaim { photo, kind });
        }
    }
    Ok(())
}

fn checkpoint(space: &Space, commit: &Commit) -> Result<(), CommitError> {
    let Some(advance) = commit.checkpoint else {
        return Ok(());
    };
    let held = space.subscriptions.get(advance.name).is_some_and(|row| {
        row.cursor == advance.from && row.lease.is_some_and(|lease| lease.token == advance.token)
    });
    if held {
        Ok(())
    } else {
        Err(CommitError::StaleCheckpoint)
    }
}

fn upload_ids(space: &Space, commit: &Commit) -> Result<(), CommitError> {
    let photos = || {
        commit.changes.iter().filter_map(|change| match &change.state {
            AggregateState::Photo(photo) => Some(photo),
            AggregateState::Job(_) | AggregateState::User(_) => None,
        })
    };
    let freed: BTreeSet<PhotoId> = photos()
        .filter(|photo| photo.deleted)
        .map(|photo| photo.id)
        .collect();
    let mut wanted = BTreeMap::new();
    for photo in photos().filter(|photo| !photo.deleted) {
        let name = (photo.owner, photo.upload_id);
        let taken = space
            .uploads
            .get(&name)
            .is_some_and(|other| *other != photo.id && !freed.contains(other));
        if taken || wanted.insert(name, photo.id).is_some() {
            return Err(CommitError::Duplicate(Unique::UploadId {
                owner: photo.owner,
                upload_id: photo.upload_id,
            }));
        }
    }
    Ok(())
}

fn emails(space: &Space, commit: &Commit) -> Result<(), CommitError> {
    let mut wanted = BTreeSet::new();
    for details in &commit.details {
        let Details::User { user, email, .. } = details else {
            continue;
        };
        let taken = space
            .accounts
            .get(email)
            .is_some_and(|account| account.user != *user);
        if taken || !wanted.insert(email) {
            return Err(CommitError::Duplicate(Unique::Email));
        }
    }
    Ok(())
}

fn idempotency_key(space: &Space, commit: &Commit) -> Result<(), CommitError> {
    let Some(record) = &commit.idempotency else {
        return Ok(());
    };
    let taken = space
        .idempotency
        .get(&(record.owner, record.key.clone()))
        .is_some_and(|kept| kept.expires_at > commit.at);
    if taken {
        Err(CommitError::Duplicate(Unique::IdempotencyKey))
    } else {
        Ok(())
    }
}

//! Validation of commits: all checks, in the order shared by all adapters, before the first write.

use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_application::ports::{
    AggregateState, Change, ClaimToken, Commit, CommitError, Cursor, Details, Unique, VersionConflict,
    WorkOrder,
};
use rapidphoto_domain::{EventId, PhotoId, Version};

use super::namespace::Namespace;

/// Result of a successful validation.
pub(super) enum Validated {
    /// The commit is new and must be written.
    New,
    /// The commit was written before; its last event has this cursor.
    Repeated(Cursor),
}

pub(super) fn validate(namespace: &Namespace, commit: &Commit) -> Result<Validated, CommitError> {
    if let Some(cursor) = stored_cursor(namespace, commit)? {
        return Ok(Validated::Repeated(cursor));
    }
    versions(namespace, commit)?;
    claims(namespace, commit)?;
    checkpoint(namespace, commit)?;
    upload_ids(namespace, commit)?;
    emails(namespace, commit)?;
    idempotency_key(namespace, commit)?;
    Ok(Validated::New)
}

/// Cursor of the commit's last event if all of its events are stored.
fn stored_cursor(namespace: &Namespace, commit: &Commit) -> Result<Option<Cursor>, CommitError> {
    let mut seen = BTreeSet::new();
    let (mut last, mut stored, mut missing) = (Cursor::START, None, false);
    for (id, change, version) in numbered(commit) {
        if !seen.insert(id) {
            return Err(CommitError::Duplicate(Unique::EventId(id)));
        }
        let Some(cursor) = namespace.ids.get(&id).copied() else {
            missing = true;
            continue;
        };
        let same = namespace
            .log
            .get(&cursor)
            .is_some_and(|row| row.stream == change.stream && row.version == version);
        if !same {
            return Err(CommitError::Duplicate(Unique::EventId(id)));
        }
        stored = Some(id);
        last = last.max(cursor);
    }
    match stored {
        None => Ok(None),
        Some(id) if missing => Err(CommitError::Duplicate(Unique::EventId(id))),
        Some(_) => Ok(Some(last)),
    }
}

/// All events of the commit, each with its change and resulting version.
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

fn versions(namespace: &Namespace, commit: &Commit) -> Result<(), CommitError> {
    let written = commit
        .changes
        .iter()
        .map(|change| (change.stream, change.expected));
    let guarded = commit.guards.iter().map(|guard| (guard.stream, guard.version));
    let conflicts: Vec<_> = written
        .chain(guarded)
        .map(|(stream, expected)| VersionConflict {
            stream,
            expected,
            actual: namespace.version(stream),
        })
        .filter(|conflict| conflict.expected != conflict.actual)
        .collect();
    if conflicts.is_empty() {
        Ok(())
    } else {
        Err(CommitError::Conflict(conflicts))
    }
}

fn claims(namespace: &Namespace, commit: &Commit) -> Result<(), CommitError> {
    for order in &commit.work {
        let (WorkOrder::Finish { claim } | WorkOrder::Postpone { claim, .. }) = order else {
            continue;
        };
        if !namespace.work.is_current(*claim) {
            let ClaimToken { photo, kind, .. } = *claim;
            return Err(CommitError::StaleClaim { photo, kind });
        }
    }
    Ok(())
}

fn checkpoint(namespace: &Namespace, commit: &Commit) -> Result<(), CommitError> {
    let Some(advance) = commit.checkpoint else {
        return Ok(());
    };
    let held = namespace.subscriptions.get(advance.name).is_some_and(|row| {
        row.cursor == advance.from && row.lease.is_some_and(|lease| lease.token == advance.token)
    });
    if held {
        Ok(())
    } else {
        Err(CommitError::StaleCheckpoint)
    }
}

fn upload_ids(namespace: &Namespace, commit: &Commit) -> Result<(), CommitError> {
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
        let taken = namespace
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

fn emails(namespace: &Namespace, commit: &Commit) -> Result<(), CommitError> {
    let mut wanted = BTreeSet::new();
    for details in &commit.details {
        let Details::User { user, email, .. } = details else {
            continue;
        };
        let taken = namespace
            .accounts
            .get(email)
            .is_some_and(|account| account.user != *user);
        if taken || !wanted.insert(email) {
            return Err(CommitError::Duplicate(Unique::Email));
        }
    }
    Ok(())
}

fn idempotency_key(namespace: &Namespace, commit: &Commit) -> Result<(), CommitError> {
    let Some(record) = &commit.idempotency else {
        return Ok(());
    };
    let taken = namespace
        .idempotency
        .get(&(record.owner, record.key.clone()))
        .is_some_and(|kept| kept.expires_at > commit.at);
    if taken {
        Err(CommitError::Duplicate(Unique::IdempotencyKey))
    } else {
        Ok(())
    }
}

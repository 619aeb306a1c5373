use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SqliteConnection, dsl::max,
};
use rapidphoto_application::ports::{
    Advance, ClaimToken, CommitError, Cursor, Guard, Unique, VersionConflict,
};
use rapidphoto_domain::{EventId, StreamType, Version};

use super::failure::Failure;
use crate::{
    number::{count, stored},
    rows::NewEventRow,
    schema::{events, photo_work, subscriptions},
    sqlite::MAX_BINDS,
};

/// How many values an IN list holds, with room for the statement's other variables.
const IN_LIST: usize = MAX_BINDS - 16;

/// An event that is stored: its stream, version and position.
type Found = (String, i64, i64);

/// Where the commit stands if it was written before: all of its events, each in its place.
pub(super) fn repeated(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[NewEventRow],
    ids: &[EventId],
) -> Result<Option<Cursor>, Failure> {
    let found = stored_events(connection, namespace, rows)?;
    if found.is_empty() {
        let mut seen = HashSet::with_capacity(ids.len());
        return match ids.iter().find(|id| !seen.insert(**id)) {
            Some(twice) => Err(duplicate(*twice)),
            None => Ok(None),
        };
    }
    let stands = |row: &NewEventRow| {
        found
            .get(&row.event_id)
            .filter(|(stream, version, _)| *stream == row.stream_id && *version == row.version)
    };
    let mut last = 0;
    for row in rows {
        let Some((_, _, position)) = stands(row) else {
            return Err(first_stored(rows, ids, &found));
        };
        last = last.max(*position);
    }
    Ok(Some(Cursor::new(0, count(last))))
}

fn duplicate(id: EventId) -> Failure {
    CommitError::Duplicate(Unique::EventId(id)).into()
}

/// Names the first of the commit's events that is stored, though the commit as a whole is not.
fn first_stored(rows: &[NewEventRow], ids: &[EventId], found: &HashMap<String, Found>) -> Failure {
    let taken = rows
        .iter()
        .zip(ids)
        .find(|(row, _)| found.contains_key(&row.event_id));
    taken.map_or_else(
        || Failure::from(diesel::result::Error::NotFound),
        |(_, id)| duplicate(*id),
    )
}

fn stored_events(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[NewEventRow],
) -> diesel::QueryResult<HashMap<String, Found>> {
    let columns = (
        events::event_id,
        (events::stream_id, events::version, events::position),
    );
    let named = events::table
        .filter(events::namespace.eq(namespace))
        .select(columns);
    let mut found = HashMap::new();
    if let [row] = rows {
        found.extend(
            named
                .filter(events::event_id.eq(&row.event_id))
                .load::<(String, Found)>(connection)?,
        );
    } else {
        for chunk in rows.chunks(IN_LIST) {
            let ids = chunk.iter().map(|row| &row.event_id);
            found.extend(
                named
                    .filter(events::event_id.eq_any(ids))
                    .load::<(String, Found)>(connection)?,
            );
        }
    }
    Ok(found)
}

/// Whether every stream is where it must be.
pub(super) fn versions(
    connection: &mut SqliteConnection,
    namespace: &str,
    expected: &[Guard],
) -> Result<(), Failure> {
    let actual = present_versions(connection, namespace, expected)?;
    let moved: Vec<_> = expected
        .iter()
        .filter_map(|Guard { stream, version }| {
            let actual = actual.get(&stream.to_string()).copied().unwrap_or_default();
            (actual != *version).then_some(VersionConflict {
                stream: *stream,
                expected: *version,
                actual,
            })
        })
        .collect();
    if moved.is_empty() {
        Ok(())
    } else {
        Err(CommitError::Conflict(moved).into())
    }
}

/// The versions of streams, from the log itself; streams that don't exist are left out.
fn present_versions(
    connection: &mut SqliteConnection,
    namespace: &str,
    streams: &[Guard],
) -> diesel::QueryResult<HashMap<String, Version>> {
    let mut by_type: BTreeMap<StreamType, Vec<String>> = BTreeMap::new();
    for Guard { stream, .. } in streams {
        by_type
            .entry(stream.stream_type())
            .or_default()
            .push(stream.to_string());
    }
    let mut versions = HashMap::with_capacity(streams.len());
    for (stream_type, ids) in by_type {
        let of_type = events::namespace
            .eq(namespace)
            .and(events::stream_type.eq(stream_type.name()));
        if let [id] = ids.as_slice() {
            let newest = events::table
                .filter(of_type)
                .filter(events::stream_id.eq(id))
                .select(events::version)
                .order(events::version.desc())
                .first::<i64>(connection)
                .optional()?;
            versions.extend(newest.map(|version| (id.clone(), Version(count(version)))));
            continue;
        }
        for chunk in ids.chunks(IN_LIST) {
            let newest = events::table
                .filter(of_type)
                .filter(events::stream_id.eq_any(chunk))
                .group_by(events::stream_id)
                .select((events::stream_id, max(events::version)))
                .load::<(String, Option<i64>)>(connection)?;
            versions.extend(
                newest
                    .into_iter()
                    .map(|(id, version)| (id, Version(count(version.unwrap_or(0))))),
            );
        }
    }
    Ok(versions)
}

/// Whether every claim is held.
pub(super) fn claims(
    connection: &mut SqliteConnection,
    namespace: &str,
    claims: &[ClaimToken],
) -> Result<(), Failure> {
    for claim in claims {
        let present = photo_work::table
            .filter(photo_work::namespace.eq(namespace))
            .filter(photo_work::photo_id.eq(claim.photo.to_string()))
            .filter(photo_work::kind.eq(claim.kind.as_str()))
            .select(photo_work::token)
            .first::<Option<i64>>(connection)
            .optional()?
            .flatten();
        if present != Some(stored(claim.token)) {
            return Err(CommitError::StaleClaim {
                photo: claim.photo,
                kind: claim.kind,
            }
            .into());
        }
    }
    Ok(())
}

/// Moves a subscription, if it is where it must be and in the hands that it must be in.
pub(super) fn advance(
    connection: &mut SqliteConnection,
    namespace: &str,
    advance: &Advance,
) -> Result<(), Failure> {
    let held = subscriptions::table
        .filter(subscriptions::namespace.eq(namespace))
        .filter(subscriptions::name.eq(advance.name))
        .filter(subscriptions::token.eq(stored(advance.token)))
        .filter(subscriptions::lease_until.is_not_null())
        .filter(subscriptions::cursor_epoch.eq(stored(advance.from.epoch())))
        .filter(subscriptions::cursor_position.eq(stored(advance.from.position())));
    let moved = diesel::update(held)
        .set((
            subscriptions::cursor_epoch.eq(stored(advance.to.epoch())),
            subscriptions::cursor_position.eq(stored(advance.to.position())),
        ))
        .execute(connection)?;
    if moved == 1 {
        Ok(())
    } else {
        Err(CommitError::StaleCheckpoint.into())
    }
}

use std::collections::{BTreeMap, HashMap};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SqliteConnection, dsl::max,
};
use rapidphoto_application::ports::{Advance, ClaimToken, CommitError, Cursor, Guard};
use rapidphoto_domain::{StreamType, Version};

use super::failure::Failure;
use crate::{
    commit::{Prepared, StoredEvents, conflicts, repetition},
    number::{count, stored},
    rows::NewEventRow,
    schema::{events, photo_work, subscriptions},
    sqlite::MAX_BINDS,
};

/// Maximum number of values in an IN list; 16 are left for the statement's other variables.
const MAX_IN_LIST: usize = MAX_BINDS - 16;

/// Returns the commit's cursor if it was written before.
pub(super) fn repeated(
    connection: &mut SqliteConnection,
    namespace: &str,
    commit: &Prepared,
) -> Result<Option<Cursor>, Failure> {
    let stored = stored_events(connection, namespace, &commit.events)?;
    Ok(repetition(commit, &stored)?)
}

fn stored_events(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[NewEventRow],
) -> diesel::QueryResult<StoredEvents> {
    let columns = (
        events::event_id,
        events::stream_id,
        events::version,
        events::position,
    );
    let selected = events::table
        .filter(events::namespace.eq(namespace))
        .select(columns);
    let mut found: Vec<(String, String, i64, i64)> = Vec::new();
    if let [row] = rows {
        found = selected
            .filter(events::event_id.eq(&row.event_id))
            .load(connection)?;
    } else {
        for chunk in rows.chunks(MAX_IN_LIST) {
            let ids = chunk.iter().map(|row| &row.event_id);
            found.append(&mut selected.filter(events::event_id.eq_any(ids)).load(connection)?);
        }
    }
    let positions = found.into_iter();
    Ok(positions
        .map(|(id, stream, version, position)| (id, (stream, version, Cursor::new(0, count(position)))))
        .collect())
}

/// Checks that every stream has its expected version.
pub(super) fn versions(
    connection: &mut SqliteConnection,
    namespace: &str,
    expected: &[Guard],
) -> Result<(), Failure> {
    let conflicts = conflicts(expected, &present_versions(connection, namespace, expected)?);
    if conflicts.is_empty() {
        Ok(())
    } else {
        Err(CommitError::Conflict(conflicts).into())
    }
}

/// Versions of streams according to the log. Streams without events are left out.
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
        for chunk in ids.chunks(MAX_IN_LIST) {
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

/// Checks that every claim is valid.
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

/// Advances a subscription's checkpoint if it is at the expected position and leased under the given token.
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
    let advanced = diesel::update(held)
        .set((
            subscriptions::cursor_epoch.eq(stored(advance.to.epoch())),
            subscriptions::cursor_position.eq(stored(advance.to.position())),
        ))
        .execute(connection)?;
    if advanced == 1 {
        Ok(())
    } else {
        Err(CommitError::StaleCheckpoint.into())
    }
}

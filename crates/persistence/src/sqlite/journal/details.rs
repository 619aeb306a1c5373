use diesel::{
    ExpressionMethods as _, QueryDsl as _, QueryResult, RunQueryDsl as _, SqliteConnection,
    result::{DatabaseErrorKind, Error},
    upsert::excluded,
};
use rapidphoto_application::ports::{CommitError, Unique};

use super::failure::Failure;
use crate::{
    commit::{Credentials, DetailChanges, MetadataChange, Password},
    error::StoreError,
    rows::{HashesRow, NameRow},
    schema::{photo_details, photos, users},
    sqlite::MAX_BINDS,
};

pub(super) fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    changes: &DetailChanges,
) -> Result<(), Failure> {
    erase(connection, namespace, &changes.erased)?;
    write_names(connection, &changes.names)?;
    write_hashes(connection, &changes.hashes)?;
    for change in &changes.metadata {
        write_metadata(connection, namespace, change)?;
    }
    for credentials in &changes.credentials {
        write_credentials(connection, namespace, credentials)?;
    }
    for password in &changes.passwords {
        replace_password(connection, namespace, password)?;
    }
    for user in &changes.erased_users {
        erase_user(connection, namespace, user)?;
    }
    Ok(())
}

fn erase(connection: &mut SqliteConnection, namespace: &str, erased: &[String]) -> QueryResult<()> {
    for chunk in erased.chunks(MAX_BINDS - 2) {
        let details = photo_details::table
            .filter(photo_details::namespace.eq(namespace))
            .filter(photo_details::photo_id.eq_any(chunk));
        diesel::delete(details).execute(connection)?;
        let rows = photos::table
            .filter(photos::namespace.eq(namespace))
            .filter(photos::photo_id.eq_any(chunk));
        diesel::update(rows)
            .set(photos::taken_at.eq(None::<i64>))
            .execute(connection)?;
    }
    Ok(())
}

fn write_names(connection: &mut SqliteConnection, names: &[NameRow]) -> QueryResult<()> {
    for chunk in names.chunks(MAX_BINDS / NameRow::BINDS) {
        diesel::insert_into(photo_details::table)
            .values(chunk)
            .on_conflict((photo_details::namespace, photo_details::photo_id))
            .do_update()
            .set(photo_details::filename.eq(excluded(photo_details::filename)))
            .execute(connection)?;
    }
    Ok(())
}

fn write_hashes(connection: &mut SqliteConnection, hashes: &[HashesRow]) -> QueryResult<()> {
    for chunk in hashes.chunks(MAX_BINDS / HashesRow::BINDS) {
        diesel::insert_into(photo_details::table)
            .values(chunk)
            .on_conflict((photo_details::namespace, photo_details::photo_id))
            .do_update()
            .set(photo_details::hashes.eq(excluded(photo_details::hashes)))
            .execute(connection)?;
    }
    Ok(())
}

fn write_metadata(
    connection: &mut SqliteConnection,
    namespace: &str,
    change: &MetadataChange,
) -> QueryResult<()> {
    diesel::insert_into(photo_details::table)
        .values((
            photo_details::namespace.eq(namespace),
            photo_details::photo_id.eq(&change.photo),
            photo_details::metadata.eq(&change.metadata),
        ))
        .on_conflict((photo_details::namespace, photo_details::photo_id))
        .do_update()
        .set(photo_details::metadata.eq(excluded(photo_details::metadata)))
        .execute(connection)?;
    let photo = photos::table
        .filter(photos::namespace.eq(namespace))
        .filter(photos::photo_id.eq(&change.photo));
    diesel::update(photo)
        .set(photos::taken_at.eq(change.taken_at))
        .execute(connection)
        .map(drop)
}

fn write_credentials(
    connection: &mut SqliteConnection,
    namespace: &str,
    credentials: &Credentials,
) -> Result<(), Failure> {
    let id = credentials.user.to_string();
    let user = users::table
        .filter(users::namespace.eq(namespace))
        .filter(users::user_id.eq(&id));
    let written = diesel::update(user)
        .set((
            users::email.eq(credentials.email.as_str()),
            users::password_hash.eq(&credentials.password_hash.0),
        ))
        .execute(connection);
    match written {
        Ok(0) => Err(StoreError::NoUser(id).into()),
        Ok(_) => Ok(()),
        // Of the columns set here, only the e-mail address is unique.
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(CommitError::Duplicate(Unique::Email).into())
        }
        Err(error) => Err(error.into()),
    }
}

fn replace_password(
    connection: &mut SqliteConnection,
    namespace: &str,
    password: &Password,
) -> QueryResult<()> {
    let user = users::table
        .filter(users::namespace.eq(namespace))
        .filter(users::user_id.eq(&password.user))
        .filter(users::password_hash.eq(&password.replaces.0));
    diesel::update(user)
        .set(users::password_hash.eq(&password.hash.0))
        .execute(connection)
        .map(drop)
}

fn erase_user(connection: &mut SqliteConnection, namespace: &str, user: &str) -> QueryResult<()> {
    let user = users::table
        .filter(users::namespace.eq(namespace))
        .filter(users::user_id.eq(user));
    diesel::update(user)
        .set((
            users::email.eq(None::<String>),
            users::password_hash.eq(None::<String>),
        ))
        .execute(connection)
        .map(drop)
}

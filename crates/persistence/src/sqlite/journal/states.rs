use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection,
    dsl::not,
    result::{DatabaseErrorKind, Error},
};
use rapidphoto_application::ports::{CommitError, Unique};

use super::{
    failure::Failure,
    insert::insert_all,
    update::{Changed, DELETED_PHOTOS, JOBS, PHOTOS, USERS, check_updated, update_all},
};
use crate::{
    commit::Prepared,
    error::StoreError,
    rows::{JobRow, PhotoRow, UserRow, parsed},
    schema::{photos, upload_jobs, users},
};

/// Writes the states after the commit.
///
/// Existing rows are updated before new ones are inserted, so that a photo deleted in a commit frees its upload id for
/// another photo in the same commit. An update sets only the columns that an event can change, so that SQLite need not
/// update the indexes on the others.
pub(super) fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    commit: &Prepared,
) -> Result<(), Failure> {
    update_users(connection, namespace, &commit.users.changed)?;
    update_jobs(connection, namespace, &commit.jobs.changed)?;
    update_photos(connection, namespace, &commit.photos.changed)?;
    insert_all!(connection, users::table, &commit.users.new, UserRow::BINDS)?;
    insert_all!(connection, upload_jobs::table, &commit.jobs.new, JobRow::BINDS)?;
    match insert_all!(connection, photos::table, &commit.photos.new, PhotoRow::BINDS) {
        Ok(()) => Ok(()),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, why)) => {
            match taken_upload_id(connection, namespace, &commit.photos.new)? {
                Some(taken) => Err(CommitError::Duplicate(taken).into()),
                None => Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, why).into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn update_users(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[UserRow],
) -> Result<(), StoreError> {
    if let [row] = rows {
        let user = users::table
            .filter(users::namespace.eq(&row.namespace))
            .filter(users::user_id.eq(&row.user_id));
        let updated = diesel::update(user)
            .set((
                users::version.eq(row.version),
                users::state.eq(&row.state),
                users::updated_at.eq(row.updated_at),
            ))
            .execute(connection)?;
        return check_updated(updated, &row.user_id);
    }
    let rows = rows.iter().map(|row| Changed {
        id: &row.user_id,
        version: row.version,
        state: &row.state,
        status: "",
        updated_at: row.updated_at,
    });
    update_all(connection, namespace, USERS, rows)
}

fn update_jobs(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[JobRow],
) -> Result<(), StoreError> {
    if let [row] = rows {
        let job = upload_jobs::table
            .filter(upload_jobs::namespace.eq(&row.namespace))
            .filter(upload_jobs::job_id.eq(&row.job_id));
        let updated = diesel::update(job)
            .set((
                upload_jobs::version.eq(row.version),
                upload_jobs::state.eq(&row.state),
                upload_jobs::updated_at.eq(row.updated_at),
            ))
            .execute(connection)?;
        return check_updated(updated, &row.job_id);
    }
    let rows = rows.iter().map(|row| Changed {
        id: &row.job_id,
        version: row.version,
        state: &row.state,
        status: "",
        updated_at: row.updated_at,
    });
    update_all(connection, namespace, JOBS, rows)
}

fn update_photos(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[PhotoRow],
) -> Result<(), StoreError> {
    if let [row] = rows {
        let photo = photos::table
            .filter(photos::namespace.eq(&row.namespace))
            .filter(photos::photo_id.eq(&row.photo_id));
        let changed = (
            photos::status.eq(row.status),
            photos::version.eq(row.version),
            photos::state.eq(&row.state),
            photos::updated_at.eq(row.updated_at),
        );
        let updated = if row.deleted {
            diesel::update(photo)
                .set((changed, photos::deleted.eq(true)))
                .execute(connection)?
        } else {
            diesel::update(photo).set(changed).execute(connection)?
        };
        return check_updated(updated, &row.photo_id);
    }
    for (deleted, table) in [(false, PHOTOS), (true, DELETED_PHOTOS)] {
        let rows = rows.iter().filter(|row| row.deleted == deleted);
        let rows = rows.map(|row| Changed {
            id: &row.photo_id,
            version: row.version,
            state: &row.state,
            status: row.status,
            updated_at: row.updated_at,
        });
        update_all(connection, namespace, table, rows)?;
    }
    Ok(())
}

/// Finds the upload id that violates the unique index; SQLite does not report the violating row.
fn taken_upload_id(
    connection: &mut SqliteConnection,
    namespace: &str,
    rows: &[PhotoRow],
) -> Result<Option<Unique>, Failure> {
    for (index, row) in rows.iter().enumerate() {
        let repeated = rows
            .iter()
            .take(index)
            .any(|other| other.owner == row.owner && other.upload_id == row.upload_id);
        let holder = photos::table
            .filter(photos::namespace.eq(namespace))
            .filter(photos::owner.eq(&row.owner))
            .filter(photos::upload_id.eq(&row.upload_id))
            .filter(not(photos::deleted))
            .select(photos::photo_id)
            .first::<String>(connection)
            .optional()?;
        if repeated || holder.is_some() {
            return Ok(Some(Unique::UploadId {
                owner: parsed("owner", &row.owner)?,
                upload_id: parsed("upload_id", &row.upload_id)?,
            }));
        }
    }
    Ok(None)
}

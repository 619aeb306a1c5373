use diesel::sql_types::{BigInt, Json, Nullable, Text};

/// SQL types of [`photo_view_columns`], from which a `PhotoViewRow` is built.
pub(super) type PhotoViewColumns = (
    BigInt,
    Json,
    BigInt,
    BigInt,
    Nullable<Text>,
    Nullable<Json>,
    Nullable<Json>,
);

/// Columns of a `PhotoViewRow` from `photos AS p` and `photo_details AS d`.
macro_rules! photo_view_columns {
    () => {
        "p.version, p.state, p.created_at, p.updated_at, d.filename, d.metadata, d.hashes"
    };
}

/// Photos with their details.
macro_rules! photo_views {
    () => {
        "photos AS p LEFT JOIN photo_details AS d ON d.namespace = p.namespace AND d.photo_id = p.photo_id"
    };
}

pub(super) use {photo_view_columns, photo_views};

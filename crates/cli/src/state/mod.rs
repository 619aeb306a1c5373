//! State directory of a user: the login, and the uploads of earlier runs.

mod directory;
mod login;
mod uploads;

pub(crate) use directory::StateDir;
pub(crate) use login::{Login, LoginFile};
pub(crate) use uploads::{FileKey, KnownUpload, UploadsFile};

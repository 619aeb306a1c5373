//! Use cases of single photos: display, list, download, history, tags, deletion.

mod delete_photo;
mod download_url;
mod history;
mod list_photos;
mod list_tags;
mod show_photo;
mod tag_photo;

pub use delete_photo::{DeletePhoto, DeletePhotoError, DeletePhotoHandler};
pub use download_url::{DownloadUrl, DownloadUrlError, DownloadUrlHandler, Variant};
pub use history::{HistoryError, PhotoHistoryHandler};
pub use list_photos::ListPhotosHandler;
pub use list_tags::ListTagsHandler;
pub use show_photo::{PhotoWithUrls, ShowPhotoHandler, ThumbnailWithUrl};
pub use tag_photo::{TagChange, TagPhoto, TagPhotoError, TagPhotoHandler};

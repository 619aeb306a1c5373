use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rapidphoto_client::types::FileRequest;
use rapidphoto_domain::values::{Filename, MimeType};

use crate::Config;

/// A photo to upload.
#[derive(Debug, Clone)]
pub(super) struct DemoPhoto {
    pub(super) name: String,
    mime_type: MimeType,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Memory(Vec<u8>),
    File { path: PathBuf, bytes: u64 },
}

impl DemoPhoto {
    pub(super) fn bytes(&self) -> u64 {
        match &self.content {
            Content::Memory(content) => content.len() as u64,
            Content::File { bytes, .. } => *bytes,
        }
    }

    pub(super) fn file(&self) -> FileRequest {
        FileRequest {
            filename: self.name.clone(),
            mime_type: self.mime_type.to_string(),
            bytes: self.bytes(),
            upload_id: None,
            checksum: None,
        }
    }

    /// Bytes of the photo; those of a folder are read one by one when they are sent.
    pub(super) async fn content(&self) -> anyhow::Result<bytes::Bytes> {
        match &self.content {
            Content::Memory(content) => Ok(content.clone().into()),
            Content::File { path, .. } => {
                let read = tokio::fs::read(path).await;
                read.map(Into::into)
                    .with_context(|| format!("{} can't be read", path.display()))
            }
        }
    }
}

/// Generates sample photos on all processors.
pub(super) async fn generate(count: usize) -> anyhow::Result<Vec<DemoPhoto>> {
    let tasks: Vec<_> = rapidphoto_sample_photos::demo_photos(count, 20)
        .map(|(name, photo)| (name, tokio::task::spawn_blocking(move || photo.jpeg())))
        .collect();
    let mut photos = Vec::with_capacity(count);
    for (name, task) in tasks {
        photos.push(DemoPhoto {
            name,
            mime_type: MimeType::Jpeg,
            content: Content::Memory(task.await?),
        });
    }
    Ok(photos)
}

/// Photos of a folder, sorted by name. Files with another extension, empty files and files above the limit are skipped.
pub(super) fn from_folder(folder: &Path, config: &Config) -> anyhow::Result<Vec<DemoPhoto>> {
    let mut photos = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        // Dangling links are skipped.
        let Ok(found) = std::fs::metadata(&path) else {
            continue;
        };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let Some(mime_type) = mime_type_of(&path).filter(|_| found.is_file()) else {
            continue;
        };
        let Ok(name) = Filename::parse(&name) else {
            continue;
        };
        if found.len() == 0 || found.len() > config.uploads.max_file_bytes {
            tracing::warn!(file = %path.display(), bytes = found.len(), "skipped: the file is empty or larger than uploads.max_file_bytes");
            continue;
        }
        photos.push(DemoPhoto {
            name: name.to_string(),
            mime_type,
            content: Content::File {
                path,
                bytes: found.len(),
            },
        });
    }
    if photos.is_empty() {
        bail!("{} contains no photos", folder.display());
    }
    photos.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(photos)
}

fn mime_type_of(path: &Path) -> Option<MimeType> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" => Some(MimeType::Jpeg),
        "png" => Some(MimeType::Png),
        "webp" => Some(MimeType::Webp),
        "gif" => Some(MimeType::Gif),
        "tif" | "tiff" => Some(MimeType::Tiff),
        "heic" => Some(MimeType::Heic),
        "heif" => Some(MimeType::Heif),
        "avif" => Some(MimeType::Avif),
        _ => None,
    }
}

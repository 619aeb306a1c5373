use std::{fs, io, path::Path};

use anyhow::{Context, bail};
use rapidphoto_client::{Content, mime_type_of, types::FileRequest};
use rapidphoto_domain::values::{Filename, MimeType};
use rapidphoto_imaging::READABLE_TYPES;

/// A photo to upload.
#[derive(Debug, Clone)]
pub(super) struct DemoPhoto {
    pub(super) name: String,
    mime_type: MimeType,
    pub(super) content: Content,
}

impl DemoPhoto {
    pub(super) fn bytes(&self) -> u64 {
        self.content.bytes()
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
            content: Content::Memory(task.await?.into()),
        });
    }
    Ok(photos)
}

/// Photos of a folder and its subfolders, sorted by path, and a line for each file and folder that was skipped.
pub(super) struct Folder {
    pub(super) photos: Vec<DemoPhoto>,
    pub(super) skipped: Vec<String>,
}

/// Finds the photos of a folder. Files that are no photos, can't be read, are empty or above the limit in bytes are skipped.
pub(super) fn from_folder(folder: &Path, max_bytes: u64) -> anyhow::Result<Folder> {
    let mut found = Folder {
        photos: Vec::new(),
        skipped: Vec::new(),
    };
    add_folder(folder, max_bytes, &mut found)
        .with_context(|| format!("{} can't be read", folder.display()))?;
    if found.photos.is_empty() {
        bail!(
            "{} contains no photos ({} files and folders skipped)",
            folder.display(),
            found.skipped.len()
        );
    }
    Ok(found)
}

fn add_folder(folder: &Path, max_bytes: u64, found: &mut Folder) -> io::Result<()> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        // Links to folders are not followed: they could lead back.
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|entry| entry.is_dir());
        let added = if is_folder {
            add_folder(&path, max_bytes, found).map_err(|error| format!("can't be read: {error}"))
        } else {
            file(&path, max_bytes).map(|photo| found.photos.push(photo))
        };
        if let Err(reason) = added {
            found.skipped.push(format!("{}: {reason}", path.display()));
        }
    }
    Ok(())
}

/// A photo, or the reason why the file is skipped.
fn file(path: &Path, max_bytes: u64) -> Result<DemoPhoto, String> {
    let mime_type = mime_type_of(path).and_then(|name| name.parse::<MimeType>().ok());
    let mime_type = mime_type.ok_or("the extension is not that of a photo")?;
    if !READABLE_TYPES.contains(&mime_type) {
        return Err(format!("is {mime_type}, which this version can't process"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = Filename::parse(&name).map_err(|error| error.to_string())?;
    let unreadable = |error: io::Error| format!("can't be read: {error}");
    let entry = fs::metadata(path).map_err(unreadable)?;
    if !entry.is_file() {
        return Err("is not a file".to_owned());
    }
    fs::File::open(path).map_err(unreadable)?;
    let bytes = entry.len();
    if bytes == 0 {
        return Err("is empty".to_owned());
    }
    if bytes > max_bytes {
        return Err(format!(
            "has {bytes} bytes, more than the {max_bytes} of uploads.max_file_bytes"
        ));
    }
    Ok(DemoPhoto {
        name: name.to_string(),
        mime_type,
        content: Content::File {
            path: path.to_owned(),
            bytes,
        },
    })
}

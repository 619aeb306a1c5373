use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use rapidphoto_client::{ClientError, Session, types::Photo, with_retries};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::{fs, io::AsyncWriteExt as _};

use crate::{
    arguments::Download as Options,
    output::{print_json, print_line, print_note},
    photos::Pages,
    state::{LoginFile, StateDir},
};

/// Downloads at the same time.
const AT_ONCE: usize = 4;

/// Result for one photo.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    photo_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// True if the same file was there before.
    already_there: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Downloads photos. Returns true if all are there.
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let (session, _) = LoginFile::in_directory(&StateDir::open()?).session()?;
    let directory = &options.out;
    let created = fs::create_dir_all(directory).await;
    created.with_context(|| format!("the directory {} (--out) can't be created", directory.display()))?;
    let mut complete = true;
    if options.all {
        let completed = ("status", "COMPLETED".to_owned());
        let mut pages = Pages::new(&session, vec![completed]);
        while let Some(photos) = pages.next(usize::MAX).await? {
            complete &= download(&session, &photos, &options).await?;
        }
    } else {
        let mut photos = Vec::with_capacity(options.ids.len());
        for id in &options.ids {
            let photo = with_retries(|| session.photo(id)).await;
            photos.push(photo.with_context(|| format!("photo {id} can't be found"))?);
        }
        complete = download(&session, &photos, &options).await?;
    }
    Ok(complete)
}

async fn download(session: &Session, photos: &[Photo], options: &Options) -> anyhow::Result<bool> {
    let mut complete = true;
    let downloads = photos.iter().map(|photo| async move {
        let (path, already_there, error) = match fetch(session, photo, &options.out).await {
            Ok((path, already_there)) => (Some(path), already_there, None),
            Err(error) => (None, false, Some(format!("{error:#}"))),
        };
        Outcome {
            photo_id: photo.photo_id.clone(),
            path,
            already_there,
            error,
        }
    });
    let mut outcomes = stream::iter(downloads).buffered(AT_ONCE);
    while let Some(outcome) = outcomes.next().await {
        complete &= outcome.error.is_none();
        if options.json {
            print_json(&outcome)?;
            continue;
        }
        let path = outcome.path.as_deref().unwrap_or(Path::new("")).display();
        match &outcome.error {
            Some(error) => print_note(&format!("{} can't be downloaded: {error}", outcome.photo_id)),
            None if outcome.already_there => print_line(&format!("{path} (there already)"))?,
            None => print_line(&path.to_string())?,
        }
    }
    Ok(complete)
}

/// Downloads a photo, unless it is there already. Returns its path, and true if it was there.
async fn fetch(session: &Session, photo: &Photo, directory: &Path) -> anyhow::Result<(PathBuf, bool)> {
    let name = Path::new(&photo.filename);
    // The server allows no separators in filenames; a false one must not reach other directories.
    ensure!(
        name.file_name() == Some(name.as_os_str()),
        "the filename {:?} is no name of a file",
        photo.filename
    );
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let extension = name.extension().unwrap_or_default().to_string_lossy();
    let plain = directory.join(name);
    // If another file has the name.
    let unique = directory.join(format!("{stem}.{}.{extension}", photo.photo_id));
    for path in [&plain, &unique] {
        if is_same(photo, path).await {
            return Ok((path.clone(), true));
        }
    }
    let draft = directory.join(format!(".{}.part", photo.photo_id));
    let written = with_retries(|| write(session, photo, &draft)).await;
    let placed = match written {
        Ok(()) => place(&draft, plain, unique).await.map_err(anyhow::Error::from),
        Err(error) => Err(error.into()),
    };
    if placed.is_err() {
        // The first error tells more than one of this.
        let _ = fs::remove_file(&draft).await;
    }
    Ok((placed?, false))
}

/// True if a file has the content of a photo.
async fn is_same(photo: &Photo, path: &Path) -> bool {
    let Some(checksum) = &photo.checksum else {
        return false;
    };
    if !fs::metadata(path)
        .await
        .is_ok_and(|file| file.len() == photo.bytes)
    {
        return false;
    }
    let content = fs::read(path).await;
    content.is_ok_and(|content| hex::encode(Sha256::digest(content)) == checksum.value)
}

/// Moves a complete file to its name, without replacing another file.
async fn place(draft: &Path, plain: PathBuf, unique: PathBuf) -> io::Result<PathBuf> {
    let taken = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&plain)
        .await;
    let path = match taken {
        Ok(_) => plain,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => unique,
        Err(error) => return Err(error),
    };
    fs::rename(draft, &path).await?;
    Ok(path)
}

async fn write(session: &Session, photo: &Photo, draft: &Path) -> Result<(), ClientError> {
    let mut download = session.download(&photo.photo_id, "original").await?;
    let mut file = fs::File::create(draft).await.map_err(ClientError::File)?;
    let mut digest = Sha256::new();
    while let Some(chunk) = download.chunk().await? {
        digest.update(&chunk);
        file.write_all(&chunk).await.map_err(ClientError::File)?;
    }
    file.sync_all().await.map_err(ClientError::File)?;
    match &photo.checksum {
        Some(expected) if hex::encode(digest.finalize()) != expected.value => Err(ClientError::File(
            io::Error::other("the SHA-256 of the downloaded bytes is not that of the photo"),
        )),
        _ => Ok(()),
    }
}

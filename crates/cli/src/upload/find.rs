use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rapidphoto_client::mime_type_of;

use crate::state::FileKey;

/// Photo on disk.
#[derive(Debug)]
pub(crate) struct Found {
    /// Path as the user knows it.
    pub(crate) path: PathBuf,
    /// Absolute path without links.
    pub(crate) absolute: PathBuf,
    pub(crate) name: String,
    pub(crate) mime_type: &'static str,
    pub(crate) key: FileKey,
}

/// Photos below some paths, and what else is there.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) photos: Vec<Found>,
    /// Hidden files and files that are no photos, with the reason.
    pub(crate) skipped: Vec<(PathBuf, &'static str)>,
    /// Files and folders that can't be read, with the reason.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

impl Findings {
    /// Finds the photos of files and folders with their subfolders, in the order of their paths.
    pub(crate) fn below(paths: &[PathBuf]) -> Self {
        let mut findings = Self::default();
        for path in paths {
            if path.is_dir() {
                findings.add_folder(path);
            } else {
                findings.add_file(path);
            }
        }
        findings
    }

    fn add_folder(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(|entries| {
            let paths = entries.map(|entry| Ok(entry?.path()));
            paths.collect::<io::Result<Vec<_>>>()
        });
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable.push((folder.to_owned(), error.to_string())),
        };
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(b".") {
                self.skipped.push((path, "hidden"));
            } else if path.is_symlink() && path.is_dir() {
                // It could lead back.
                self.skipped.push((path, "link to a folder"));
            } else if path.is_dir() {
                self.add_folder(&path);
            } else {
                self.add_file(&path);
            }
        }
    }

    fn add_file(&mut self, path: &Path) {
        let file = fs::metadata(path).and_then(|metadata| Ok((metadata, path.canonicalize()?)));
        let (metadata, absolute) = match file {
            Ok(file) => file,
            Err(error) => return self.unreadable.push((path.to_owned(), error.to_string())),
        };
        let Some(mime_type) = mime_type_of(path) else {
            return self
                .skipped
                .push((path.to_owned(), "the extension is not that of a photo"));
        };
        if !metadata.is_file() {
            return self.skipped.push((path.to_owned(), "not a file"));
        }
        self.photos.push(Found {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            path: path.to_owned(),
            absolute,
            mime_type,
            key: FileKey::of(&metadata),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_other_files_are_named() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        for folder in ["b", ".git"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        for file in ["b/2.PNG", "a.jpg", ".hidden.jpg", "notes.txt", ".git/x.jpg"] {
            fs::write(root.join(file), file).unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/loop")).unwrap();
        let findings = Findings::below(&[root.to_owned(), root.join("missing.jpg")]);
        let names: Vec<_> = findings
            .photos
            .iter()
            .map(|photo| (photo.name.as_str(), photo.mime_type))
            .collect();
        assert_eq!(names, [("a.jpg", "image/jpeg"), ("2.PNG", "image/png")]);
        let skipped: Vec<_> = findings
            .skipped
            .iter()
            .map(|(path, reason)| (path.strip_prefix(root).unwrap().to_str().unwrap(), *reason))
            .collect();
        assert_eq!(
            skipped,
            [
                (".git", "hidden"),
                (".hidden.jpg", "hidden"),
                ("b/loop", "link to a folder"),
                ("notes.txt", "the extension is not that of a photo"),
            ]
        );
        assert_eq!(findings.unreadable.len(), 1);
    }
}

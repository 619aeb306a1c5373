use std::{
    io::{self, SeekFrom},
    ops::Range,
    path::PathBuf,
};

use bytes::Bytes;
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

use crate::ClientError;

/// Size of the chunks in which files are read and sent, in bytes.
const CHUNK_BYTES: u64 = 128 * 1024;

/// Content of a file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Bytes in memory.
    Memory(Bytes),
    /// File that is read while it is sent.
    File {
        /// Path of the file.
        path: PathBuf,
        /// Size as declared, in bytes.
        bytes: u64,
    },
}

impl Content {
    /// Content of a file, with its present size.
    pub async fn file(path: impl Into<PathBuf>) -> Result<Self, ClientError> {
        let path = path.into();
        let metadata = tokio::fs::metadata(&path).await.map_err(ClientError::File)?;
        Ok(Self::File {
            path,
            bytes: metadata.len(),
        })
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { bytes, .. } => *bytes,
        }
    }

    /// Opens a range, after a check that the file still has its size.
    pub(crate) async fn open(&self, range: Range<u64>) -> Result<Reader, ClientError> {
        let source = match self {
            Self::Memory(bytes) => {
                let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
                Source::Memory(bytes.slice(at(range.start)..at(range.end)))
            }
            Self::File { path, bytes } => {
                let opened = open_file(path.clone(), range.start).await;
                let (file, actual) = opened.map_err(ClientError::File)?;
                if actual != *bytes {
                    return Err(ClientError::Changed {
                        declared: *bytes,
                        actual,
                    });
                }
                Source::File(file)
            }
        };
        Ok(Reader {
            source,
            left: range.end.saturating_sub(range.start),
        })
    }
}

async fn open_file(path: PathBuf, start: u64) -> io::Result<(File, u64)> {
    let mut file = File::open(path).await?;
    let bytes = file.metadata().await?.len();
    file.seek(SeekFrom::Start(start)).await?;
    Ok((file, bytes))
}

/// Reader of a range of a content.
#[derive(Debug)]
pub(crate) struct Reader {
    source: Source,
    left: u64,
}

#[derive(Debug)]
enum Source {
    Memory(Bytes),
    File(File),
}

impl Reader {
    /// Next chunk; `None` at the end of the range.
    pub(crate) async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let size = CHUNK_BYTES.min(self.left);
        self.left -= size;
        let size = usize::try_from(size).map_err(io::Error::other)?;
        match &mut self.source {
            Source::Memory(bytes) if bytes.len() < size => Err(io::ErrorKind::UnexpectedEof.into()),
            Source::Memory(bytes) => Ok(Some(bytes.split_to(size))),
            Source::File(file) => {
                let mut chunk = vec![0; size];
                file.read_exact(&mut chunk).await?;
                Ok(Some(chunk.into()))
            }
        }
    }
}

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand};

/// Command of a client.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in to a server; other commands use the login until `logout`
    #[command(after_help = LOGIN_EXAMPLES)]
    Login(Login),
    /// End the login
    #[command(after_help = "Example:\n  rapidphoto logout")]
    Logout,
    /// Upload photos and folders of photos, and wait until they are processed
    #[command(after_help = UPLOAD_EXAMPLES, long_about = UPLOAD)]
    Upload(Upload),
    /// List the jobs, newest first
    #[command(after_help = JOBS_EXAMPLES)]
    Jobs(Jobs),
    /// List the photos, newest first
    #[command(after_help = PHOTOS_EXAMPLES)]
    Photos(Photos),
    /// Download originals
    #[command(after_help = DOWNLOAD_EXAMPLES, long_about = DOWNLOAD)]
    Download(Download),
    /// Print changes of a job until it ends, or of all jobs until ^C
    #[command(after_help = WATCH_EXAMPLES, long_about = WATCH)]
    Watch(Watch),
}

const LOGIN_EXAMPLES: &str = "\
Examples:
  rapidphoto login --server https://photos.example.org --email ada@example.org
  rapidphoto login --email ada@example.org --password-file ~/.secrets/rapidphoto
  pass show rapidphoto | rapidphoto login --email ada@example.org
  rapidphoto login --register --email ada@example.org

The login is kept in $XDG_STATE_HOME/rapidphoto (~/.local/state/rapidphoto), readable by you alone; $RAPIDPHOTO_STATE_DIR names
another directory.";

const UPLOAD: &str = "\
Upload photos and folders of photos, and wait until they are processed.

Folders are uploaded with their subfolders, without hidden files and files that are no photos. Files with the same content are
uploaded once, also over several runs: after an interruption, the same command continues without sending anything twice.

The exit code is 0 if all photos are completed, and 1 if some are not; each of these is printed with its reason.";

const UPLOAD_EXAMPLES: &str = "\
Examples:
  rapidphoto upload IMG_0001.jpg IMG_0002.jpg
  rapidphoto upload ~/Pictures/2026 --tag holiday --tag sea
  rapidphoto upload ~/Pictures --concurrency 2
  rapidphoto upload ~/Pictures --json | jq -r 'select(.event == \"photo\" and .status != \"COMPLETED\") | .path'";

const JOBS_EXAMPLES: &str = "\
Examples:
  rapidphoto jobs
  rapidphoto jobs --json | jq -r 'select(.status == \"FAILED\") | .jobId'";

const PHOTOS_EXAMPLES: &str = "\
Examples:
  rapidphoto photos
  rapidphoto photos --q zermatt --tag holiday --status COMPLETED
  rapidphoto photos --limit 100000 --json | jq -r .checksum.value";

const DOWNLOAD: &str = "\
Download originals.

A file is named like its photo; if another file has that name, the id of the photo is added. Photos that are there already are not
downloaded again. The exit code is 1 if a photo could not be downloaded.";

const DOWNLOAD_EXAMPLES: &str = "\
Examples:
  rapidphoto download ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H
  rapidphoto download --all --out ~/Pictures/backup";

const WATCH: &str = "\
Print changes of a job until it ends, or of all jobs until ^C.

The exit code is 0 if all photos of the job are completed.";

const WATCH_EXAMPLES: &str = "\
Examples:
  rapidphoto watch
  rapidphoto watch job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H
  rapidphoto watch --json | jq -c 'select(.status == \"REJECTED\")'";

/// Options of `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// Base URL of the server's API [default: that of the last login, or <http://127.0.0.1:8080>]
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// E-mail address of the account; without it, the command asks
    #[arg(long)]
    pub email: Option<String>,
    /// File whose first line is the password, `-` for standard input; without it, the command asks, or reads standard input if that
    /// is no terminal
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Create the account first
    #[arg(long)]
    pub register: bool,
    /// Certificates of authorities (PEM) to trust, if the server's certificate is of a private authority
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Options of `upload`.
#[derive(Debug, Args)]
pub struct Upload {
    /// Photos, and folders of photos
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Label to add to the tags of the photos; may be repeated
    #[arg(long = "tag", value_name = "LABEL")]
    pub tags: Vec<String>,
    /// Requests that send bytes at the same time
    #[arg(long, value_name = "N", default_value = "6")]
    pub concurrency: NonZeroUsize,
    /// Print one JSON object a line (NDJSON): `skipped`, `photo`, and at the end `summary` in `event`
    #[arg(long)]
    pub json: bool,
}

/// Options of `jobs`.
#[derive(Debug, Args)]
pub struct Jobs {
    /// Maximum number of jobs
    #[arg(long, value_name = "N", default_value = "50")]
    pub limit: usize,
    /// Print one JSON object a line (NDJSON): jobs as in the API
    #[arg(long)]
    pub json: bool,
}

/// Options of `photos`.
#[derive(Debug, Args)]
pub struct Photos {
    /// Beginnings of words of the filename, the tags or the camera
    #[arg(long, value_name = "WORDS")]
    pub q: Option<String>,
    /// Only photos with this tag
    #[arg(long, value_name = "LABEL")]
    pub tag: Option<String>,
    /// Only photos with this status, such as COMPLETED
    #[arg(long)]
    pub status: Option<String>,
    /// Maximum number of photos
    #[arg(long, value_name = "N", default_value = "100")]
    pub limit: usize,
    /// Print one JSON object a line (NDJSON): photos as in the API
    #[arg(long)]
    pub json: bool,
}

/// Options of `download`.
#[derive(Debug, Args)]
pub struct Download {
    /// Ids of photos
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// Download all completed photos
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Directory of the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Print one JSON object a line (NDJSON): `photoId`, `path`, `alreadyThere`, and `error` if it failed
    #[arg(long)]
    pub json: bool,
}

/// Options of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Id of a job
    pub job: Option<String>,
    /// Print one JSON object a line (NDJSON): data of the API's event streams, with `snapshot`, `photo` or `job` in `event`
    #[arg(long)]
    pub json: bool,
}

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

/// Options of `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// Base URL of the server's API [default: that of the last login, or http://127.0.0.1:8080]
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

use std::path::PathBuf;

use clap::Args;
use rapidphoto_runtime::AccountCommand;

#[derive(Args)]
pub(crate) struct User {
    /// Directory of the database [default: data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rapidphoto_runtime::{UserAdministration, UserCommand};

#[derive(Args)]
pub(crate) struct User {
    /// Directory of the database [default: data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create an account; its password is read from standard input, one line
    Add {
        /// E-mail address of the account
        email: String,
    },
    /// Print all accounts: id, status, admin or -, time of the registration, e-mail address
    List,
    /// Refuse logins to an account and end its sessions
    Disable(Account),
    /// Accept logins to a disabled account again
    Enable(Account),
    /// Delete an account for good; the server deletes its photos in the background
    Delete(Account),
    /// Replace an account's password, which is read from standard input, and end its sessions
    SetPassword(Account),
    /// Let an account request the scope `admin` when it logs in
    GrantAdmin(Account),
}

#[derive(Args)]
pub(crate) struct Account {
    /// E-mail address or id of the account
    account: String,
}

impl From<Command> for UserAdministration {
    fn from(command: Command) -> Self {
        let change = |Account { account }, command| Self::Change { account, command };
        match command {
            Command::Add { email } => Self::Add { email },
            Command::List => Self::List,
            Command::SetPassword(Account { account }) => Self::SetPassword { account },
            Command::Disable(account) => change(account, UserCommand::Disable),
            Command::Enable(account) => change(account, UserCommand::Enable),
            Command::Delete(account) => change(account, UserCommand::Delete),
            Command::GrantAdmin(account) => change(account, UserCommand::GrantAdmin),
        }
    }
}

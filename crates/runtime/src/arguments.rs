//! Arguments that several programs have in common.

use clap::{Args, Subcommand};
use rapidphoto_domain::user::UserCommand;

use crate::UserAdministration;

/// Command on accounts, as it is written on the command line.
#[derive(Debug, Clone, Subcommand)]
pub enum AccountCommand {
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

/// An account on the command line.
#[derive(Debug, Clone, Args)]
pub struct Account {
    /// E-mail address or id of the account
    account: String,
}

impl From<AccountCommand> for UserAdministration {
    fn from(command: AccountCommand) -> Self {
        let change = |Account { account }, command| Self::Change { account, command };
        match command {
            AccountCommand::Add { email } => Self::Add { email },
            AccountCommand::List => Self::List,
            AccountCommand::SetPassword(Account { account }) => Self::SetPassword { account },
            AccountCommand::Disable(account) => change(account, UserCommand::Disable),
            AccountCommand::Enable(account) => change(account, UserCommand::Enable),
            AccountCommand::Delete(account) => change(account, UserCommand::Delete),
            AccountCommand::GrantAdmin(account) => change(account, UserCommand::GrantAdmin),
        }
    }
}

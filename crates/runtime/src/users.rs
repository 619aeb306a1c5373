//! Administration of accounts on a data directory, whether a server runs on it or not.

use std::{
    io::{BufRead, Write},
    sync::Arc,
};

use anyhow::Context;
use rapidphoto_application::{
    admin::Accounts,
    ports::{Clock, DatabasePorts, Ids},
};
use rapidphoto_domain::user::{UserCommand, UserStatus};
use rapidphoto_persistence::{DataDirLock, LockError, SqliteStore};

use crate::{
    Config, SystemClock, SystemIds,
    config::LogSection,
    data_dir::{self, DataDir},
    serve::telemetry,
    wiring,
};

/// Command on accounts. An account is named by its e-mail address or its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserAdministration {
    /// Create an account with the password on standard input.
    Add {
        /// E-mail address of the account.
        email: String,
    },
    /// Print all accounts.
    List,
    /// Set the password on standard input.
    SetPassword {
        /// The account.
        account: String,
    },
    /// Change an account.
    Change {
        /// The account.
        account: String,
        /// The change.
        command: UserCommand,
    },
}

/// Log filter of the commands: changes of accounts.
const AUDIT: &str = "warn,audit=info";

/// Runs a command on accounts and prints the result. A change is logged on stderr with the target `audit`, by this process
/// alone: a server does not learn of a new password, and learns of other changes only when it runs.
///
/// If a server runs on the data directory, its database is opened beside it; its schema must be the one of this program.
/// Otherwise the directory is locked, so that no server starts meanwhile.
pub async fn administer_users(config: Config, command: UserAdministration) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.data.dir.is_dir(),
        "data directory {} does not exist; create it, or name another one by --config or --data-dir",
        config.data.dir.display()
    );
    let log = LogSection {
        filter: AUDIT.to_owned(),
        otlp_endpoint: None,
        ..config.log.clone()
    };
    let _telemetry = telemetry(&Config {
        log,
        ..config.clone()
    })?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
    let (_lock, store) = match DataDirLock::acquire(&config.data.dir) {
        Ok(lock) => {
            // Secrets too, if it is new: no server starts on a database whose secrets are missing.
            let DataDir {
                store,
                lock,
                secrets: _,
            } = data_dir::open_locked(lock, &config, &clock, ids.as_ref()).await?;
            (Some(lock), store)
        }
        Err(LockError::Held(_)) => (None, open_beside(&config, &clock).await?),
        Err(error) => return Err(error.into()),
    };
    let accounts = Accounts::new(
        &DatabasePorts::of(Arc::clone(&store)),
        clock,
        Arc::clone(&ids),
        Arc::new(wiring::passwords(&config, ids)?),
        wiring::settings(&config)?.auth,
    );
    let done = run(&accounts, command).await;
    store.close().await;
    done
}

/// Opens the database of a running server.
async fn open_beside(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<SqliteStore>> {
    let store = wiring::open_database_beside(config, clock).await?;
    data_dir::check_environment(&store, config).await?;
    // Without data the environment of the server is known by the key that it has stored at its start.
    anyhow::ensure!(
        store.key_fingerprint().await?.is_some(),
        "the server on {} does not run in the environment `{}` (storage.environment); name its configuration by --config",
        config.data.dir.display(),
        config.storage.environment
    );
    Ok(store)
}

async fn run(accounts: &Accounts, command: UserAdministration) -> anyhow::Result<()> {
    let user = match command {
        UserAdministration::List => return list(accounts).await,
        UserAdministration::Add { email } => accounts.add(&email, &password()?).await?,
        UserAdministration::SetPassword { account } => accounts.set_password(&account, &password()?).await?,
        UserAdministration::Change { account, command } => accounts.change(&account, command).await?,
    };
    writeln!(std::io::stdout(), "{user}")?;
    Ok(())
}

/// Prints one account a line: id, status, `admin` or `-`, time of the registration, e-mail address.
async fn list(accounts: &Accounts) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = accounts.list(after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.user.id);
        let mut out = std::io::stdout().lock();
        for account in &page {
            let status = match account.user.status {
                UserStatus::Active => "active",
                UserStatus::Disabled => "disabled",
                UserStatus::Deleted => "deleted",
            };
            writeln!(
                out,
                "{}\t{status}\t{}\t{}\t{}",
                account.user.id,
                if account.user.is_admin { "admin" } else { "-" },
                account.created_at.to_rfc3339(),
                account.email.as_deref().unwrap_or("-"),
            )?;
        }
    }
}

/// First line of standard input: a password on the command line would be visible to other users.
fn password() -> anyhow::Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.context("the password can't be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(
        !password.is_empty(),
        "no password on standard input; send it as one line, such as `rapidphoto admin user add NAME < file`"
    );
    Ok(password.to_owned())
}

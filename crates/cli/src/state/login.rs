use std::{io, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use rapidphoto_client::{Client, LockedTokens, Session, TokenStore, types::Tokens};
use serde::{Deserialize, Serialize};

use super::directory::{LockedFile, StateDir};

/// Login of the user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Login {
    /// Base URL of the server's API.
    pub(crate) server: String,
    /// E-mail address of the account.
    pub(crate) email: String,
    /// PEM file of further certificate authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// Tokens; none after a logout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<Tokens>,
}

impl Login {
    /// Client of the server.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let ca = match &self.ca {
            Some(file) => std::fs::read(file)
                .with_context(|| format!("{} can't be read; log in again with --ca", file.display()))?,
            None => Vec::new(),
        };
        Ok(Client::with_ca(&self.server, &ca)?)
    }
}

/// File with the login.
#[derive(Debug, Clone)]
pub(crate) struct LoginFile {
    directory: StateDir,
}

const NAME: &str = "login.json";

impl LoginFile {
    pub(crate) fn in_directory(directory: &StateDir) -> Self {
        Self {
            directory: directory.clone(),
        }
    }

    /// Present or last login; `None` if there was none.
    pub(crate) fn load(&self) -> anyhow::Result<Option<Login>> {
        let file = self.directory.lock(NAME)?;
        let path = file.path();
        load(&file).with_context(|| {
            format!(
                "{} can't be read; remove it and log in again with `rapidphoto login`",
                path.display()
            )
        })
    }

    pub(crate) fn store(&self, login: &Login) -> anyhow::Result<()> {
        let mut file = self.directory.lock(NAME)?;
        let path = file.path();
        store(&mut file, login).with_context(|| format!("{} can't be written", path.display()))
    }

    /// Session of the present login.
    pub(crate) fn session(&self) -> anyhow::Result<(Session, Login)> {
        let login = self
            .load()?
            .and_then(|mut login| Some((login.tokens.take()?, login)));
        let (tokens, login) = login.context("not logged in; log in with `rapidphoto login --server URL`")?;
        let session = login.client()?.session(tokens).with_store(Arc::new(self.clone()));
        Ok((session, login))
    }
}

impl TokenStore for LoginFile {
    fn lock(&self) -> io::Result<Box<dyn LockedTokens>> {
        Ok(Box::new(self.directory.lock(NAME)?))
    }
}

impl LockedTokens for LockedFile {
    fn load(&self) -> io::Result<Option<Tokens>> {
        Ok(load(self)?.and_then(|login| login.tokens))
    }

    fn replace(&mut self, tokens: &Tokens) -> io::Result<()> {
        let Some(mut login) = load(self)? else {
            return Ok(());
        };
        login.tokens = Some(tokens.clone());
        store(self, &login)
    }
}

fn load(file: &LockedFile) -> io::Result<Option<Login>> {
    let content = file.read()?;
    Ok(content
        .map(|content| serde_json::from_slice(&content))
        .transpose()?)
}

fn store(file: &mut LockedFile, login: &Login) -> io::Result<()> {
    file.write(&serde_json::to_vec_pretty(login)?)
}

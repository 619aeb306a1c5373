//! Configuration: defaults, then a TOML file, then environment variables, then the command line; read once, typed, and
//! judged as a whole before anything starts.

mod sections;
mod validation;

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

pub use sections::{
    AuthSection, ChecksSection, DataSection, ImagingSection, LimitsSection, LogFormat, LogSection,
    ServerSection, StorageSection, UploadsSection, WorkSection,
};
pub use validation::ConfigProblems;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The HTTP API.
    pub server: ServerSection,
    /// Object storage.
    pub storage: StorageSection,
    /// Where things are kept.
    pub data: DataSection,
    /// What uploads are accepted.
    pub uploads: UploadsSection,
    /// How work is done.
    pub work: WorkSection,
    /// How photos are judged.
    pub checks: ChecksSection,
    /// How users prove who they are.
    pub auth: AuthSection,
    /// How much one user may ask for.
    pub limits: LimitsSection,
    /// Threads and memory for images.
    pub imaging: ImagingSection,
    /// What is logged, and where traces go.
    pub log: LogSection,
}

/// What environment variables begin with; two underscores part a section from its key, as in
/// `RAPIDPHOTO_SERVER__LISTEN`.
pub const ENV_PREFIX: &str = "RAPIDPHOTO_";

/// The one variable that names no key but the file, as figment sees it: without the prefix.
const CONFIG_FILE: &str = "config";

/// What the command line says; it has the last word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--s3-listen`
    pub s3_listen: Option<String>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// `--s3-public-url`
    pub s3_public_url: Option<String>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
}

/// Why there is no configuration to start with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("there is no configuration file {}", .0.display())]
    NoFile(PathBuf),
    /// A value can't be read, or a key is unknown.
    #[error("the configuration can't be read")]
    Unreadable(#[source] Box<figment::Error>),
    /// A variable that looks like ours and names nothing.
    #[error("`{0}` names no section and key; a variable looks like {ENV_PREFIX}SERVER__LISTEN")]
    Variable(String),
    /// Values that can't be right.
    #[error(transparent)]
    Problems(#[from] ConfigProblems),
}

impl Config {
    /// Reads the configuration from a file, if one is named, the environment and the command line, and judges it.
    ///
    /// # Errors
    /// [`ConfigError`], which names every value that can't be right.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError::NoFile(file.to_owned()));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed(ENV_PREFIX).filter(|key| key != CONFIG_FILE);
        let stray = environment.iter().find(|(key, _)| !key.as_str().contains("__"));
        if let Some((key, _)) = stray {
            return Err(ConfigError::Variable(format!(
                "{ENV_PREFIX}{}",
                key.as_str().to_uppercase()
            )));
        }
        figment = figment.merge(environment.split("__"));
        let mut config: Self = figment
            .extract()
            .map_err(|why| ConfigError::Unreadable(Box::new(why)))?;
        config.apply(overrides);
        config.validate()?;
        Ok(config)
    }

    fn apply(&mut self, overrides: &Overrides) {
        let Overrides {
            listen,
            s3_listen,
            public_url,
            s3_public_url,
            data_dir,
        } = overrides.clone();
        if let Some(listen) = listen {
            self.server.listen = listen;
        }
        if let Some(listen) = s3_listen {
            self.storage.listen = listen;
        }
        if public_url.is_some() {
            self.server.public_url = public_url;
        }
        if s3_public_url.is_some() {
            self.storage.public_url = s3_public_url;
        }
        if let Some(dir) = data_dir {
            self.data.dir = dir;
        }
    }

    /// The configuration as JSON, for people to read.
    ///
    /// # Errors
    /// When it can't be written as JSON, which no configuration is.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn the_command_line_has_the_last_word_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rapidphoto.toml");
        std::fs::write(
            &file,
            "[server]\nlisten = \"127.0.0.1:1\"\nallowed_origins = [\"https://a.example\"]\n",
        )
        .unwrap();
        let overrides = Overrides {
            listen: Some("127.0.0.1:2".to_owned()),
            ..Overrides::default()
        };
        let config = Config::load(Some(&file), &overrides).unwrap();
        assert_eq!(config.server.listen, "127.0.0.1:2");
        assert_eq!(config.server.allowed_origins, ["https://a.example"]);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rapidphoto.toml");
        std::fs::write(&file, "[server]\nlisten_on = \"127.0.0.1:1\"\n").unwrap();
        let error = Config::load(Some(&file), &Overrides::default()).unwrap_err();
        let ConfigError::Unreadable(why) = error else {
            panic!("{error:?}")
        };
        assert!(why.to_string().contains("listen_on"), "{why}");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let mut config = Config::default();
        config.server.listen = "nowhere".to_owned();
        config.storage.public_url = Some("ftp://x".to_owned());
        config.uploads.max_files = 0;
        let problems = config.validate().unwrap_err();
        assert_eq!(problems.0.len(), 3, "{problems}");
        assert!(problems.to_string().contains("server.listen"));
    }
}

//! Configuration from, in increasing precedence: defaults, a TOML file, environment variables, the command line. It is
//! read once and validated as a whole before anything starts.

mod sections;
mod validation;

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};

pub use sections::{
    AuthSection, ChecksSection, Config, DataSection, ImagingSection, LimitsSection, LogFormat, LogSection,
    ServerSection, StorageSection, TlsSection, UploadsSection, WorkSection,
};
pub use validation::ConfigProblems;

/// Prefix of environment variables; two underscores separate a section from its key, as in
/// `RAPIDPHOTO_SERVER__LISTEN`.
pub const ENV_PREFIX: &str = "RAPIDPHOTO_";

/// `RAPIDPHOTO_CONFIG` without the prefix, as figment sees it: the path of the file, not a key.
const CONFIG_FILE: &str = "config";

/// Values from the command line, which override all other sources.
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
    /// `--insecure`
    pub insecure: bool,
}

/// Failure to load the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file does not exist.
    #[error("configuration file {} does not exist or is not a file", .0.display())]
    NoFile(PathBuf),
    /// A value has the wrong type, or a key is unknown.
    #[error("the configuration can't be read")]
    Unreadable(#[source] Box<figment::Error>),
    /// An environment variable with the prefix lacks a section and a key.
    #[error(
        "environment variable `{0}` names no section and key; correct names look like {ENV_PREFIX}SERVER__LISTEN"
    )]
    Variable(String),
    /// Values are out of range.
    #[error(transparent)]
    Problems(#[from] ConfigProblems),
}

impl Config {
    /// Loads the configuration from an optional file, the environment and the command line, and validates it.
    ///
    /// # Errors
    /// [`ConfigError`] names every invalid value.
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
            .map_err(|error| ConfigError::Unreadable(Box::new(error)))?;
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
            insecure,
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
        self.server.insecure |= insecure;
    }

    /// The configuration as indented JSON.
    ///
    /// # Errors
    /// Never in practice: every configuration can be serialized.
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
    fn the_command_line_overrides_the_file() {
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
        let ConfigError::Unreadable(source) = error else {
            panic!("{error:?}")
        };
        assert!(source.to_string().contains("listen_on"), "{source}");
    }

    #[test]
    fn plain_text_beyond_this_machine_must_be_declared() {
        let problems = |change: fn(&mut Config)| {
            let mut config = Config::default();
            config.server.listen = "0.0.0.0:8080".to_owned();
            config.storage.listen = "[2001:db8::1]:9000".to_owned();
            change(&mut config);
            config.validate().map_err(|problems| problems.to_string())
        };
        let refused = problems(|_| ()).unwrap_err();
        for named in [
            "server.listen",
            "server.tls",
            "storage.listen",
            "storage.tls",
            "server.behind_tls_proxy",
            "--insecure",
        ] {
            assert!(refused.contains(named), "{named} is not in {refused}");
        }
        assert_eq!(problems(|config| config.server.behind_tls_proxy = true), Ok(()));
        assert_eq!(problems(|config| config.server.insecure = true), Ok(()));
        let files = TlsSection {
            certificate: "certificate.pem".into(),
            key: "key.pem".into(),
        };
        let mut config = Config::default();
        config.server.listen = "0.0.0.0:8080".to_owned();
        config.server.tls = Some(files);
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn all_problems_are_reported_together() {
        let mut config = Config::default();
        config.server.listen = "nowhere".to_owned();
        config.storage.public_url = Some("ftp://x".to_owned());
        config.uploads.max_files = 0;
        let problems = config.validate().unwrap_err();
        assert_eq!(problems.0.len(), 3, "{problems}");
        assert!(problems.to_string().contains("server.listen"));
    }
}

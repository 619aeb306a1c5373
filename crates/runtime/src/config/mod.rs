//! Configuration from, in increasing precedence: defaults, a TOML file, environment variables, the command line. It is
//! read once and validated as a whole before anything starts.

mod distributed;
mod imaging;
mod limits;
mod problems;
mod programs;
mod secret;
mod sections;
mod sources;
mod storage;
mod tls;
mod validation;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

pub use distributed::{BrokerSection, DatabaseSection, EventSource, EventsSection, SecretsSection};
pub use imaging::{ImagingSection, Isolation};
pub use limits::LimitsSection;
pub use problems::{ConfigProblems, Problem};
pub use programs::Program;
#[cfg(feature = "distributed")]
pub(crate) use programs::key;
pub use secret::Secret;
pub use sections::{
    AuthSection, ChecksSection, Config, DataSection, LogFormat, LogSection, ServerSection, UploadsSection,
    WorkSection,
};
pub use sources::{ENV_PREFIX, Overrides};
pub use storage::{AddressingStyle, Conditional, CredentialsSource, EncryptionKind, StorageSection};
pub use tls::TlsSection;

use self::{
    sources::Sources,
    validation::{ORIGIN, is_origin},
};

/// Failure to load the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file does not exist.
    #[error("configuration file {} does not exist or is not a file", .0.display())]
    NoFile(PathBuf),
    /// Values are wrong.
    #[error(transparent)]
    Problems(#[from] ConfigProblems),
}

impl Config {
    /// Loads the configuration from an optional file, the environment and the command line, and validates it.
    ///
    /// # Errors
    /// [`ConfigError`] names every wrong value as the user wrote it.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let mut sources = Sources::default();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError::NoFile(file.to_owned()));
            }
            sources.add_file(file);
        }
        sources.add_environment();
        sources.add_options(overrides);
        let mut merged = sources.merge();
        if let Some(filter) = overrides.default_log_filter
            && !merged.places.contains_key("log.filter")
        {
            filter.clone_into(&mut merged.config.log.filter);
        }
        let written: BTreeSet<&str> = merged.places.keys().map(String::as_str).collect();
        let invalid = merged.config.find_invalid(&written);
        let mut problems = merged.problems.clone();
        for origin in &overrides.allow_origins {
            if !is_origin(origin) {
                problems.push(Problem::new(
                    "--allow-origin",
                    format!("{ORIGIN}, not `{origin}`"),
                ));
            }
            merged.config.server.allowed_origins.push(origin.clone());
        }
        problems.extend(
            invalid
                .into_iter()
                .map(|(key, requirement)| Problem::new(merged.name_of(key), requirement)),
        );
        if problems.is_empty() {
            Ok(merged.config)
        } else {
            Err(ConfigProblems(problems).into())
        }
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
        assert_eq!(Config::default().find_invalid(&BTreeSet::new()), []);
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
            allow_origins: vec!["https://b.example".to_owned()],
            ..Overrides::default()
        };
        let config = Config::load(Some(&file), &overrides).unwrap();
        assert_eq!(config.server.listen, "127.0.0.1:2");
        assert_eq!(
            config.server.allowed_origins,
            ["https://a.example", "https://b.example"]
        );
    }

    /// Lines of the error of a file, without its path, and of the options.
    fn problems(text: &str, overrides: &Overrides) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rapidphoto.toml");
        std::fs::write(&file, text).unwrap();
        let error = Config::load(Some(&file), overrides).unwrap_err().to_string();
        let prefix = format!("{}/", dir.path().display());
        let lines = error.replace(&prefix, "");
        lines.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn all_errors_of_a_file_are_reported_with_their_lines() {
        let text = "[server]\nlisten_on = \"127.0.0.1:1\"\nbody_limit = \"large\"\n\n[uploads]\nmax_files = 0\nwindow = \"1 fortnight\"\n\
                    [log]\nformat = \"xml\"\n[sever]\nlisten = \"x\"\n[checks.policies]\nblurry = \"maybe\"\n[empty]\n";
        let found = problems(text, &Overrides::default());
        let starts = [
            "rapidphoto.toml:2: server.listen_on: unknown key; known ones are listen, ",
            "rapidphoto.toml:3: server.body_limit: invalid type: found string \"large\"",
            "rapidphoto.toml:6: uploads.max_files: must be 1 to 1000",
            "rapidphoto.toml:7: uploads.window: ",
            "rapidphoto.toml:9: log.format: unknown variant: found `xml`",
            "rapidphoto.toml:11: sever.listen: unknown key; known ones are ",
            "rapidphoto.toml:13: checks.policies.blurry: unknown variant: found `maybe`",
            "rapidphoto.toml:14: empty: unknown key; known ones are ",
        ];
        for start in starts {
            assert!(
                found.iter().any(|line| line.starts_with(start)),
                "{start}: {found:#?}"
            );
        }
        assert_eq!(found.len(), starts.len(), "{found:#?}");
    }

    #[test]
    fn a_wrong_origin_is_reported_by_the_name_under_which_it_was_written() {
        let wrong = "https://app.example.org/";
        let overrides = Overrides {
            allow_origins: vec!["https://b.example".to_owned(), wrong.to_owned()],
            ..Overrides::default()
        };
        let option = format!("--allow-origin: {ORIGIN}, not `{wrong}`");
        let file = "[server]\nallowed_origins = [\"https://a.example\"]\n";
        assert_eq!(problems(file, &overrides), [option.as_str()]);
        let file = format!("[server]\nallowed_origins = [\"{wrong}\"]\n");
        let line = format!("rapidphoto.toml:2: server.allowed_origins: {ORIGIN}, not `{wrong}`");
        assert_eq!(problems(&file, &Overrides::default()), [line.as_str()]);
        let found = problems(&file, &overrides);
        assert!(found.contains(&option) && found.contains(&line), "{found:#?}");
    }

    #[test]
    fn a_syntax_error_is_reported_with_its_line_and_the_other_sources_are_checked() {
        let overrides = Overrides {
            listen: Some("nowhere".to_owned()),
            ..Overrides::default()
        };
        let found = problems("[server]\nlisten = \n", &overrides);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("rapidphoto.toml:2: "), "{found:#?}");
        assert!(found[1].starts_with("--listen: must be an address"), "{found:#?}");
    }

    #[test]
    fn a_value_where_a_section_is_expected_is_an_error() {
        let found = problems("server = 3\n", &Overrides::default());
        assert_eq!(
            found,
            ["rapidphoto.toml:1: server: is a section with keys of its own, and takes no value"]
        );
    }

    #[test]
    fn a_section_without_defaults_must_be_whole() {
        let tls = "[server.tls]\ncertificate = \"a.pem\"\n";
        let found = problems(tls, &Overrides::default());
        assert_eq!(found, ["rapidphoto.toml:2: server.tls: missing field `key`"]);
        let found = problems(&format!("{tls}keys = \"b.pem\"\n"), &Overrides::default());
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("rapidphoto.toml:3: server.tls.keys: unknown key")),
            "{found:#?}"
        );
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rapidphoto.toml");
        std::fs::write(&file, format!("{tls}key = \"b.pem\"\n")).unwrap();
        let config = Config::load(Some(&file), &Overrides::default()).unwrap();
        assert_eq!(config.server.tls.unwrap().key, PathBuf::from("b.pem"));
    }

    #[test]
    fn a_limit_that_contradicts_a_default_is_reported_where_it_was_written() {
        let found = problems("[uploads]\nurl_lifetime = \"2days\"\n", &Overrides::default());
        assert_eq!(
            found,
            [
                "rapidphoto.toml:2: uploads.url_lifetime: uploads.url_lifetime (2days) must be at most uploads.window (1day)"
            ]
        );
        let found = problems("[uploads]\nwindow = \"1m\"\n", &Overrides::default());
        assert!(
            found[0].starts_with("rapidphoto.toml:2: uploads.window: "),
            "{found:#?}"
        );
        let found = problems("[uploads]\nurl_lifetime = \"0s\"\n", &Overrides::default());
        assert_eq!(
            found,
            ["rapidphoto.toml:2: uploads.url_lifetime: must be between 1s and 7days"]
        );
    }

    #[test]
    fn the_listener_for_operators_shares_no_address() {
        for (operations, shared) in [
            ("127.0.0.1:8080", true),
            ("0.0.0.0:9000", true),
            ("127.0.0.1:9100", false),
            ("127.0.0.1:0", false),
        ] {
            let text = format!("[server]\noperations_listen = \"{operations}\"\n");
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("rapidphoto.toml");
            std::fs::write(&file, &text).unwrap();
            let loaded = Config::load(Some(&file), &Overrides::default());
            assert_eq!(loaded.is_err(), shared, "{operations}");
            if let Err(error) = loaded {
                let error = error.to_string();
                assert!(
                    error.contains("rapidphoto.toml:2: server.operations_listen: "),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn the_api_and_the_storage_do_not_share_an_address() {
        for (api, storage, shared) in [
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("0.0.0.0:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "127.0.0.2:8080", false),
            ("127.0.0.1:8080", "127.0.0.1:8081", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            let overrides = Overrides {
                listen: Some(api.to_owned()),
                s3_listen: Some(storage.to_owned()),
                ..Overrides::default()
            };
            let loaded = Config::load(None, &overrides);
            assert_eq!(loaded.is_err(), shared, "{api} {storage}");
            if let Err(error) = loaded {
                assert!(error.to_string().contains("--s3-listen: "), "{error}");
            }
        }
    }

    #[test]
    fn plain_text_beyond_this_machine_must_be_declared() {
        let problems = |change: fn(&mut Config)| {
            let mut config = Config::default();
            config.server.listen = "0.0.0.0:8080".to_owned();
            config.storage.listen = "[2001:db8::1]:9000".to_owned();
            change(&mut config);
            let found = config.find_invalid(&BTreeSet::new());
            let lines = found
                .into_iter()
                .map(|(key, requirement)| format!("{key}: {requirement}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let refused = problems(|_| ());
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
        assert_eq!(problems(|config| config.server.behind_tls_proxy = true), "");
        assert_eq!(problems(|config| config.server.insecure = true), "");
        let files = TlsSection {
            certificate: "certificate.pem".into(),
            key: "key.pem".into(),
        };
        let mut config = Config::default();
        config.server.listen = "0.0.0.0:8080".to_owned();
        config.server.tls = Some(files);
        assert_eq!(config.find_invalid(&BTreeSet::new()), []);
    }

    #[test]
    fn all_problems_are_reported_together() {
        let mut config = Config::default();
        config.server.listen = "nowhere".to_owned();
        config.storage.public_url = Some("ftp://x".to_owned());
        config.uploads.max_files = 0;
        let problems = config.find_invalid(&BTreeSet::new());
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(problems[0].0, "server.listen");
    }
}

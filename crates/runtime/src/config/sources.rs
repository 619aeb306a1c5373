//! Values as they were written: in the file, the environment and the command line.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use figment::{
    Figment, Provider as _,
    error::Kind,
    providers::{Format as _, Serialized, Toml},
    value::{Dict, Value},
};
use toml_edit::{ImDocument, TableLike};

use super::{problems::Problem, sections::Config};

/// Prefix of environment variables; two underscores separate a section from its key, as in
/// `RAPIDPHOTO_SERVER__LISTEN`.
pub const ENV_PREFIX: &str = "RAPIDPHOTO_";

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
    /// `--allow-origin`, in addition to the configured origins
    pub allow_origins: Vec<String>,
    /// `--insecure`
    pub insecure: bool,
    /// Log filter of a command, unless one is configured
    pub default_log_filter: Option<&'static str>,
}

/// End of the names of variables that hold the path of a file with the value. No key of the configuration ends with it.
const FILE_SUFFIX: &str = "_file";

/// Variables that are no keys, without the prefix: the path of the file, and the access token of commands that are clients.
const NO_KEYS: [&str; 2] = ["CONFIG", "TOKEN"];

/// A value of one key.
#[derive(Debug, Clone)]
struct Written {
    key: String,
    value: Value,
    /// Text of an environment variable, which may look like a number although the key takes text.
    text: Option<String>,
    place: Place,
}

/// Place of a value, as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Name of the file and, if it is known, the line.
    File(String, Option<usize>),
    /// Name of the environment variable.
    Variable(String),
    /// Name of the command line's option.
    Option(&'static str),
}

impl Place {
    /// The place, and in a file the key.
    fn describe(&self, key: &str) -> String {
        match self {
            Self::File(file, Some(line)) => format!("{file}:{line}: {key}"),
            Self::File(file, None) => format!("{file}: {key}"),
            Self::Variable(name) => name.clone(),
            Self::Option(name) => (*name).to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe("").trim_end_matches([':', ' ']))
    }
}

/// All values in increasing precedence, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    written: Vec<Written>,
    problems: Vec<Problem>,
}

/// Configuration of the values that could be read.
pub(super) struct Merged {
    pub(super) config: Config,
    /// Place of each key's value that is in effect.
    pub(super) places: BTreeMap<String, Place>,
    pub(super) problems: Vec<Problem>,
}

impl Sources {
    /// Adds the values of a file, which must exist.
    pub(super) fn add_file(&mut self, path: &Path) {
        let name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problems.push(Problem::new(name, error.to_string())),
        };
        let document = match ImDocument::parse(text.as_str()) {
            Ok(document) => document,
            Err(error) => {
                let line = error.span().map(|span| line(&text, span.start));
                let place = Place::File(name, line);
                return self.problems.push(Problem::new(
                    place.to_string(),
                    error.message().replace('\n', ", "),
                ));
            }
        };
        let values = match Toml::string(&text).data() {
            Ok(profiles) => profiles.into_values().flatten().collect::<Dict>(),
            Err(error) => return self.problems.push(Problem::new(name, error.kind.to_string())),
        };
        let add = &mut |keys: &[String], value: Value| {
            let at = position(document.as_table(), keys).map(|start| line(&text, start));
            self.written.push(Written {
                key: keys.join("."),
                value,
                text: None,
                place: Place::File(name.clone(), at),
            });
        };
        leaves(values, &mut Vec::new(), add);
    }

    /// Adds the environment variables with the prefix.
    pub(super) fn add_environment(&mut self) {
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str() else { continue };
            let upper = name.to_uppercase();
            let Some(key) = upper
                .strip_prefix(ENV_PREFIX)
                .filter(|key| !NO_KEYS.contains(key))
            else {
                continue;
            };
            let key = key.to_lowercase().replace("__", ".");
            let Some(text) = value.to_str() else {
                self.problems.push(Problem::new(name, "is not UTF-8"));
                continue;
            };
            // `NAME_FILE` is the path of the file that holds the value of `NAME`, as secret managers mount it.
            let (key, text) = match key.strip_suffix(FILE_SUFFIX) {
                None => (key, text.to_owned()),
                Some(key) => {
                    let direct = name.get(..name.len() - FILE_SUFFIX.len()).unwrap_or_default();
                    if std::env::var_os(direct).is_some() {
                        let problem = format!("{direct} is set, too; set one of them");
                        self.problems.push(Problem::new(name, problem));
                        continue;
                    }
                    match fs::read_to_string(text) {
                        Ok(content) => (key.to_owned(), content.trim_end_matches(['\r', '\n']).to_owned()),
                        Err(error) => {
                            let problem = format!("the file {text} can't be read: {error}");
                            self.problems.push(Problem::new(name, problem));
                            continue;
                        }
                    }
                }
            };
            if !key.contains('.') {
                self.problems.push(Problem::new(
                    name,
                    format!("names no section and key; correct names look like {ENV_PREFIX}SERVER__LISTEN"),
                ));
                continue;
            }
            self.written.push(Written {
                key,
                value: text.parse().unwrap_or_else(|never| match never {}),
                text: Some(text),
                place: Place::Variable(name.to_owned()),
            });
        }
    }

    /// Adds the options of the command line.
    pub(super) fn add_options(&mut self, overrides: &Overrides) {
        let Overrides {
            listen,
            s3_listen,
            public_url,
            s3_public_url,
            data_dir,
            allow_origins: _,
            insecure,
            default_log_filter: _,
        } = overrides.clone();
        let data_dir = data_dir.map(|dir| dir.to_string_lossy().into_owned());
        for (key, name, value) in [
            ("server.listen", "--listen", listen),
            ("storage.listen", "--s3-listen", s3_listen),
            ("server.public_url", "--public-url", public_url),
            ("storage.public_url", "--s3-public-url", s3_public_url),
            ("data.dir", "--data-dir", data_dir),
        ] {
            self.written.extend(value.map(|value| Written {
                key: key.to_owned(),
                value: value.into(),
                text: None,
                place: Place::Option(name),
            }));
        }
        if insecure {
            self.written.push(Written {
                key: "server.insecure".to_owned(),
                value: true.into(),
                text: None,
                place: Place::Option("--insecure"),
            });
        }
    }

    /// Merges all values that are right by themselves.
    pub(super) fn merge(self) -> Merged {
        let mut merged = Figment::from(Serialized::defaults(Config::default()));
        let mut places = BTreeMap::new();
        let mut problems = self.problems;
        for written in self.written {
            let with =
                |figment: Figment, value: &Value| figment.merge(Serialized::default(&written.key, value));
            let defaults = || Figment::from(Serialized::defaults(Config::default()));
            let tried = |value: &Value| match with(defaults(), value).extract::<Config>() {
                // Sections without defaults are whole only once all their keys are merged.
                Err(error) if !matches!(error.kind, Kind::MissingField(_)) => Err(Box::new(error)),
                Ok(_) | Err(_) => Ok(value.clone()),
            };
            let value = tried(&written.value).or_else(|error| match &written.text {
                Some(text) => tried(&Value::from(text.as_str())).map_err(|_| error),
                None => Err(error),
            });
            match value {
                Ok(value) => {
                    merged = with(merged, &value);
                    places.insert(written.key, written.place);
                }
                Err(error) => {
                    let list = matches!(written.place, Place::Variable(_));
                    problems.push(Problem::new(
                        written.place.describe(&written.key),
                        requirement(&error.kind, list),
                    ));
                }
            }
        }
        let config = merged.extract().unwrap_or_else(|error| {
            // Values that are right by themselves and not together, such as a section without one of its keys.
            let section = error.path.join(".");
            let within = |key: &&String| key.starts_with(&section);
            let place = places.keys().find(within).and_then(|key| places.get(key));
            let name = place.map_or_else(|| section.clone(), |place: &Place| place.describe(&section));
            problems.push(Problem::new(name, error.kind.to_string()));
            Config::default()
        });
        Merged {
            config,
            places,
            problems,
        }
    }
}

impl Merged {
    /// Name under which the user wrote a key: place and key, or the key alone if it has its default value.
    pub(super) fn name_of(&self, key: &str) -> String {
        let place = self.places.get(key);
        place.map_or_else(|| key.to_owned(), |place| place.describe(key))
    }
}

/// Text for a value that a key does not take.
fn requirement(kind: &Kind, variable: bool) -> String {
    match kind {
        Kind::UnknownField(_, known) => format!("unknown key; known ones are {}", known.join(", ")),
        Kind::InvalidType(_, expected) if expected.starts_with("struct") || expected == "a map" => {
            "is a section with keys of its own, and takes no value".to_owned()
        }
        Kind::InvalidType(found, expected) if variable && expected == "a sequence" => {
            format!("must be a list in brackets, such as [\"https://app.example.org\"]; found {found}")
        }
        kind => kind.to_string(),
    }
}

/// Calls `add` with every value that is no section, and with empty sections.
fn leaves(section: Dict, path: &mut Vec<String>, add: &mut dyn FnMut(&[String], Value)) {
    for (key, value) in section {
        path.push(key);
        match value {
            Value::Dict(_, inner) if !inner.is_empty() => leaves(inner, path, add),
            value => add(path, value),
        }
        path.pop();
    }
}

/// Byte at which a key is written.
fn position(table: &dyn TableLike, keys: &[String]) -> Option<usize> {
    let (key, inner) = keys.split_first()?;
    let (written, item) = table.get_key_value(key)?;
    let here = written.span().map(|span| span.start);
    match item.as_table_like().filter(|_| !inner.is_empty()) {
        Some(table) => position(table, inner).or(here),
        None => here,
    }
}

/// Number of the line of a byte, counted from 1.
fn line(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

//! What a rule is, and which dependencies break one.

use std::fmt;

use super::metadata::{Dependency, Kind, Metadata, Package};

/// All rules of a workspace, as data.
#[derive(Debug)]
pub(crate) struct Table {
    /// One line for each of our crates; a crate without a line is an error.
    pub(crate) crates: &'static [CrateRule],
    /// Third-party crates that have a home.
    pub(crate) homes: &'static [Home],
    /// Third-party crates that must not be linked in, not even through others.
    pub(crate) absences: &'static [Absence],
}

/// What one of our crates may depend on.
#[derive(Debug)]
pub(crate) struct CrateRule {
    /// Its package name.
    pub(crate) name: &'static str,
    /// Crates of the workspace that it may be built from.
    pub(crate) uses: &'static [&'static str],
    /// Crates of the workspace that its tests may use as well.
    pub(crate) tests_use: &'static [&'static str],
    /// Third-party crates that it may be built from; its tests are free.
    pub(crate) third_party: ThirdParty,
    /// The invariant, as the message gives it.
    pub(crate) because: &'static str,
}

/// Third-party crates a crate may name in its `Cargo.toml`.
#[derive(Debug)]
pub(crate) enum ThirdParty {
    /// Any that has no home elsewhere.
    Any,
    /// These alone.
    Only(&'static [&'static str]),
}

/// Third-party crates that only some of our crates may name, so that a technology can be exchanged in one place.
#[derive(Debug)]
pub(crate) struct Home {
    /// Names; `actix-*` stands for every name that begins so.
    pub(crate) crates: &'static [&'static str],
    /// Our crates that may be built from them.
    pub(crate) live_in: &'static [&'static str],
    /// The invariant, as the message gives it.
    pub(crate) because: &'static str,
}

/// Third-party crates that must not be reached by any path.
#[derive(Debug)]
pub(crate) struct Absence {
    /// Our crates.
    pub(crate) from: &'static [&'static str],
    /// Names; `actix-*` stands for every name that begins so.
    pub(crate) crates: &'static [&'static str],
    /// The invariant, as the message gives it.
    pub(crate) because: &'static str,
}

/// A dependency that is not allowed, or a crate nobody has spoken about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The dependency: names joined by arrows.
    pub(crate) edge: String,
    /// The invariant it breaks.
    pub(crate) because: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "  {}\n    {}", self.edge, self.because)
    }
}

/// Everything in `metadata` that `table` does not allow.
pub(crate) fn violations(metadata: &Metadata, table: &Table) -> Vec<Violation> {
    let mut found = Vec::new();
    let ours: Vec<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    for member in metadata.members() {
        let Some(rule) = table.crates.iter().find(|rule| rule.name == member.name) else {
            found.push(Violation {
                edge: member.name.clone(),
                because: "a new crate: say what it may depend on in xtask/src/check_deps/table.rs".to_owned(),
            });
            continue;
        };
        for dependency in &member.dependencies {
            let because = if ours.contains(&dependency.name.as_str()) {
                breaks_direction(rule, dependency)
            } else {
                breaks_choice(rule, dependency).or_else(|| breaks_home(table, member, dependency))
            };
            found.extend(because.map(|because| Violation {
                edge: edge(member, dependency),
                because,
            }));
        }
        found.extend(reached_absences(metadata, table, member));
    }
    found
}

fn edge(member: &Package, dependency: &Dependency) -> String {
    let kind = match dependency.kind {
        Kind::Normal => "",
        Kind::Build => " (build-dependency)",
        Kind::Dev => " (dev-dependency)",
    };
    format!("{} -> {}{kind}", member.name, dependency.name)
}

fn breaks_direction(rule: &CrateRule, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let allowed =
        rule.uses.contains(&name) || (dependency.kind == Kind::Dev && rule.tests_use.contains(&name));
    (!allowed).then(|| rule.because.to_owned())
}

fn breaks_choice(rule: &CrateRule, dependency: &Dependency) -> Option<String> {
    match rule.third_party {
        ThirdParty::Only(names)
            if dependency.kind != Kind::Dev && !names.contains(&dependency.name.as_str()) =>
        {
            Some(format!(
                "{} Of third-party crates it has {}.",
                rule.because,
                names.join(", ")
            ))
        }
        ThirdParty::Only(_) | ThirdParty::Any => None,
    }
}

fn breaks_home(table: &Table, member: &Package, dependency: &Dependency) -> Option<String> {
    if dependency.kind == Kind::Dev {
        return None;
    }
    let home = table
        .homes
        .iter()
        .find(|home| names_match(home.crates, &dependency.name))?;
    (!home.live_in.contains(&member.name.as_str()))
        .then(|| format!("{} It lives in {}.", home.because, home.live_in.join(", ")))
}

fn reached_absences(metadata: &Metadata, table: &Table, member: &Package) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut linked = None;
    for absence in table
        .absences
        .iter()
        .filter(|absence| absence.from.contains(&member.name.as_str()))
    {
        let linked = linked.get_or_insert_with(|| metadata.linked_into(member));
        for (_, path) in linked
            .iter()
            .filter(|(name, _)| names_match(absence.crates, name))
        {
            found.push(Violation {
                edge: path.join(" -> "),
                because: absence.because.to_owned(),
            });
        }
    }
    found
}

fn names_match(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => *pattern == name,
    })
}

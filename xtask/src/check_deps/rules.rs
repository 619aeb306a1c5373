//! Rules for dependencies between crates, and the search for violations.

use std::fmt;

use super::metadata::{Dependency, Kind, Metadata, Package};

/// All rules of a workspace.
#[derive(Debug)]
pub(crate) struct Table {
    /// One rule per workspace crate; a crate without a rule is a violation.
    pub(crate) crates: &'static [CrateRule],
    /// Third-party crates that only some workspace crates may use.
    pub(crate) homes: &'static [Home],
    /// Third-party crates that must not be linked into some workspace crates, not even indirectly.
    pub(crate) absences: &'static [Absence],
}

/// Allowed dependencies of a workspace crate.
#[derive(Debug)]
pub(crate) struct CrateRule {
    /// Package name.
    pub(crate) name: &'static str,
    /// Workspace crates that it may use.
    pub(crate) uses: &'static [&'static str],
    /// Workspace crates that only its tests may use.
    pub(crate) tests_use: &'static [&'static str],
    /// Third-party crates that it may use; its tests may use any.
    pub(crate) third_party: ThirdParty,
    /// Reason, printed with a violation.
    pub(crate) because: &'static str,
}

/// Third-party crates that a crate may declare in its `Cargo.toml`.
#[derive(Debug)]
pub(crate) enum ThirdParty {
    /// Any, unless a [`Home`] forbids it.
    Any,
    /// Only these.
    Only(&'static [&'static str]),
}

/// Third-party crates that only some workspace crates may use, so that a technology can be replaced in one place.
#[derive(Debug)]
pub(crate) struct Home {
    /// Names; a trailing `*` matches any suffix, as in `actix-*`.
    pub(crate) crates: &'static [&'static str],
    /// Workspace crates that may use them.
    pub(crate) allowed_in: &'static [&'static str],
    /// Reason, printed with a violation.
    pub(crate) because: &'static str,
}

/// Third-party crates that must not be linked in, directly or indirectly.
#[derive(Debug)]
pub(crate) struct Absence {
    /// Workspace crates that the rule applies to.
    pub(crate) from: &'static [&'static str],
    /// Names; a trailing `*` matches any suffix, as in `actix-*`.
    pub(crate) crates: &'static [&'static str],
    /// Reason, printed with a violation.
    pub(crate) because: &'static str,
}

/// A forbidden dependency, or a crate without a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Dependency as names joined by arrows.
    pub(crate) edge: String,
    /// Reason of the broken rule.
    pub(crate) because: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "  {}\n    {}", self.edge, self.because)
    }
}

/// All dependencies in `metadata` that `table` does not allow.
pub(crate) fn violations(metadata: &Metadata, table: &Table) -> Vec<Violation> {
    let mut found = Vec::new();
    let members: Vec<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    for member in metadata.members() {
        let Some(rule) = table.crates.iter().find(|rule| rule.name == member.name) else {
            found.push(Violation {
                edge: member.name.clone(),
                because:
                    "The crate has no rule: add its allowed dependencies to xtask/src/check_deps/table.rs."
                        .to_owned(),
            });
            continue;
        };
        for dependency in &member.dependencies {
            let because = if members.contains(&dependency.name.as_str()) {
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
                "{} Allowed third-party crates: {}.",
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
    (!home.allowed_in.contains(&member.name.as_str()))
        .then(|| format!("{} Allowed in: {}.", home.because, home.allowed_in.join(", ")))
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
        Some(prefix) => name.starts_with(prefix),
        None => *pattern == name,
    })
}

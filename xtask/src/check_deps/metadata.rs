//! The part of `cargo metadata` that the rules look at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A workspace and everything it is built from.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

/// A package, with its dependencies as its `Cargo.toml` declares them.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a `Cargo.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(deserialize_with = "null_is_normal")]
    pub(crate) kind: Kind,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Part of the crate.
    Normal,
    /// Part of its build script.
    Build,
    /// Only for its tests, examples and benchmarks.
    Dev,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDependency>,
}

#[derive(Debug, Deserialize)]
struct NodeDependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Debug, Deserialize)]
struct DependencyKind {
    #[serde(deserialize_with = "null_is_normal")]
    kind: Kind,
}

/// Cargo writes the normal kind as `null`.
fn null_is_normal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(Kind::Normal))
}

impl Metadata {
    /// Reads the output of `cargo metadata --format-version 1`.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Our own crates.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Every package that is linked into `start`, with a shortest path of names that leads to it.
    pub(crate) fn linked_into<'a>(&'a self, start: &'a Package) -> BTreeMap<&'a str, Vec<&'a str>> {
        let names: BTreeMap<&str, &str> = self
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package.name.as_str()))
            .collect();
        let nodes: BTreeMap<&str, &Node> = self
            .resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect();

        let mut seen = BTreeSet::from([start.id.as_str()]);
        let mut paths = BTreeMap::new();
        let mut frontier = vec![(start.id.as_str(), vec![start.name.as_str()])];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for (id, path) in frontier {
                let linked = nodes
                    .get(id)
                    .into_iter()
                    .flat_map(|node| &node.deps)
                    .filter(|dependency| {
                        dependency
                            .dep_kinds
                            .iter()
                            .any(|dependency| dependency.kind == Kind::Normal)
                    });
                for dependency in linked {
                    let Some(&name) = names.get(dependency.pkg.as_str()) else {
                        continue;
                    };
                    if seen.insert(dependency.pkg.as_str()) {
                        let mut longer = path.clone();
                        longer.push(name);
                        paths.entry(name).or_insert_with(|| longer.clone());
                        next.push((dependency.pkg.as_str(), longer));
                    }
                }
            }
            frontier = next;
        }
        paths
    }
}

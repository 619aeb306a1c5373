//! Output of `cargo metadata`, reduced to what the checks need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A workspace and all its dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    #[serde(default)]
    workspace_root: PathBuf,
    resolve: Resolve,
}

/// A package with the dependencies declared in its `Cargo.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    targets: Vec<CargoTarget>,
}

/// A library, binary, test, example or build script of a package.
#[derive(Debug, Deserialize)]
struct CargoTarget {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Package {
    /// Root files of the package's libraries and binaries.
    pub(crate) fn source_roots(&self) -> impl Iterator<Item = &Path> {
        self.targets
            .iter()
            .filter(|target| {
                target
                    .kind
                    .iter()
                    .any(|kind| matches!(kind.as_str(), "lib" | "rlib" | "proc-macro" | "bin"))
            })
            .map(|target| target.src_path.as_path())
    }
}

/// A declared dependency.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(deserialize_with = "null_is_normal")]
    pub(crate) kind: Kind,
}

/// Kind of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Linked into the crate.
    Normal,
    /// Linked into its build script.
    Build,
    /// Linked into its tests, examples and benchmarks only.
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
    /// Parses the output of `cargo metadata --format-version 1`.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Directory of the workspace.
    pub(crate) fn workspace_root(&self) -> &Path {
        &self.workspace_root
    }

    /// The workspace's own crates.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Names of all packages linked into `start`, each with a shortest path of names from `start`.
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

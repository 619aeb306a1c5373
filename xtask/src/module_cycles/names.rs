//! Resolution of paths to the files that define what they name.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::Module;
use super::paths::Reference;

/// First path by which one file depends on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) line: usize,
    /// The path, as in the source.
    pub(super) text: String,
}

/// Dependencies between files, by the indices of their modules.
pub(super) type Dependencies = BTreeMap<(usize, usize), Dependency>;

/// The dependencies of a crate's files on each other.
pub(super) fn dependencies(modules: &[Module]) -> Dependencies {
    let names = Names { modules };
    let mut found = Dependencies::new();
    for (index, module) in modules.iter().enumerate() {
        let imports = module
            .imports
            .iter()
            .map(|import| (&import.reference, import.glob, import.re_export));
        let references = module
            .references
            .iter()
            .map(|reference| (reference, false, false));
        for (reference, glob, re_export) in imports.chain(references) {
            for target in names.targets(index, reference, glob) {
                if re_export && names.is_below(target, index) {
                    continue;
                }
                add(&mut found, modules, index, target, || Dependency {
                    line: reference.line,
                    text: reference.path.join("::") + if glob { "::*" } else { "" },
                });
            }
        }
    }
    found
}

fn add(
    found: &mut Dependencies,
    modules: &[Module],
    from: usize,
    to: usize,
    dependency: impl FnOnce() -> Dependency,
) {
    let file = |index: usize| modules.get(index).map_or(index, |module| module.file_root);
    if file(from) != file(to) {
        found.entry((file(from), file(to))).or_insert_with(dependency);
    }
}

/// The end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Module(usize),
    /// An item, by the module that defines it.
    Item(usize),
    /// Something of another crate.
    External,
}

/// Imports that are being followed, so that one which leads to itself ends.
type Followed = BTreeSet<(usize, usize)>;

struct Names<'a> {
    modules: &'a [Module],
}

impl Names<'_> {
    /// True if `module` is `ancestor` or one of its descendants.
    fn is_below(&self, module: usize, ancestor: usize) -> bool {
        let mut at = module;
        while at != ancestor {
            match self.modules.get(at) {
                Some(inside) if inside.parent != at => at = inside.parent,
                _ => return false,
            }
        }
        true
    }

    /// Modules that define what `reference` names in module `from`.
    fn targets(&self, from: usize, reference: &Reference, glob: bool) -> Vec<usize> {
        self.resolve(from, &reference.path, &mut Followed::new())
            .into_iter()
            .filter_map(|target| match target {
                Target::Module(module) => glob.then_some(module),
                Target::Item(module) => Some(module),
                Target::External => None,
            })
            .collect()
    }

    fn resolve(&self, from: usize, path: &[String], followed: &mut Followed) -> Vec<Target> {
        let mut module = from;
        let mut segments = path.iter().map(String::as_str).peekable();
        let mut qualified = false;
        while let Some(keyword) = segments.next_if(|segment| matches!(*segment, "crate" | "self" | "super")) {
            qualified = true;
            module = match keyword {
                "crate" => 0,
                "super" => self.modules.get(module).map_or(0, |module| module.parent),
                _ => module,
            };
        }
        while let Some(name) = segments.next() {
            let found = self.lookup(module, name, followed);
            if found.is_empty() {
                // An item that a macro defines, or, without a prefix, the name of another crate.
                return vec![if qualified {
                    Target::Item(module)
                } else {
                    Target::External
                }];
            }
            qualified = true;
            let next = found.iter().find_map(|target| match target {
                Target::Module(module) => Some(*module),
                _ => None,
            });
            match next {
                Some(next) if segments.peek().is_some() => module = next,
                // Further segments name variants or associated items.
                _ => return found,
            }
        }
        vec![Target::Module(module)]
    }

    /// Everything called `name` in `module`: a child, an item and an import may share a name.
    fn lookup(&self, module: usize, name: &str, followed: &mut Followed) -> Vec<Target> {
        let Some(inside) = self.modules.get(module) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        found.extend(inside.children.get(name).map(|child| Target::Module(*child)));
        found.extend(inside.definitions.contains(name).then_some(Target::Item(module)));
        for (index, import) in inside.imports.iter().enumerate() {
            if import.binding.as_deref() == Some(name) && followed.insert((module, index)) {
                let targets = self.resolve(module, &import.reference.path, followed);
                found.extend(targets.into_iter().map(|target| match target {
                    Target::External => Target::Item(module),
                    target => target,
                }));
                followed.remove(&(module, index));
            }
        }
        if found.is_empty() {
            for (index, import) in inside.imports.iter().enumerate() {
                if import.glob && followed.insert((module, index)) {
                    for target in self.resolve(module, &import.reference.path, followed) {
                        if let Target::Module(target) = target {
                            found.extend(self.lookup(target, name, followed));
                        }
                    }
                    followed.remove(&(module, index));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

//! Reads the modules of a crate: what each defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use proc_macro2::{Ident, Span};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Meta, UseTree, Visibility};

use super::paths::{self, Reference};

/// A module of a crate: a file, or an inline module in one.
#[derive(Debug)]
pub(super) struct Module {
    /// Path from the crate's root, such as `routes::call`; `crate` for the root.
    pub(super) name: String,
    /// Index of the parent; the root is its own.
    pub(super) parent: usize,
    /// Index of the module that stands for the file: itself unless it is inline.
    pub(super) file_root: usize,
    /// Source file.
    pub(super) file: PathBuf,
    /// Child modules by name, tests left out.
    pub(super) children: BTreeMap<String, usize>,
    /// Names of the items defined here.
    pub(super) definitions: BTreeSet<String>,
    /// Imports by `use`, including those inside functions.
    pub(super) imports: Vec<Import>,
    /// Paths named in code.
    pub(super) references: Vec<Reference>,
}

/// One leaf of a `use` declaration.
#[derive(Debug)]
pub(super) struct Import {
    /// Name bound by the import; none for globs and for `as _`.
    pub(super) binding: Option<String>,
    /// True for `path::*`.
    pub(super) glob: bool,
    /// True for `pub use`, with any restriction such as `pub(crate)`.
    pub(super) re_export: bool,
    pub(super) reference: Reference,
}

/// All modules of the crate at `root`, the root first.
pub(super) fn modules(
    root: &Path,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> anyhow::Result<Vec<Module>> {
    let text = read(root).with_context(|| format!("{} cannot be read", root.display()))?;
    let mut reader = Reader {
        read,
        modules: Vec::new(),
    };
    let directory = root.parent().unwrap_or(Path::new("")).to_owned();
    reader.file(root, &text, "crate".to_owned(), 0, &directory)?;
    Ok(reader.modules)
}

struct Reader<'a> {
    read: &'a dyn Fn(&Path) -> io::Result<String>,
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// Adds the module in `file`; its children's files are in `directory`.
    fn file(
        &mut self,
        file: &Path,
        text: &str,
        name: String,
        parent: usize,
        directory: &Path,
    ) -> anyhow::Result<usize> {
        let parsed = syn::parse_file(text).map_err(|error| {
            anyhow!(
                "{}:{} cannot be parsed: {error}",
                file.display(),
                error.span().start().line
            )
        })?;
        let index = self.modules.len();
        self.add(file, name, parent, index);
        self.items(index, &parsed.items, directory)?;
        Ok(index)
    }

    fn add(&mut self, file: &Path, name: String, parent: usize, file_root: usize) {
        self.modules.push(Module {
            name,
            parent,
            file_root,
            file: file.to_owned(),
            children: BTreeMap::new(),
            definitions: BTreeSet::new(),
            imports: Vec::new(),
            references: Vec::new(),
        });
    }

    fn items(&mut self, index: usize, items: &[Item], directory: &Path) -> anyhow::Result<()> {
        let mut collector = Collector::default();
        let mut children = BTreeMap::new();
        for item in items.iter().filter(|item| !is_test(item_attributes(item))) {
            if let Item::Mod(declaration) = item {
                let name = declaration.ident.to_string();
                let module = self.child(index, &name, declaration, directory)?;
                children.insert(name, module);
            } else {
                collector
                    .definitions
                    .extend(defined_name(item).map(ToString::to_string));
                collector.visit_item(item);
            }
        }
        if let Some(module) = self.modules.get_mut(index) {
            module.children = children;
            module.definitions = collector.definitions;
            module.imports = collector.imports;
            module.references = collector.references;
        }
        Ok(())
    }

    fn child(
        &mut self,
        parent: usize,
        name: &str,
        declaration: &syn::ItemMod,
        directory: &Path,
    ) -> anyhow::Result<usize> {
        let Some(above) = self.modules.get(parent) else {
            return Err(anyhow!("module {name} has no parent"));
        };
        let (file, file_root) = (above.file.clone(), above.file_root);
        let full_name = match above.name.as_str() {
            "crate" => name.to_owned(),
            parent_name => format!("{parent_name}::{name}"),
        };
        let own_directory = directory.join(name);
        if let Some((_, items)) = &declaration.content {
            let index = self.modules.len();
            self.add(&file, full_name, parent, file_root);
            self.items(index, items, &own_directory)?;
            return Ok(index);
        }
        let candidates = match path_attribute(&declaration.attrs) {
            // Relative to the declaring file; the file's children are beside it.
            Some(path) => {
                let path = file.parent().unwrap_or(Path::new("")).join(path);
                let beside = path.parent().unwrap_or(Path::new("")).to_owned();
                vec![(path, beside)]
            }
            None => vec![
                (directory.join(format!("{name}.rs")), own_directory.clone()),
                (own_directory.join("mod.rs"), own_directory),
            ],
        };
        for (candidate, children_directory) in candidates {
            match (self.read)(&candidate) {
                Ok(text) => return self.file(&candidate, &text, full_name, parent, &children_directory),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(anyhow!("{} cannot be read: {error}", candidate.display())),
            }
        }
        Err(anyhow!("{}: module {name} has no file", file.display()))
    }
}

/// Collects definitions, imports and paths of one module; child modules are left to [`Reader`].
#[derive(Default)]
struct Collector {
    definitions: BTreeSet<String>,
    imports: Vec<Import>,
    references: Vec<Reference>,
}

impl Collector {
    fn import(&mut self, tree: &UseTree, prefix: &[String]) {
        match tree {
            UseTree::Path(path) => {
                let mut longer = prefix.to_vec();
                longer.push(path.ident.to_string());
                self.import(&path.tree, &longer);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix);
                }
            }
            UseTree::Glob(glob) => self.leaf(prefix, None, None, glob.star_token.span),
            UseTree::Name(name) => self.leaf(prefix, Some(&name.ident), Some(&name.ident), name.ident.span()),
            UseTree::Rename(rename) => {
                self.leaf(
                    prefix,
                    Some(&rename.ident),
                    Some(&rename.rename),
                    rename.ident.span(),
                );
            }
        }
    }

    /// Adds an import of `last` from `prefix`; of everything in it if `last` is `None`.
    fn leaf(&mut self, prefix: &[String], last: Option<&Ident>, binding: Option<&Ident>, span: Span) {
        // `a::{self}` imports `a`.
        let is_prefix = !prefix.is_empty() && last.is_some_and(|last| last == "self");
        let mut path = prefix.to_vec();
        if !is_prefix {
            path.extend(last.map(ToString::to_string));
        }
        let binding = match binding {
            Some(name) if is_prefix && name == "self" => prefix.last().cloned(),
            binding => binding.map(ToString::to_string),
        };
        self.imports.push(Import {
            binding: binding.filter(|name| name != "_"),
            glob: last.is_none(),
            re_export: false,
            reference: Reference {
                path,
                line: span.start().line,
            },
        });
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(item_attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Fn(function) => function.attrs.as_slice(),
            ImplItem::Const(constant) => constant.attrs.as_slice(),
            _ => &[],
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, declaration: &'ast ItemUse) {
        if declaration.leading_colon.is_none() {
            let first = self.imports.len();
            self.import(&declaration.tree, &[]);
            let re_export = !matches!(declaration.vis, Visibility::Inherited);
            for import in self.imports.iter_mut().skip(first) {
                import.re_export = re_export;
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.references.push(Reference {
                path: path
                    .segments
                    .iter()
                    .map(|segment| segment.ident.to_string())
                    .collect(),
                line: path
                    .segments
                    .first()
                    .map_or(0, |first| first.ident.span().start().line),
            });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.references.extend(paths::in_tokens(call.tokens.clone()));
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.references.extend(paths::in_tokens(list.tokens.clone()));
        }
    }

    /// `pub(in path)` limits who sees an item; it is no use of the path.
    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}
}

/// True if the item is compiled for tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && matches!(&attribute.meta, Meta::List(list) if requires_test(&list.tokens.to_string())))
    })
}

/// `test`, or `all(…)` with `test` among its conditions.
fn requires_test(condition: &str) -> bool {
    let condition = condition.replace(' ', "");
    condition == "test"
        || condition
            .strip_prefix("all(")
            .and_then(|rest| rest.strip_suffix(')'))
            .is_some_and(|conditions| conditions.split(',').any(|condition| condition == "test"))
}

/// The file that `#[path = "…"]` names.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(path),
                ..
            }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

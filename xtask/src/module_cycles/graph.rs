//! Cycles in the graph of a crate's files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;

use super::names::Dependencies;
use super::parse::Module;

/// A cycle of files: each step's file depends on the next one's, the last on the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle {
    pub(crate) steps: Vec<Step>,
}

/// A module of a cycle, and the place that makes it depend on the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) module: String,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    /// The path, as in the source.
    pub(crate) text: String,
}

impl fmt::Display for Cycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(formatter, "{} -> ", step.module)?;
        }
        formatter.write_str(self.steps.first().map_or("", |step| &step.module))?;
        for step in &self.steps {
            write!(
                formatter,
                "\n    {}:{}: {}",
                step.file.display(),
                step.line,
                step.text
            )?;
        }
        Ok(())
    }
}

/// Cycles that have no dependency in common, shortest first; breaking one dependency of each may reveal more.
pub(super) fn cycles(modules: &[Module], dependencies: &Dependencies) -> Vec<Cycle> {
    let mut edges: BTreeSet<(usize, usize)> = dependencies.keys().copied().collect();
    let mut found = Vec::new();
    while let Some(cycle) = shortest_cycle(&edges) {
        let next = cycle.iter().cycle().skip(1);
        let mut steps = Vec::new();
        for edge in cycle.iter().copied().zip(next.copied()) {
            let (Some(module), Some(dependency)) = (modules.get(edge.0), dependencies.get(&edge)) else {
                continue;
            };
            edges.remove(&edge);
            steps.push(Step {
                module: module.name.clone(),
                file: module.file.clone(),
                line: dependency.line,
                text: dependency.text.clone(),
            });
        }
        found.push(Cycle { steps });
    }
    found
}

/// The nodes of a shortest cycle, in order.
fn shortest_cycle(edges: &BTreeSet<(usize, usize)>) -> Option<Vec<usize>> {
    let starts: BTreeSet<usize> = edges.iter().map(|(from, _)| *from).collect();
    starts
        .into_iter()
        .filter_map(|start| cycle_through(start, edges))
        .min_by_key(Vec::len)
}

/// A shortest cycle through `start`, by breadth-first search.
fn cycle_through(start: usize, edges: &BTreeSet<(usize, usize)>) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for (_, next) in edges.range((node, 0)..=(node, usize::MAX)) {
            if *next == start {
                let mut cycle = vec![node];
                while let Some(previous) = cycle.last().and_then(|node| came_from.get(node)) {
                    cycle.push(*previous);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(*next, node);
                queue.push_back(*next);
            }
        }
    }
    None
}

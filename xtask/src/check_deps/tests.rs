use serde_json::{Value, json};

use super::metadata::Metadata;
use super::rules::{Violation, violations};
use super::table::TABLE;

/// A synthetic workspace; crates that are not members are third-party.
#[derive(Default)]
struct Workspace {
    members: Vec<&'static str>,
    edges: Vec<(&'static str, &'static str, Value)>,
}

impl Workspace {
    fn of(members: &[&'static str]) -> Self {
        Self {
            members: members.to_vec(),
            edges: Vec::new(),
        }
    }

    fn uses(mut self, from: &'static str, to: &'static str) -> Self {
        self.edges.push((from, to, Value::Null));
        self
    }

    fn uses_for(mut self, kind: &str, from: &'static str, to: &'static str) -> Self {
        self.edges.push((from, to, json!(kind)));
        self
    }

    fn violations(&self) -> Vec<Violation> {
        let mut names: Vec<&str> = self.members.clone();
        names.extend(self.edges.iter().flat_map(|(from, to, _)| [*from, *to]));
        names.sort_unstable();
        names.dedup();
        let from = |name: &str| {
            self.edges
                .iter()
                .filter(move |(from, ..)| *from == name)
                .collect::<Vec<_>>()
        };
        let packages: Vec<Value> = names
            .iter()
            .map(|name| {
                let dependencies: Vec<Value> = from(name)
                    .iter()
                    .map(|(_, to, kind)| json!({"name": to, "kind": kind, "req": "*"}))
                    .collect();
                json!({"id": format!("id of {name}"), "name": name, "dependencies": dependencies})
            })
            .collect();
        let nodes: Vec<Value> = names
            .iter()
            .map(|name| {
                let deps: Vec<Value> = from(name)
                    .iter()
                    .map(|(_, to, kind)| json!({"pkg": format!("id of {to}"), "dep_kinds": [{"kind": kind}]}))
                    .collect();
                json!({"id": format!("id of {name}"), "deps": deps})
            })
            .collect();
        let members: Vec<String> = self.members.iter().map(|name| format!("id of {name}")).collect();
        let json = json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}});
        violations(&Metadata::parse(json.to_string().as_bytes()).unwrap(), &TABLE)
    }

    fn edges_found(&self) -> Vec<String> {
        self.violations()
            .into_iter()
            .map(|violation| violation.edge)
            .collect()
    }
}

fn architecture() -> Workspace {
    Workspace::of(&[
        "rapidphoto-domain",
        "rapidphoto-application",
        "rapidphoto-contracts",
        "rapidphoto-memory",
        "rapidphoto-persistence",
        "rapidphoto-imaging",
        "rapidphoto-http",
        "rapidphoto-client",
        "rapidphoto-api-types",
        "rapidphoto-runtime",
        "rapidphoto-testkit",
        "rapidphoto",
        "jpeg-scale",
    ])
}

#[test]
fn the_documented_architecture_is_allowed() {
    let workspace = architecture()
        .uses("rapidphoto-domain", "serde")
        .uses("rapidphoto-application", "rapidphoto-domain")
        .uses("rapidphoto-application", "tokio")
        .uses("rapidphoto-persistence", "rapidphoto-application")
        .uses("rapidphoto-persistence", "diesel")
        .uses_for("dev", "rapidphoto-persistence", "rapidphoto-contracts")
        .uses_for("dev", "rapidphoto-persistence", "rapidphoto-memory")
        .uses("rapidphoto-imaging", "jpeg-scale")
        .uses("rapidphoto-http", "rapidphoto-api-types")
        .uses("rapidphoto-http", "actix-web")
        .uses("rapidphoto-client", "rapidphoto-api-types")
        .uses("rapidphoto-runtime", "rapidphoto-http")
        .uses("rapidphoto-runtime", "rapidphoto-persistence")
        .uses("rapidphoto-testkit", "rapidphoto-runtime")
        .uses("rapidphoto", "rapidphoto-runtime")
        .uses("rapidphoto", "clap");
    assert_eq!(workspace.violations(), []);
}

#[test]
fn domain_uses_no_workspace_crate_and_only_listed_third_party_crates() {
    let workspace = architecture()
        .uses("rapidphoto-domain", "rapidphoto-application")
        .uses("rapidphoto-domain", "bytes")
        .uses_for("build", "rapidphoto-domain", "cc")
        .uses_for("dev", "rapidphoto-domain", "proptest");
    assert_eq!(
        workspace.edges_found(),
        [
            "rapidphoto-domain -> rapidphoto-application",
            "rapidphoto-domain -> bytes",
            "rapidphoto-domain -> cc (build-dependency)",
        ]
    );
}

#[test]
fn an_indirect_async_runtime_in_domain_is_reported_with_its_path() {
    let workspace = architecture()
        .uses("rapidphoto-domain", "uuid")
        .uses("uuid", "wrapper")
        .uses("wrapper", "tokio");
    assert_eq!(
        workspace.edges_found(),
        ["rapidphoto-domain -> uuid -> wrapper -> tokio"]
    );
}

#[test]
fn build_and_dev_dependencies_of_third_party_crates_are_ignored() {
    let workspace = architecture()
        .uses("rapidphoto-domain", "uuid")
        .uses_for("dev", "uuid", "tokio")
        .uses_for("build", "uuid", "rand");
    assert_eq!(workspace.violations(), []);
}

#[test]
fn application_depends_on_domain_only() {
    let workspace = architecture()
        .uses("rapidphoto-application", "rapidphoto-domain")
        .uses("rapidphoto-application", "rapidphoto-persistence")
        .uses("rapidphoto-application", "rapidphoto-memory");
    assert_eq!(
        workspace.edges_found(),
        [
            "rapidphoto-application -> rapidphoto-persistence",
            "rapidphoto-application -> rapidphoto-memory"
        ]
    );
}

#[test]
fn a_web_crate_in_application_violates_two_rules() {
    let workspace = architecture().uses("rapidphoto-application", "actix-web");
    assert_eq!(
        workspace.edges_found(),
        [
            "rapidphoto-application -> actix-web",
            "rapidphoto-application -> actix-web"
        ]
    );
}

#[test]
fn an_adapter_never_depends_on_another() {
    let workspace = architecture()
        .uses("rapidphoto-http", "rapidphoto-persistence")
        .uses("rapidphoto-persistence", "rapidphoto-memory")
        .uses_for("dev", "rapidphoto-imaging", "rapidphoto-persistence");
    assert_eq!(
        workspace.edges_found(),
        [
            "rapidphoto-http -> rapidphoto-persistence",
            "rapidphoto-imaging -> rapidphoto-persistence (dev-dependency)",
            "rapidphoto-persistence -> rapidphoto-memory",
        ]
    );
    let found = workspace.violations();
    assert!(
        found
            .iter()
            .all(|violation| violation.because.contains("never on another adapter"))
    );
}

#[test]
fn contracts_are_for_tests_only() {
    let workspace = architecture()
        .uses("rapidphoto-memory", "rapidphoto-contracts")
        .uses_for("dev", "rapidphoto-memory", "rapidphoto-contracts")
        .uses("rapidphoto-runtime", "rapidphoto-contracts");
    assert_eq!(
        workspace.edges_found(),
        [
            "rapidphoto-memory -> rapidphoto-contracts",
            "rapidphoto-runtime -> rapidphoto-contracts"
        ]
    );
}

#[test]
fn a_binary_uses_only_runtime() {
    let workspace = architecture()
        .uses("rapidphoto", "rapidphoto-http")
        .uses("rapidphoto", "serde_json")
        .uses_for("dev", "rapidphoto", "rapidphoto-testkit");
    assert_eq!(
        workspace.edges_found(),
        ["rapidphoto -> rapidphoto-http", "rapidphoto -> serde_json"]
    );
}

#[test]
fn a_technology_is_limited_to_its_crate_except_in_tests() {
    let workspace = architecture()
        .uses("rapidphoto-runtime", "diesel_migrations")
        .uses("rapidphoto-runtime", "aws-sdk-s3")
        .uses("rapidphoto-http", "jsonwebtoken")
        .uses_for("dev", "rapidphoto-persistence", "aws-sdk-s3");
    assert_eq!(
        workspace.edges_found(),
        [
            "rapidphoto-http -> jsonwebtoken",
            "rapidphoto-runtime -> diesel_migrations",
            "rapidphoto-runtime -> aws-sdk-s3",
        ]
    );
    let message = workspace.violations().first().unwrap().to_string();
    assert_eq!(
        message,
        "  rapidphoto-http -> jsonwebtoken\n    Passwords and tokens are created and verified in one place. Allowed in: rapidphoto-credentials."
    );
}

#[test]
fn a_crate_without_a_rule_is_a_violation() {
    let found = Workspace::of(&["rapidphoto-gossip"]).violations();
    assert_eq!(found.len(), 1);
    let message = found.first().unwrap().to_string();
    assert!(
        message.contains("rapidphoto-gossip") && message.contains("add its allowed dependencies"),
        "{message}"
    );
}

#[test]
fn the_metadata_of_this_workspace_can_be_parsed() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata = Metadata::parse(&output.stdout).unwrap();
    let domain = metadata
        .members()
        .find(|member| member.name == "rapidphoto-domain")
        .unwrap();
    let linked = metadata.linked_into(domain);
    assert_eq!(linked.get("serde").unwrap(), &["rapidphoto-domain", "serde"]);
    assert!(!linked.contains_key("tokio"), "{linked:?}");
}

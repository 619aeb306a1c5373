use std::{fs, path::Path};

use rapidphoto_domain::photo::{Check, FailureReason};
use rapidphoto_http::endpoints;
use serde_json::Value;

use crate::{samples::operations, server::TestServer};

fn document() -> Value {
    serde_json::to_value(rapidphoto_http::openapi()).unwrap()
}

#[test]
fn the_committed_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let current = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &current).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/openapi.json is not up to date. Review the change and run:\n\n    \
         UPDATE_OPENAPI=1 cargo test -p rapidphoto-http --test http openapi\n"
    );
}

#[tokio::test]
async fn the_document_and_its_page_are_served_without_external_files() {
    let app = TestServer::start().await;
    assert_eq!(
        app.get("/openapi.json").expect_status(200).await.json(),
        document()
    );
    let page = app.get("/docs/").expect_status(200).await;
    assert!(page.text().contains("swagger-ui"));
    assert!(page.text().contains("<title>RapidPhotoUpload API</title>"));
    let redirected = app.get("/docs").expect_status(200).await;
    assert_eq!(redirected.body, page.body);
    let start = app
        .get("/docs/swagger-initializer.js")
        .expect_status(200)
        .await
        .text();
    assert!(start.contains("/openapi.json"), "{start}");
    for text in [page.text(), start] {
        assert!(!text.contains("https://") && !text.contains("http://"), "{text}");
    }
    for file in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
    ] {
        assert!(page.text().contains(file));
        app.get(&format!("/docs/{file}")).expect_status(200).await;
    }
}

#[test]
fn every_reason_is_described_and_measured_as_number_or_text() {
    let document = document();
    let reason = &document["components"]["schemas"]["Reason"];
    let description = reason["description"].as_str().unwrap();
    let checks = Check::ALL.map(Check::code);
    for code in checks.iter().chain(&FailureReason::ALL.map(FailureReason::code)) {
        assert!(description.contains(&format!("| `{code}` |")), "{code}");
    }
    for member in ["measured", "allowed"] {
        let schema = reason["properties"][member].to_string();
        assert!(schema.contains("#/components/schemas/MeasuredValue"), "{schema}");
    }
    let value = document["components"]["schemas"]["MeasuredValue"].to_string();
    for kind in ["number", "string"] {
        assert!(value.contains(&format!("\"type\":\"{kind}\"")), "{value}");
    }
}

#[test]
fn the_flow_comes_first_and_the_codes_of_problems_last() {
    let document = document();
    let introduction = document["info"]["description"].as_str().unwrap();
    assert!(introduction.find("upload-jobs").unwrap() < introduction.find("RFC 9457").unwrap());
    assert!(introduction.contains("412 is success"));
    assert!(!introduction.contains("| `rate_limited` |"));
    let problem = document["components"]["schemas"]["Problem"]["description"].as_str();
    assert!(problem.unwrap().contains("| `rate_limited` |"));
}

#[tokio::test]
async fn every_operation_is_routed_and_documents_its_problems() {
    let app = TestServer::start().await;
    let document = document();
    let operations = operations(&document);
    for (method, path, operation) in &operations {
        let name = format!("{method} {path}");
        let responses = &operation["responses"];
        assert!(responses["500"].is_object(), "{name} documents no problems");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
        for response in responses.as_object().unwrap().values() {
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name}");
        }
        if operation["security"]
            .as_array()
            .is_some_and(|schemes| schemes.iter().any(|scheme| scheme["bearer"].is_array()))
        {
            assert!(
                responses["401"].is_object() && responses["403"].is_object(),
                "{name}"
            );
        }
        // An operation without a route would get 404 or 405.
        let path = path.replace(['{', '}'], "x");
        let response = app.request(method.parse().unwrap(), &path).open().await;
        let text = response.text().await.unwrap();
        assert!(
            !text.contains("no_such_route") && !text.contains("method_not_allowed"),
            "{name}"
        );
    }
    assert_eq!(operations.len(), 34);
    assert_eq!(operations.len(), endpoints().len());
}

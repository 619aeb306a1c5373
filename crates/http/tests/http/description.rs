use std::{fs, path::Path};

use serde_json::Value;

use crate::app::TestApp;

fn document() -> Value {
    serde_json::to_value(rapidphoto_http::openapi()).unwrap()
}

#[test]
fn the_committed_description_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == now,
        "docs/openapi.json is not what the program serves. Look at what has changed, and then:\n\n    \
         UPDATE_OPENAPI=1 cargo test -p rapidphoto-http --test http description\n"
    );
}

#[tokio::test]
async fn the_description_is_served_with_a_page_that_needs_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/openapi.json").sent(200).await.json(), document());
    let page = app.get("/docs/").sent(200).await;
    assert!(page.text().contains("swagger-ui"));
    let redirected = app.get("/docs").sent(200).await;
    assert_eq!(redirected.body, page.body);
    let start = app.get("/docs/swagger-initializer.js").sent(200).await.text();
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
        app.get(&format!("/docs/{file}")).sent(200).await;
    }
}

#[tokio::test]
async fn every_operation_is_there_and_says_how_it_fails() {
    let app = TestApp::start().await;
    let document = document();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let name = format!("{method} {path}");
            let responses = &operation["responses"];
            assert!(
                responses["500"].is_object(),
                "{name} is missing in openapi/refusals.rs"
            );
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
            for response in responses.as_object().unwrap().values() {
                assert!(response["headers"]["X-Request-Id"].is_object(), "{name}");
            }
            if operation["security"]
                .as_array()
                .is_some_and(|schemes| schemes[0]["bearer"].is_array())
            {
                assert!(
                    responses["401"].is_object() && responses["403"].is_object(),
                    "{name}"
                );
            }
            // Routed, with this method: what is not would be 404 or 405.
            let method = method.to_uppercase().parse().unwrap();
            let response = app.ask(method, &path.replace(['{', '}'], "x")).open().await;
            let text = response.text().await.unwrap();
            assert!(
                !text.contains("no_such_route") && !text.contains("method_not_allowed"),
                "{name}"
            );
        }
    }
    assert_eq!(operations, 20);
}

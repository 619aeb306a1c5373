use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;

/// Request under construction.
pub(crate) struct TestRequest<'a> {
    request: RequestBuilder,
    method: Method,
    path: String,
    documented: &'a Documented,
}

/// Complete response. Sending has checked the headers and members that all responses must have.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

impl<'a> TestRequest<'a> {
    pub(crate) fn new(
        request: RequestBuilder,
        method: Method,
        path: &str,
        documented: &'a Documented,
    ) -> Self {
        Self {
            request,
            method,
            path: path.to_owned(),
            documented,
        }
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn basic(mut self, user: &str, password: &str) -> Self {
        self.request = self.request.basic_auth(user, Some(password));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Raw body with the content type of JSON.
    pub(crate) fn raw(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self
            .request
            .header("content-type", "application/json")
            .body(body.into());
        self
    }

    /// Raw body without a content type.
    pub(crate) fn untyped(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Sends the request and returns as soon as the head of the response has arrived.
    pub(crate) async fn open(self) -> reqwest::Response {
        self.request.send().await.unwrap()
    }

    pub(crate) async fn send(self) -> TestResponse {
        let Self {
            request,
            method,
            path,
            documented,
        } = self;
        let response = request.send().await.unwrap();
        let response = TestResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap(),
        };
        assert_eq!(response.header("x-content-type-options"), "nosniff", "{path}");
        assert!(response.has("x-request-id"), "{path}");
        assert!(response.has("cache-control"), "{path}");
        let failed = response.status >= 400 && !path.starts_with("/readyz");
        if failed && method != Method::HEAD {
            response.check_problem();
            documented.check(&method, &path, &response);
        }
        response
    }

    /// Sends the request and asserts the status of the response.
    pub(crate) async fn expect_status(self, status: u16) -> TestResponse {
        let name = format!("{} {}", self.method, self.path);
        let response = self.send().await;
        assert_eq!(response.status, status, "{name}: {}", response.text());
        response
    }

    /// Sends the request and asserts that the response is this problem.
    pub(crate) async fn expect_problem(self, status: u16, code: &str) -> Value {
        let name = format!("{} {}", self.method, self.path);
        let problem = self.expect_status(status).await.parsed();
        assert_eq!(problem["code"], code, "{name}: {problem}");
        problem
    }
}

impl TestResponse {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/json",
            "a problem otherwise"
        );
        self.parsed()
    }

    fn parsed(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn problem_code(&self) -> String {
        self.parsed()["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().unwrap();
        self.headers
            .get(&name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Checks the members and headers of a problem (RFC 9457 and the API's own rules).
    fn check_problem(&self) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        assert_eq!(self.header("cache-control"), "no-store");
        let problem = self.parsed();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["requestId"], self.header("x-request-id"));
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.len() > 10),
            "{problem}"
        );
        match self.status {
            401 => assert!(self.has("www-authenticate"), "{problem}"),
            405 => assert!(self.has("allow"), "{problem}"),
            429 | 503 => {
                let wait: u64 = self.header("retry-after").parse().unwrap();
                let longest = if problem["code"] == "photos_per_day_exceeded" {
                    86_400
                } else {
                    60
                };
                assert!((1..=longest).contains(&wait), "{problem}");
            }
            _ => {}
        }
    }
}

/// OpenAPI document of the server. An undocumented problem fails the test.
pub(crate) struct Documented(Value);

impl Documented {
    pub(crate) fn read() -> Self {
        Self(serde_json::to_value(rapidphoto_http::openapi()).unwrap())
    }

    fn check(&self, method: &Method, path: &str, response: &TestResponse) {
        let path = path.split('?').next().unwrap_or_default();
        let paths = self.0["paths"].as_object().unwrap();
        // A literal segment takes precedence over a parameter, as in the router.
        let found = paths
            .iter()
            .filter(|(template, _)| matches(template, path))
            .min_by_key(|(template, _)| template.matches('{').count());
        let Some(operation) = found.and_then(|(_, item)| item.get(method.as_str().to_lowercase())) else {
            return;
        };
        let code = response.parsed()["code"].as_str().unwrap().to_owned();
        let description = &operation["responses"][response.status.to_string()]["description"];
        let is_documented = description
            .as_str()
            .unwrap_or_default()
            .contains(&format!("`{code}`"));
        assert!(
            is_documented,
            "{method} {path}: {} `{code}` is not documented: {description}",
            response.status
        );
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(expected, given)| (expected.starts_with('{') && !given.is_empty()) || *expected == given)
}

use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;

/// A request that is being put together.
pub(crate) struct Ask<'a> {
    request: RequestBuilder,
    method: Method,
    path: String,
    documented: &'a Documented,
}

/// An answer, which was checked for what every answer must have.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

impl<'a> Ask<'a> {
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

    /// A body as it is, called JSON.
    pub(crate) fn raw(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self
            .request
            .header("content-type", "application/json")
            .body(body.into());
        self
    }

    /// A body without a type.
    pub(crate) fn untyped(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Sends, and gives the answer once its head is there.
    pub(crate) async fn open(self) -> reqwest::Response {
        self.request.send().await.unwrap()
    }

    pub(crate) async fn send(self) -> Answer {
        let Self {
            request,
            method,
            path,
            documented,
        } = self;
        let response = request.send().await.unwrap();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap(),
        };
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.has("x-request-id"), "{path}");
        assert!(answer.has("cache-control"), "{path}");
        let failed = answer.status >= 400 && !path.starts_with("/readyz");
        if failed && method != Method::HEAD {
            answer.check_problem();
            documented.check(&method, &path, &answer);
        }
        answer
    }

    /// Sends, and expects this status.
    pub(crate) async fn sent(self, status: u16) -> Answer {
        let what = format!("{} {}", self.method, self.path);
        let answer = self.send().await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        answer
    }

    /// Sends, and expects this problem.
    pub(crate) async fn refused(self, status: u16, code: &str) -> Value {
        let what = format!("{} {}", self.method, self.path);
        let problem = self.sent(status).await.parsed();
        assert_eq!(problem["code"], code, "{what}: {problem}");
        problem
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "or a problem");
        self.parsed()
    }

    fn parsed(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.text()))
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

    /// What every problem has (RFC 9457, and what we promise beyond).
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
                assert!((1..=60).contains(&wait), "{problem}");
            }
            _ => {}
        }
    }
}

/// The description that is served: an answer that it does not foresee is an error.
pub(crate) struct Documented(Value);

impl Documented {
    pub(crate) fn read() -> Self {
        Self(serde_json::to_value(rapidphoto_http::openapi()).unwrap())
    }

    fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap_or_default();
        let paths = self.0["paths"].as_object().unwrap();
        // What is spelt out goes before what is left open, as in the router.
        let found = paths
            .iter()
            .filter(|(template, _)| fits(template, path))
            .min_by_key(|(template, _)| template.matches('{').count());
        let Some(operation) = found.and_then(|(_, item)| item.get(method.as_str().to_lowercase())) else {
            return;
        };
        let code = answer.parsed()["code"].as_str().unwrap().to_owned();
        let described = &operation["responses"][answer.status.to_string()]["description"];
        let said = described
            .as_str()
            .unwrap_or_default()
            .contains(&format!("`{code}`"));
        assert!(
            said,
            "{method} {path}: {} `{code}` is not documented: {described}",
            answer.status
        );
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(wanted, given)| (wanted.starts_with('{') && !given.is_empty()) || *wanted == given)
}

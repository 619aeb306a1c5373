//! The proxies' configurations in `deploy/`, with the proxies themselves in front of a server.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use bytes::Bytes;
use rapidphoto_client::types::{CreateJobResponse, FileRequest, JobItem, Photo, Tokens};
use rapidphoto_testkit::{PASSWORD, Server};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client, Method, RequestBuilder, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use crate::fixtures::{DataDir, jpeg, photo};

/// Names of the API and the storage in the configurations.
const API: &str = "photos.example.org";
const STORAGE: &str = "storage.example.org";
/// Address that the client connects from, and one that it claims to have.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 7);
const FORGED: &str = "203.0.113.9";

/// Addresses of a proxy and of the server behind it: free ports of a loopback address that no other test uses.
#[derive(Clone, Copy)]
struct Addresses {
    proxy: SocketAddr,
    api: SocketAddr,
    storage: SocketAddr,
}

impl Addresses {
    fn free(host: Ipv4Addr) -> Self {
        let sockets = [(); 3].map(|()| TcpListener::bind((host, 0)).unwrap());
        let [proxy, api, storage] = sockets.map(|socket| socket.local_addr().unwrap());
        Self { proxy, api, storage }
    }

    fn url(&self, name: &str) -> String {
        format!("https://{name}:{}", self.proxy.port())
    }
}

/// A server behind a proxy.
struct Proxied {
    addresses: Addresses,
    server: Server,
    client: Client,
    _proxy: Child,
    _data_dir: DataDir,
    _files: TempDir,
}

/// Text of a file below `deploy`, with every `from` replaced, all of which occur in it.
fn configuration(file: &str, replacements: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(file);
    let text = fs::read_to_string(path).unwrap();
    replacements.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{file} does not contain {from:?}");
        text.replace(from, to)
    })
}

fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Distributions install servers where the path of other users does not lead.
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{program} is required; scripts/test installs it"))
}

impl Proxied {
    /// Starts a server, and in front of it the proxy whose command `configure` returns.
    async fn start(host: Ipv4Addr, configure: impl FnOnce(&Path, Addresses) -> Command) -> Self {
        let (data_dir, files) = (DataDir::new(), tempfile::tempdir().unwrap());
        let addresses = Addresses::free(host);
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([API.to_owned(), STORAGE.to_owned()]).unwrap();
        fs::write(files.path().join("fullchain.pem"), cert.pem()).unwrap();
        fs::write(files.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        let options = DataDir::options()
            .listening_on(addresses.api, addresses.storage)
            .with("RAPIDPHOTO_SERVER__PUBLIC_URL", addresses.url(API))
            .with("RAPIDPHOTO_STORAGE__PUBLIC_URL", addresses.url(STORAGE))
            .with("RAPIDPHOTO_SERVER__BEHIND_TLS_PROXY", "true")
            .with("RAPIDPHOTO_SERVER__TRUSTED_PROXIES", "[\"127.0.0.1/32\"]");
        let server = data_dir.serve(&options).await;
        let log = files.path().join("proxy.log");
        let mut proxy = configure(files.path(), addresses)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let listening = async {
            while TcpStream::connect(addresses.proxy).await.is_err() {
                let status = proxy.try_wait().unwrap();
                assert!(
                    status.is_none(),
                    "{status:?}\n{}",
                    fs::read_to_string(&log).unwrap()
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), listening)
            .await
            .unwrap();
        let client = Client::builder()
            .local_address(std::net::IpAddr::from(CLIENT))
            .resolve(API, addresses.proxy)
            .resolve(STORAGE, addresses.proxy)
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(cert.pem().as_bytes()).unwrap()])
            .read_timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self {
            addresses,
            server,
            client,
            _proxy: proxy,
            _data_dir: data_dir,
            _files: files,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.addresses.url(API));
        self.client.request(method, url).header("X-Forwarded-For", FORGED)
    }

    /// Registers and logs in.
    async fn log_in(&self) -> String {
        let credentials = json!({ "email": "ada@example.org", "password": PASSWORD });
        for command in ["register", "login"] {
            let request = self.request(Method::POST, &format!("/commands/auth/{command}"));
            let response = request.json(&credentials).send().await.unwrap();
            assert!(response.status().is_success(), "{response:?}");
            if command == "login" {
                return response.json::<Tokens>().await.unwrap().access_token;
            }
        }
        unreachable!()
    }

    async fn declare(&self, token: &str, files: &[FileRequest]) -> (String, Vec<JobItem>) {
        let request = self
            .request(Method::POST, "/commands/upload-jobs")
            .bearer_auth(token);
        let response = request.json(&json!({ "files": files })).send().await.unwrap();
        let CreateJobResponse { job_id, items } = response.json().await.unwrap();
        (job_id.unwrap(), items)
    }

    fn put(&self, item: &JobItem, bytes: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.client.put(item.presigned_url.as_ref().unwrap());
        let request = item.headers.iter().fold(request, |request, (name, value)| {
            // Set from the body.
            if name.eq_ignore_ascii_case("content-length") {
                request
            } else {
                request.header(name, value)
            }
        });
        request.body(bytes)
    }

    /// Uploads a photo, watches its job, and downloads a thumbnail. The stream's first event arrives before the upload begins.
    async fn complete_a_job(&self, token: &str) {
        let bytes = photo(1);
        let (job_id, items) = self.declare(token, &[jpeg(&bytes)]).await;
        let path = format!("/queries/upload-jobs/{job_id}/events");
        let mut stream = self
            .request(Method::GET, &path)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(stream.status(), StatusCode::OK);
        let mut received = String::new();
        let mut uploaded = false;
        while let Some(chunk) = stream.chunk().await.unwrap() {
            received.push_str(std::str::from_utf8(&chunk).unwrap());
            if received.contains("event: snapshot") && !uploaded {
                let response = self.put(&items[0], bytes.clone()).send().await.unwrap();
                assert_eq!(response.status(), StatusCode::OK, "{:?}", response.text().await);
                uploaded = true;
            }
        }
        assert!(uploaded && received.contains("COMPLETED"), "{received}");
        assert!(received.contains("event: end"), "{received}");

        let path = format!("/queries/photos/{}", items[0].photo_id);
        let response = self
            .request(Method::GET, &path)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        let photo: Photo = response.json().await.unwrap();
        let thumbnail = &photo.thumbnails[0];
        assert!(
            thumbnail.url.starts_with(&self.addresses.url(STORAGE)),
            "{}",
            thumbnail.url
        );
        let fetched = self.client.get(&thumbnail.url).send().await.unwrap();
        assert_eq!(fetched.status(), StatusCode::OK);
        assert!(fetched.bytes().await.unwrap().starts_with(&[0xff, 0xd8, 0xff]));
    }

    /// Sends a command of 2 MB, and an object larger than the storage takes and than its URL is signed for.
    async fn send_too_much(&self, token: &str, refusal_of_object: StatusCode) {
        let request = self
            .request(Method::POST, "/commands/upload-jobs")
            .bearer_auth(token);
        let response = request
            .json(&json!({ "files": "x".repeat(2_000_000) }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let (_, items) = self.declare(token, &[jpeg(&photo(2))]).await;
        let object = Bytes::from(vec![0; 101 << 20]);
        let response = self.put(&items[0], object).send().await.unwrap();
        assert_eq!(response.status(), refusal_of_object);
    }

    async fn does_its_work(&self, refusal_of_object: StatusCode) {
        let token = self.log_in().await;
        self.complete_a_job(&token).await;
        self.send_too_much(&token, refusal_of_object).await;
        let response = self.request(Method::GET, "/metrics").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let log = self.server.log();
        assert!(
            log.contains(&CLIENT.to_string()),
            "the client's address is known\n{log}"
        );
        assert!(!log.contains(FORGED), "a client can't claim an address\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_work_through_nginx() {
    let proxied = Proxied::start(Ipv4Addr::new(127, 0, 2, 1), |dir, addresses| {
        let site = configuration(
            "nginx/rapidphoto.conf",
            &[
                ("listen 443 ssl", format!("listen {} ssl", addresses.proxy)),
                ("listen [::]:443 ssl http2;", String::new()),
                ("127.0.0.1:8080", addresses.api.to_string()),
                ("127.0.0.1:9000", addresses.storage.to_string()),
                ("/etc/ssl/rapidphoto", dir.display().to_string()),
            ],
        );
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", dir.display()))
            .concat();
        // One process, which ends with the test.
        let main = format!(
            "daemon off;\nmaster_process off;\npid {}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{site}\n}}\n",
            dir.display()
        );
        fs::write(dir.join("nginx.conf"), main).unwrap();
        let mut nginx = Command::new(find("nginx"));
        nginx.args(["-e", "stderr", "-p"]).arg(dir).arg("-c").arg(dir.join("nginx.conf"));
        nginx
    })
    .await;
    proxied.does_its_work(StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_work_through_caddy() {
    let proxied = Proxied::start(Ipv4Addr::new(127, 0, 2, 2), |dir, addresses| {
        let tls = format!("tls {0}/fullchain.pem {0}/key.pem", dir.display());
        let site = |name: &str| format!("{name}:{} {{\n{tls}", addresses.proxy.port());
        let sites = configuration(
            "caddy/Caddyfile",
            &[
                ("photos.example.org {", site(API)),
                ("storage.example.org {", site(STORAGE)),
                ("127.0.0.1:8080", addresses.api.to_string()),
                ("127.0.0.1:9000", addresses.storage.to_string()),
            ],
        );
        let global = format!(
            "{{\nadmin off\nauto_https disable_redirects\ndefault_bind {}\n}}\n",
            addresses.proxy.ip()
        );
        fs::write(dir.join("Caddyfile"), global + &sites).unwrap();
        let mut caddy = Command::new(find("caddy"));
        caddy
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(dir.join("Caddyfile"))
            .env("XDG_DATA_HOME", dir)
            .env("XDG_CONFIG_HOME", dir);
        caddy
    })
    .await;
    // Caddy passes it on, and the server's signature covers the length.
    proxied.does_its_work(StatusCode::FORBIDDEN).await;
}

//! Which crate may depend on which, and why. The invariants are those of docs/ARCHITECTURE.md.

use super::rules::{Absence, CrateRule, Home, Table, ThirdParty};

/// The rules of this workspace.
pub(crate) static TABLE: Table = Table {
    crates: CRATES,
    homes: HOMES,
    absences: ABSENCES,
};

const DOMAIN: &str = "rapidphoto-domain";
const APPLICATION: &str = "rapidphoto-application";
const CONTRACTS: &str = "rapidphoto-contracts";
const MEMORY: &str = "rapidphoto-memory";
const PERSISTENCE: &str = "rapidphoto-persistence";
const STORAGE_S3: &str = "rapidphoto-storage-s3";
const STORAGE_EMBEDDED: &str = "rapidphoto-storage-embedded";
const CREDENTIALS: &str = "rapidphoto-credentials";
const IMAGING: &str = "rapidphoto-imaging";
const JPEG_SCALE: &str = "jpeg-scale";
const SAMPLE_PHOTOS: &str = "rapidphoto-sample-photos";
const API_TYPES: &str = "rapidphoto-api-types";
const HTTP: &str = "rapidphoto-http";
const TELEMETRY: &str = "rapidphoto-telemetry";
const RUNTIME: &str = "rapidphoto-runtime";
const CLIENT: &str = "rapidphoto-client";
const TESTKIT: &str = "rapidphoto-testkit";
const RAPIDPHOTO: &str = "rapidphoto";
const BENCH_THUMBNAILS: &str = "bench-thumbnails";
const XTASK: &str = "xtask";

const CORE: &[&str] = &[APPLICATION, DOMAIN];
const TEST_CRATES: &[&str] = &[CONTRACTS, MEMORY, SAMPLE_PHOTOS, TESTKIT];
/// What only serves tests (`contracts`, `testkit`) is left out: it must never be linked into a server.
const SERVER_CRATES: &[&str] = &[
    DOMAIN,
    APPLICATION,
    MEMORY,
    PERSISTENCE,
    STORAGE_S3,
    STORAGE_EMBEDDED,
    CREDENTIALS,
    IMAGING,
    JPEG_SCALE,
    SAMPLE_PHOTOS,
    API_TYPES,
    HTTP,
    TELEMETRY,
    CLIENT,
];

const ADAPTER: &str = "An adapter depends on application and domain, never on another adapter.";
const LEAF: &str = "It depends on no other crate of the workspace.";
const BINARY: &str = "A binary parses arguments and calls runtime, nothing else.";

const fn adapter(name: &'static str) -> CrateRule {
    CrateRule {
        name,
        uses: CORE,
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: ADAPTER,
    }
}

const CRATES: &[CrateRule] = &[
    CrateRule {
        name: DOMAIN,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Only(&[
            "chrono",
            "hex",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "ulid",
            "unicode-normalization",
            "uuid",
        ]),
        because: "domain is values, states and decisions: no other crate of ours, no runtime, database or web crate.",
    },
    CrateRule {
        name: APPLICATION,
        uses: &[DOMAIN],
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: "application depends on domain alone; the outside reaches it through its ports.",
    },
    CrateRule {
        name: CONTRACTS,
        uses: CORE,
        tests_use: &[MEMORY],
        third_party: ThirdParty::Any,
        because: "contracts speak of ports and domain words only, so that every adapter can run them.",
    },
    adapter(MEMORY),
    adapter(PERSISTENCE),
    adapter(STORAGE_S3),
    adapter(STORAGE_EMBEDDED),
    adapter(CREDENTIALS),
    adapter(TELEMETRY),
    CrateRule {
        name: IMAGING,
        uses: &[APPLICATION, DOMAIN, JPEG_SCALE],
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: "An adapter depends on application and domain, never on another adapter; imaging may use jpeg-scale.",
    },
    CrateRule {
        name: HTTP,
        uses: &[APPLICATION, DOMAIN, API_TYPES],
        tests_use: &[CONTRACTS, MEMORY, SAMPLE_PHOTOS, TESTKIT, CLIENT],
        third_party: ThirdParty::Any,
        because: "An adapter depends on application and domain, never on another adapter; http shares api-types with client.",
    },
    CrateRule {
        name: CLIENT,
        uses: &[API_TYPES],
        tests_use: &[SAMPLE_PHOTOS, TESTKIT],
        third_party: ThirdParty::Any,
        because: "client knows the server by its wire types alone.",
    },
    CrateRule {
        name: API_TYPES,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Only(&["chrono", "serde", "serde_json", "utoipa"]),
        because: "api-types is what travels between http and client: plain data that neither side's machinery is part of.",
    },
    CrateRule {
        name: JPEG_SCALE,
        uses: &[],
        tests_use: &[SAMPLE_PHOTOS],
        third_party: ThirdParty::Any,
        because: LEAF,
    },
    CrateRule {
        name: SAMPLE_PHOTOS,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: LEAF,
    },
    CrateRule {
        name: RUNTIME,
        uses: SERVER_CRATES,
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: "runtime composes the server; what only serves tests is not part of it.",
    },
    CrateRule {
        name: TESTKIT,
        uses: &[
            DOMAIN,
            APPLICATION,
            CONTRACTS,
            MEMORY,
            PERSISTENCE,
            STORAGE_S3,
            STORAGE_EMBEDDED,
            CREDENTIALS,
            IMAGING,
            JPEG_SCALE,
            SAMPLE_PHOTOS,
            API_TYPES,
            HTTP,
            TELEMETRY,
            CLIENT,
            RUNTIME,
        ],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: "testkit runs the whole app for tests; it does not know the binaries.",
    },
    CrateRule {
        name: RAPIDPHOTO,
        uses: &[RUNTIME],
        tests_use: &[API_TYPES, CLIENT, SAMPLE_PHOTOS, TESTKIT],
        third_party: ThirdParty::Only(&["anyhow", "clap", "tokio"]),
        because: BINARY,
    },
    CrateRule {
        name: BENCH_THUMBNAILS,
        uses: &[APPLICATION, IMAGING],
        tests_use: &[SAMPLE_PHOTOS],
        third_party: ThirdParty::Any,
        because: "It measures imaging as the worker calls it, and nothing else.",
    },
    CrateRule {
        name: XTASK,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: LEAF,
    },
];

const HOMES: &[Home] = &[
    Home {
        crates: &[
            "diesel",
            "diesel-*",
            "diesel_*",
            "libsqlite3-sys",
            "rusqlite",
            "sqlx",
            "tokio-postgres",
        ],
        live_in: &[PERSISTENCE],
        because: "One adapter speaks to databases.",
    },
    Home {
        crates: &["actix-*", "axum", "governor", "utoipa-swagger-ui"],
        live_in: &[HTTP],
        because: "One adapter serves the API.",
    },
    Home {
        crates: &["utoipa"],
        live_in: &[HTTP, API_TYPES],
        because: "Only what the API shows is described for it.",
    },
    Home {
        crates: &["aws-*"],
        live_in: &[STORAGE_S3],
        because: "One adapter speaks to an object store; its SDK is the slowest of our dependencies to build.",
    },
    Home {
        crates: &["s3s", "s3s-*"],
        live_in: &[STORAGE_EMBEDDED],
        because: "One adapter is an object store.",
    },
    Home {
        crates: &["argon2", "jsonwebtoken"],
        live_in: &[CREDENTIALS],
        because: "Passwords and tokens are made and checked in one place.",
    },
    Home {
        crates: &["reqwest"],
        live_in: &[CLIENT],
        because: "One crate is a client of HTTP.",
    },
    Home {
        crates: &[
            "gif",
            "image",
            "image-*",
            "jpeg-decoder",
            "kamadak-exif",
            "moxcms",
            "png",
            "tiff",
            "webpx",
        ],
        live_in: &[IMAGING],
        because: "Pictures from outside are parsed in one place, with its limits.",
    },
    Home {
        crates: &["jpeg-encoder"],
        live_in: &[IMAGING, SAMPLE_PHOTOS],
        because: "Pictures are written where thumbnails and samples are made.",
    },
    Home {
        crates: &[
            "metrics-exporter-prometheus",
            "opentelemetry-otlp",
            "opentelemetry_sdk",
            "tracing-subscriber",
        ],
        live_in: &[TELEMETRY],
        because: "Others record; where records go is telemetry's business.",
    },
    Home {
        crates: &["figment"],
        live_in: &[RUNTIME],
        because: "Configuration is read once, in runtime.",
    },
    Home {
        crates: &["anyhow"],
        live_in: &[RUNTIME, TESTKIT, RAPIDPHOTO, BENCH_THUMBNAILS, XTASK],
        because: "A library's errors have types that a caller can act on.",
    },
];

const ABSENCES: &[Absence] = &[
    Absence {
        from: &[DOMAIN],
        crates: &[
            "tokio",
            "tokio-*",
            "async-std",
            "futures-executor",
            "mio",
            "socket2",
        ],
        because: "domain is synchronous and without I/O, through any path.",
    },
    Absence {
        from: &[DOMAIN, APPLICATION, API_TYPES, CONTRACTS],
        crates: &[
            "diesel",
            "diesel-*",
            "libsqlite3-sys",
            "rusqlite",
            "sqlx",
            "tokio-postgres",
            "actix-*",
            "axum",
            "hyper",
            "reqwest",
            "aws-*",
            "s3s",
            "lapin",
            "image",
            "zune-*",
            "jpeg-*",
            "kamadak-exif",
        ],
        because: "The core knows no database, web, object storage or image crate, through any path.",
    },
];

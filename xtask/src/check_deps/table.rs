//! Allowed dependencies of each crate, with reasons. The invariants are those of docs/ARCHITECTURE.md.

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
const QUEUE_RABBITMQ: &str = "rapidphoto-queue-rabbitmq";
const STORAGE_S3: &str = "rapidphoto-storage-s3";
const QUEUE_SQS: &str = "rapidphoto-queue-sqs";
const STORAGE_EMBEDDED: &str = "rapidphoto-storage-embedded";
const CREDENTIALS: &str = "rapidphoto-credentials";
const IMAGING: &str = "rapidphoto-imaging";
const JPEG_SCALE: &str = "jpeg-scale";
const SAMPLE_PHOTOS: &str = "rapidphoto-sample-photos";
const API_TYPES: &str = "rapidphoto-api-types";
const HTTP: &str = "rapidphoto-http";
const LISTENER: &str = "rapidphoto-listener";
const PRESIGNING: &str = "rapidphoto-presigning";
const TELEMETRY: &str = "rapidphoto-telemetry";
const RUNTIME: &str = "rapidphoto-runtime";
const CLI: &str = "rapidphoto-cli";
const CLIENT: &str = "rapidphoto-client";
const TESTKIT: &str = "rapidphoto-testkit";
const TEST_SERVICES: &str = "rapidphoto-test-services";
const RAPIDPHOTO: &str = "rapidphoto";
const API: &str = "rapidphoto-api";
const WORKER: &str = "rapidphoto-worker";
const BENCH_THUMBNAILS: &str = "bench-thumbnails";
const XTASK: &str = "xtask";

const CORE: &[&str] = &[APPLICATION, DOMAIN];
const TEST_CRATES: &[&str] = &[CONTRACTS, MEMORY, SAMPLE_PHOTOS, TESTKIT, TEST_SERVICES];
/// Crates of the server; `contracts`, `testkit` and `test-services` are for tests only and must never be linked into it.
const SERVER_CRATES: &[&str] = &[
    DOMAIN,
    APPLICATION,
    MEMORY,
    PERSISTENCE,
    QUEUE_RABBITMQ,
    STORAGE_S3,
    QUEUE_SQS,
    STORAGE_EMBEDDED,
    CREDENTIALS,
    IMAGING,
    JPEG_SCALE,
    SAMPLE_PHOTOS,
    API_TYPES,
    HTTP,
    LISTENER,
    PRESIGNING,
    TELEMETRY,
    CLIENT,
];

const ADAPTER: &str = "An adapter depends on application and domain, never on another adapter.";
const LEAF: &str = "It depends on no other crate of the workspace.";
const BINARY: &str = "A binary only parses arguments and calls runtime.";

const fn adapter(name: &'static str) -> CrateRule {
    CrateRule {
        name,
        uses: CORE,
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: ADAPTER,
    }
}

const fn program(name: &'static str, uses: &'static [&'static str], because: &'static str) -> CrateRule {
    CrateRule {
        name,
        uses,
        tests_use: &[
            APPLICATION,
            API_TYPES,
            CLIENT,
            QUEUE_RABBITMQ,
            SAMPLE_PHOTOS,
            TESTKIT,
            TEST_SERVICES,
        ],
        third_party: ThirdParty::Only(&["anyhow", "clap", "tokio"]),
        because,
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
            "idna",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "ulid",
            "unicode-normalization",
            "uuid",
        ]),
        because: "domain contains values, states and decisions; it uses no other workspace crate and no runtime, database or web crate.",
    },
    CrateRule {
        name: APPLICATION,
        uses: &[DOMAIN],
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: "application depends on domain only; adapters implement its ports.",
    },
    CrateRule {
        name: CONTRACTS,
        uses: CORE,
        tests_use: &[MEMORY],
        third_party: ThirdParty::Any,
        because: "contracts use only ports and domain types, so that every adapter can run them.",
    },
    adapter(MEMORY),
    adapter(PERSISTENCE),
    adapter(QUEUE_RABBITMQ),
    CrateRule {
        name: STORAGE_S3,
        uses: &[APPLICATION, DOMAIN, PRESIGNING],
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: "An adapter depends on application and domain, never on another adapter; stores share presigning.",
    },
    adapter(QUEUE_SQS),
    CrateRule {
        name: STORAGE_EMBEDDED,
        uses: &[APPLICATION, DOMAIN, LISTENER, PRESIGNING],
        tests_use: TEST_CRATES,
        third_party: ThirdParty::Any,
        because: "An adapter depends on application and domain, never on another adapter; storage-embedded accepts its connections by listener, and stores share presigning.",
    },
    CrateRule {
        name: PRESIGNING,
        uses: &[APPLICATION],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: "presigning makes URLs of the grants of application; it is no adapter by itself.",
    },
    CrateRule {
        name: LISTENER,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: LEAF,
    },
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
        uses: &[APPLICATION, DOMAIN, API_TYPES, LISTENER],
        tests_use: &[CONTRACTS, MEMORY, SAMPLE_PHOTOS, TESTKIT, CLIENT],
        third_party: ThirdParty::Any,
        because: "An adapter depends on application and domain, never on another adapter; http shares api-types with client, and accepts its connections by listener.",
    },
    CrateRule {
        name: CLIENT,
        uses: &[API_TYPES],
        tests_use: &[SAMPLE_PHOTOS, TESTKIT],
        third_party: ThirdParty::Any,
        because: "client shares only the wire types with the server.",
    },
    CrateRule {
        name: CLI,
        uses: &[CLIENT],
        tests_use: &[SAMPLE_PHOTOS, TESTKIT],
        third_party: ThirdParty::Any,
        because: "cli is a client: it knows the server by its API only.",
    },
    CrateRule {
        name: API_TYPES,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Only(&["chrono", "serde", "serde_json", "utoipa"]),
        because: "api-types contains the wire types of http and client: plain data without dependencies of either side.",
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
        because: "runtime composes the server; crates for tests are not part of it.",
    },
    CrateRule {
        name: TESTKIT,
        uses: &[
            DOMAIN,
            APPLICATION,
            CONTRACTS,
            MEMORY,
            PERSISTENCE,
            QUEUE_RABBITMQ,
            STORAGE_S3,
            QUEUE_SQS,
            STORAGE_EMBEDDED,
            CREDENTIALS,
            IMAGING,
            JPEG_SCALE,
            SAMPLE_PHOTOS,
            API_TYPES,
            HTTP,
            LISTENER,
            PRESIGNING,
            TELEMETRY,
            CLIENT,
            RUNTIME,
            TEST_SERVICES,
        ],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: "testkit runs the server for tests; it does not depend on the binaries.",
    },
    CrateRule {
        name: TEST_SERVICES,
        uses: &[],
        tests_use: &[],
        third_party: ThirdParty::Any,
        because: LEAF,
    },
    program(
        RAPIDPHOTO,
        &[CLI, RUNTIME],
        "A binary only parses arguments and calls runtime, or cli for the commands of a client.",
    ),
    program(API, &[RUNTIME], BINARY),
    program(WORKER, &[RUNTIME], BINARY),
    CrateRule {
        name: BENCH_THUMBNAILS,
        uses: &[APPLICATION, IMAGING],
        tests_use: &[SAMPLE_PHOTOS],
        third_party: ThirdParty::Any,
        because: "bench-thumbnails measures imaging through the worker's port and uses nothing else.",
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
        allowed_in: &[PERSISTENCE],
        because: "Only one adapter accesses databases.",
    },
    Home {
        crates: &["actix-*", "axum", "governor", "utoipa-swagger-ui"],
        allowed_in: &[HTTP],
        because: "Only one adapter serves the API.",
    },
    Home {
        crates: &["utoipa"],
        allowed_in: &[HTTP, API_TYPES],
        because: "OpenAPI descriptions belong to the API and its types.",
    },
    Home {
        crates: &["aws-*"],
        allowed_in: &[STORAGE_S3, QUEUE_SQS],
        because: "One adapter accesses the object store, one SQS; their SDK is the slowest dependency to build.",
    },
    Home {
        crates: &["lapin"],
        allowed_in: &[QUEUE_RABBITMQ],
        because: "Only one adapter uses the message broker.",
    },
    Home {
        crates: &["s3s", "s3s-*"],
        allowed_in: &[STORAGE_EMBEDDED],
        because: "Only one adapter implements an object store.",
    },
    Home {
        crates: &["argon2", "jsonwebtoken"],
        allowed_in: &[CREDENTIALS],
        because: "Passwords and tokens are created and verified in one place.",
    },
    Home {
        crates: &["reqwest"],
        allowed_in: &[CLIENT],
        because: "Only one crate is an HTTP client.",
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
        allowed_in: &[IMAGING],
        because: "Untrusted images are parsed in one place, with limits.",
    },
    Home {
        crates: &["jpeg-encoder"],
        allowed_in: &[IMAGING, SAMPLE_PHOTOS],
        because: "Images are encoded only for thumbnails and sample photos.",
    },
    Home {
        crates: &[
            "metrics-exporter-prometheus",
            "opentelemetry-otlp",
            "opentelemetry_sdk",
            "tracing-subscriber",
        ],
        allowed_in: &[TELEMETRY],
        because: "Other crates record metrics and spans; telemetry alone exports them.",
    },
    Home {
        crates: &["figment"],
        allowed_in: &[RUNTIME],
        because: "Configuration is read once, in runtime.",
    },
    Home {
        crates: &["anyhow"],
        allowed_in: &[
            RUNTIME,
            TESTKIT,
            CLI,
            RAPIDPHOTO,
            API,
            WORKER,
            BENCH_THUMBNAILS,
            XTASK,
        ],
        because: "Errors of libraries have types that callers can match.",
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
        because: "domain is synchronous and without I/O, also indirectly.",
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
        because: "The core uses no database, web, object storage or image crate, also indirectly.",
    },
];

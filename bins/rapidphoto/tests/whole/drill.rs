//! Hostile connections, forms without credentials, guessed passwords and poison photos, all at once, beside photos that
//! complete.
//!
//! 20 s by default. `just drill` sets `DRILL_SECONDS=300`.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::{join_all, try_join_all};
use rapidphoto_client::{
    Session,
    types::{JobItem, PhotoStatus},
};
use rapidphoto_sample_photos::SamplePhoto;
use rapidphoto_testkit::PASSWORD;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

use crate::{
    fixtures::{DataDir, codes, declare, finished_job, jpeg},
    hostile::{address, ask_and_never_read, read_metrics, trickle, try_password},
    poison::{children_of, status_field},
};

const MIB: u64 = 1 << 20;
/// Photos of a job that complete.
const PHOTOS: u64 = 20;
/// Photos of a job that fail.
const POISON: [&str; 3] = ["drill: abort", "drill: allocate", "drill: overflow"];
/// Address of the account whose password is guessed.
const OWNER: &str = "owner@example.org";
/// Length of a form.
const FORM_BYTES: u64 = 1_000_000_000;
/// Logins that are tried at once.
const LOGINS: usize = 200;

// Settings of the server. With the usual limits of connections, a form in memory would not stand out.
const API_CONNECTIONS: u64 = 1024;
const STORAGE_CONNECTIONS: u64 = 512;
const DOWNLOADS: u64 = 64 * MIB;
const DECODERS: u64 = 256 * MIB;
const CHILDREN: u64 = 2;
const FILE_BYTES: u64 = 16 * MIB;

/// Upper bound of resident memory, as docs/operations.md states it.
fn memory_bound() -> u64 {
    let program = 256 * MIB;
    let connections = (API_CONNECTIONS + STORAGE_CONNECTIONS) * MIB / 4;
    // Bodies of logins are short, and a job's uploads are under way at once.
    let uploads = (PHOTOS + POISON.len() as u64) * MIB;
    let hashes = 2 * 19 * MIB;
    let children = DECODERS + CHILDREN * (128 * MIB + FILE_BYTES);
    program + connections + uploads + DOWNLOADS + hashes + children
}

/// Sends a form of 1 GB to the storage, however it answers, and returns the answer.
async fn send_form(storage: SocketAddr) -> String {
    let Ok(stream) = TcpStream::connect(storage).await else {
        return String::new();
    };
    let (mut reader, mut writer) = stream.into_split();
    let sender = tokio::spawn(async move {
        let head = format!(
            "POST /photos HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n\
             Content-Length: {FORM_BYTES}\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
        );
        let mut written = writer.write_all(head.as_bytes()).await;
        let block = vec![b'x'; 1 << 20];
        for _ in 0..FORM_BYTES / MIB {
            if written.is_err() {
                return;
            }
            written = writer.write_all(&block).await;
        }
    });
    let mut answer = Vec::new();
    // A reset connection may take the answer with it.
    let _ = reader.read_to_end(&mut answer).await;
    sender.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Clients that attack until they are dropped.
fn attack(api: SocketAddr, storage: SocketAddr, forms: &Arc<AtomicU64>) -> JoinSet<()> {
    let mut hostile = JoinSet::new();
    for number in 0..1000 {
        match number % 5 {
            0 | 1 => hostile.spawn(trickle(api, number)),
            2 => hostile.spawn(trickle(storage, number)),
            _ => hostile.spawn(ask_and_never_read(api, number)),
        };
    }
    for number in 0..LOGINS {
        hostile.spawn(async move {
            loop {
                let email = if number % 2 == 0 {
                    OWNER.to_owned()
                } else {
                    format!("user-{number}@example.net")
                };
                try_password(api, number, &email).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    let forms = Arc::clone(forms);
    hostile.spawn(async move {
        loop {
            let answer = send_form(storage).await;
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 501"),
                "{answer}"
            );
            if !answer.is_empty() {
                forms.fetch_add(1, Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    hostile
}

/// Resident memory of a process and its children, in bytes.
fn resident(server: u32) -> u64 {
    let processes = children_of(server).into_iter().chain([server]);
    processes
        // A child may have ended since.
        .filter_map(|process| status_field(process, "VmRSS:")?.parse::<u64>().ok())
        .sum::<u64>()
        * 1024
}

/// A job with its poison: all photos but these are completed.
async fn complete_job(session: &Session, job: u64) {
    let seeds = job * PHOTOS..(job + 1) * PHOTOS;
    let mut photos: Vec<Bytes> = seeds
        .map(|seed| SamplePhoto::new(seed, 1600, 1200).jpeg().into())
        .collect();
    photos.extend(POISON.map(|poison| Bytes::from_static(poison.as_bytes())));
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(session, &files).await;
    let put = |(item, bytes): (&JobItem, &Bytes)| {
        let (session, item, bytes) = (session.clone(), item.clone(), bytes.clone());
        async move { session.put(&item, bytes).await }
    };
    try_join_all(items.iter().zip(&photos).map(put)).await.unwrap();
    for (index, photo) in finished_job(session, &job_id).await.photos.iter().enumerate() {
        let id = &photo.photo_id;
        let position = items.iter().position(|item| item.photo_id == *id).unwrap();
        if position < usize::try_from(PHOTOS).unwrap() {
            assert_eq!(
                photo.status,
                PhotoStatus::Completed,
                "photo {index} of job {job}: {photo:?}"
            );
        } else {
            assert_eq!(
                photo.status,
                PhotoStatus::Failed,
                "photo {index} of job {job}: {photo:?}"
            );
            assert_eq!(codes(photo), ["processing_error"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "the duration is chosen by the developer who runs the drill"
)]
async fn photos_complete_in_bounded_memory_while_everything_attacks() {
    let seconds = std::env::var("DRILL_SECONDS").map_or(20, |value| value.parse::<u64>().unwrap());
    let jobs = (seconds / 30).max(1);
    let data_dir = DataDir::new();
    let options = DataDir::options()
        .with("RAPIDPHOTO_SERVER__MAX_CONNECTIONS", API_CONNECTIONS.to_string())
        .with(
            "RAPIDPHOTO_STORAGE__MAX_CONNECTIONS",
            STORAGE_CONNECTIONS.to_string(),
        )
        .with("RAPIDPHOTO_WORK__DOWNLOAD_BUDGET_BYTES", DOWNLOADS.to_string())
        .with("RAPIDPHOTO_IMAGING__MEMORY_BUDGET_BYTES", DECODERS.to_string())
        .with("RAPIDPHOTO_IMAGING__THREADS", CHILDREN.to_string())
        .with("RAPIDPHOTO_UPLOADS__MAX_FILE_BYTES", FILE_BYTES.to_string());
    let mut server = data_dir.serve(&options).await;
    let client = server.client().unwrap();
    client.register(OWNER, PASSWORD).await.unwrap();
    // Failed logins from elsewhere don't lock an owner out of a network that they have logged in from.
    client.log_in(OWNER, PASSWORD).await.unwrap();
    let (id, api, storage) = (server.id().unwrap(), address(server.api()), address(server.s3()));
    let alone = resident(id);

    let forms = Arc::default();
    let mut hostile = attack(api, storage, &forms);
    let peak = Arc::new(AtomicU64::new(0));
    let sampled = Arc::clone(&peak);
    hostile.spawn(async move {
        loop {
            sampled.fetch_max(resident(id), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let started = Instant::now();
    let completed = (0..jobs).map(|job| {
        let client = client.clone();
        async move {
            tokio::time::sleep_until(started + Duration::from_secs(seconds * job / jobs)).await;
            let session = client.log_in(OWNER, PASSWORD).await.unwrap();
            let job_started = Instant::now();
            complete_job(&session, job).await;
            job_started.elapsed()
        }
    });
    let durations = join_all(completed).await;
    tokio::time::sleep_until(started + Duration::from_secs(seconds)).await;
    assert!(hostile.try_join_next().is_none(), "an attack has ended");
    let metrics = read_metrics(api).await;
    let (peak, forms) = (peak.load(Ordering::Relaxed), forms.load(Ordering::Relaxed));
    eprintln!(
        "{} photos in {:?}, jobs in {durations:.1?}; {forms} forms refused; resident memory {} MiB alone, at most {} MiB of {} MiB",
        jobs * PHOTOS,
        started.elapsed(),
        alone / MIB,
        peak / MIB,
        memory_bound() / MIB
    );
    for line in metrics
        .lines()
        .filter(|line| line.starts_with("rapidphoto_connections_"))
    {
        eprintln!("{line}");
    }
    hostile.abort_all();

    assert!(forms > 0, "no form was answered");
    assert!(peak < memory_bound(), "{peak} bytes");
    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
    data_dir.assert_verified();
}

use std::io::Write as _;

use anyhow::Context as _;

use crate::{Config, Secrets};

/// Prints the variables with which S3 clients of AWS's SDKs reach the embedded storage: one `NAME=value` a line.
///
/// # Errors
/// If the data directory has no secrets, because no server has run on it.
pub fn print_s3_credentials(config: &Config) -> anyhow::Result<()> {
    let directory = &config.data.dir;
    let secrets = Secrets::load(directory)?.with_context(|| {
        format!(
            "{} contains no secrets; run `rapidphoto serve` on it first, or name another directory by --data-dir",
            directory.display()
        )
    })?;
    let storage = &config.storage;
    let scheme = if storage.tls.is_some() { "https" } else { "http" };
    let listen = format!("{scheme}://{}", storage.listen);
    let endpoint = storage.public_url.as_ref().unwrap_or(&listen);
    let mut out = std::io::stdout().lock();
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", &secrets.s3_access_key),
        ("AWS_SECRET_ACCESS_KEY", &secrets.s3_secret_key),
        ("AWS_REGION", &storage.region),
        ("AWS_ENDPOINT_URL_S3", endpoint),
    ] {
        writeln!(out, "{name}={value}")?;
    }
    Ok(())
}

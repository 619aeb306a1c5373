use std::{io::Write as _, sync::Arc};

use anyhow::ensure;
use rapidphoto_application::ports::Clock;
use rapidphoto_persistence::DataDirLock;

use crate::{
    Config, Secrets, SystemClock, SystemIds,
    data_dir::{check_environment, fingerprint},
    wiring,
};

/// Replaces the key that signs access tokens. Tokens signed with the previous one stay valid for the lifetime of access
/// tokens. If the keys are `compromised` or lost, all of them are replaced, and the previous ones are invalid at once. No
/// server may be running on the data directory.
pub async fn rotate_keys(config: Config, compromised: bool) -> anyhow::Result<()> {
    let dir = &config.data.dir;
    ensure!(dir.is_dir(), "data directory {} does not exist", dir.display());
    let _lock = DataDirLock::acquire(dir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = SystemIds::new(Arc::clone(&clock));
    let store = wiring::open_database(&config, &clock, None).await?;
    check_environment(&store, &config).await?;
    let now = clock.now();
    let (rotated, effect) = match Secrets::load(dir)? {
        Some(secrets) if compromised => {
            let rotated = Secrets {
                // Ended already, and known until the database has the new fingerprint.
                previous_token_key: secrets.with_new_token_key(&ids, now).previous_token_key,
                ..Secrets::generate(&ids)
            };
            (
                rotated,
                "all access tokens and upload URLs are invalid".to_owned(),
            )
        }
        Some(secrets) => {
            let until = now + config.auth.access_lifetime;
            let effect = format!("access tokens signed with the previous key are valid until {until}");
            (secrets.with_new_token_key(&ids, until), effect)
        }
        None => (
            Secrets::generate(&ids),
            "there were no keys; all access tokens and upload URLs are invalid".to_owned(),
        ),
    };
    rotated.store(dir)?;
    let fingerprint = fingerprint(&rotated.token_key)?;
    store.set_key_fingerprint(fingerprint.clone()).await?;
    store.close().await;
    writeln!(
        std::io::stdout().lock(),
        "access tokens are signed with the key {fingerprint} from the next start on; {effect}"
    )?;
    Ok(())
}

use crate::Config;

/// Placeholder
pub async fn init_storage(_config: &Config) -> anyhow::Result<()> {
    Ok(())
}

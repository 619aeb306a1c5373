/// The only source of chance: identifiers, secrets, jitter.
pub trait Ids: Send + Sync {
    /// A new ULID's 128 bits: the time in milliseconds above 80 random bits, increasing within one process.
    fn ulid(&self) -> u128;

    /// 256 random bits fit for secrets.
    fn secret(&self) -> [u8; 32];
}

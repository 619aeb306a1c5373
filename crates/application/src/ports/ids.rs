/// The only source of randomness: identifiers, secrets and jitter.
pub trait Ids: Send + Sync {
    /// New ULID: 48 bits of time in milliseconds and 80 random bits. The values increase within one process.
    fn ulid(&self) -> u128;

    /// 256 bits from a cryptographically secure generator.
    fn secret(&self) -> [u8; 32];
}

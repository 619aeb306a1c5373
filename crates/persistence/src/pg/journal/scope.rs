/// Values that many statements bind.
pub(super) struct Scope {
    pub(super) namespace: String,
    /// Time in place of the database's clock.
    pub(super) test_now: Option<i64>,
}

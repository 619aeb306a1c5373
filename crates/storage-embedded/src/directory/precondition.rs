/// Condition on the existing object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Any object, or none.
    None,
    /// No object.
    Absent,
    /// An object; with this ETag, unless it is `None`.
    Match(Option<String>),
}

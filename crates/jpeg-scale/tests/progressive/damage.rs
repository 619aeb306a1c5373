//! Damaged progressive files.

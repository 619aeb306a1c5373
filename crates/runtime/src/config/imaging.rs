use serde::{Deserialize, Serialize};

/// Processes, threads and memory for decoding images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImagingSection {
    /// Processes that decode photos; default: `process` on Linux, `thread` elsewhere.
    pub isolation: Isolation,
    /// Number of photos decoded at once; default: the number of processors.
    pub threads: Option<usize>,
    /// Maximum memory for decoding, all photos together, in bytes; a photo that needs more is rejected.
    pub memory_budget_bytes: u64,
}

impl Default for ImagingSection {
    fn default() -> Self {
        Self {
            isolation: Isolation::default(),
            threads: None,
            memory_budget_bytes: 1024 * 1024 * 1024,
        }
    }
}

/// Processes that decode photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Child processes: a photo that crashes or hangs its decoder fails alone.
    Process,
    /// Threads of the server.
    Thread,
}

impl Default for Isolation {
    fn default() -> Self {
        // Elsewhere children are untested and hardly restricted.
        if cfg!(target_os = "linux") {
            Self::Process
        } else {
            Self::Thread
        }
    }
}

use rapidphoto_api_types::Problem;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is no URL.
    #[error("`{0}` is no URL of an API")]
    Address(String),
    /// The API said no, and why.
    #[error("the API answered {}: {} ({})", .0.status, .0.detail, .0.code)]
    Refused(Box<Problem>),
    /// Storage said no.
    #[error("storage answered {status}: {body}")]
    Storage {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
    /// No photo bytes are wanted for this item any more.
    #[error("{0} wants no bytes any more")]
    NotWanted(String),
    /// The answer is not what the API's contract says.
    #[error("the API's answer can't be understood")]
    Unintelligible(#[source] serde_json::Error),
    /// Something answered that is not the API.
    #[error("the answer with status {0} is not the API's")]
    NotTheApi(u16),
    /// Nobody answered.
    #[error("no answer")]
    Transport(#[from] reqwest::Error),
}

impl ClientError {
    /// The API's stable code, where it said one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.code),
            _ => None,
        }
    }
}

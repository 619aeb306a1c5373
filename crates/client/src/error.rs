use rapidphoto_api_types::Problem;

/// Error of a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The base URL of the API is invalid.
    #[error("`{0}` is not an http or https URL")]
    InvalidUrl(String),
    /// A certificate of a trusted authority can't be read.
    #[error("the certificate of the trusted authority can't be read as PEM: {0}")]
    InvalidCa(String),
    /// The API rejected the request.
    #[error("the API responded with status {}: {} ({})", .0.status, .0.detail, .0.code)]
    Problem(Box<Problem>),
    /// Storage rejected the upload.
    #[error("storage responded with status {status}: {body}")]
    Storage {
        /// HTTP status.
        status: u16,
        /// First 400 characters of the response.
        body: String,
    },
    /// The item of a photo contains no URL, because its file need not be uploaded any more.
    #[error("the item of photo {0} contains no upload URL: its file need not be uploaded any more")]
    NoUploadUrl(String),
    /// The body of a successful response or of an event does not match the API.
    #[error("the response of the API is malformed")]
    MalformedResponse(#[source] serde_json::Error),
    /// The response has an error status without problem details, so it is not from the API; perhaps from a proxy.
    #[error("the response with status {0} contains no problem details, so it is not from the API")]
    UnexpectedResponse(u16),
    /// The request failed without a complete response.
    #[error("the request failed without a complete response")]
    Transport(#[from] reqwest::Error),
}

impl ClientError {
    /// Stable code of the problem, if the API responded with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }
}

use std::str::FromStr;

use rapidphoto_domain::{JobId, PhotoId};

use super::Call;
use crate::refusal::{
    Refusal,
    kinds::{self, Kind},
};

impl Call {
    /// The job that the path names. What is no name of a job names none: 404.
    pub(crate) fn job(&self) -> Result<JobId, Refusal> {
        self.named("jobId", kinds::NO_SUCH_JOB)
    }

    /// The photo that the path names.
    pub(crate) fn photo(&self) -> Result<PhotoId, Refusal> {
        self.named("photoId", kinds::NO_SUCH_PHOTO)
    }

    fn named<T: FromStr>(&self, name: &str, otherwise: &'static Kind) -> Result<T, Refusal> {
        let raw = self.request.match_info().get(name).unwrap_or_default();
        raw.parse().map_err(|_| Refusal::new(otherwise))
    }
}

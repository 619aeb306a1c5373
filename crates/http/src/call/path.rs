use std::str::FromStr;

use rapidphoto_domain::{JobId, PhotoId};

use super::request::Call;
use crate::problem::{
    Problem,
    kinds::{self, Kind},
};

const JOB_ID: &str = "jobId";
const PHOTO_ID: &str = "photoId";

impl Call {
    /// Job id in the path. A malformed id is 404, as no such job can exist.
    pub(crate) fn job(&self) -> Result<JobId, Problem> {
        self.parameter(JOB_ID, kinds::NO_SUCH_JOB)
    }

    /// Job id in the path, if the path has that parameter.
    pub(super) fn optional_job(&self) -> Result<Option<JobId>, Problem> {
        let has_job = self.request.match_info().get(JOB_ID).is_some();
        has_job.then(|| self.job()).transpose()
    }

    /// Photo id in the path. A malformed id is 404, as no such photo can exist.
    pub(crate) fn photo(&self) -> Result<PhotoId, Problem> {
        self.parameter(PHOTO_ID, kinds::NO_SUCH_PHOTO)
    }

    fn parameter<T: FromStr>(&self, name: &str, not_found: &'static Kind) -> Result<T, Problem> {
        let raw = self.request.match_info().get(name).unwrap_or_default();
        raw.parse().map_err(|_| Problem::new(not_found))
    }
}

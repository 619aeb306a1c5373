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

    /// Text of a parameter in the path, percent-decoded. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub(crate) fn path_text(&self, name: &str) -> String {
        let parameters = self.request.match_info();
        // The router keeps `%2F`, `%25` and `%2B` encoded; `load` decodes these, too.
        let texts: Vec<String> = parameters.load().unwrap_or_default();
        let index = parameters.iter().position(|(known, _)| known == name);
        index
            .and_then(|index| texts.into_iter().nth(index))
            .unwrap_or_default()
    }

    fn parameter<T: FromStr>(&self, name: &str, not_found: &'static Kind) -> Result<T, Problem> {
        let text = self.path_text(name);
        text.parse().map_err(|_| Problem::new(not_found))
    }
}

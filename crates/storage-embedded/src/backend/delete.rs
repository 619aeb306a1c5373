use std::sync::Arc;

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes::reject_unsupported;
use super::blocking::blocking;
use super::bucket::{Backend, check_version};
use super::errors;
use super::lists::is_in_xml;
use super::put::precondition_failed;
use crate::directory::{Precondition, Removal};

/// Maximum number of objects of one request.
const MAX_OBJECTS: usize = 1000;

impl Backend {
    pub(super) async fn delete(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        reject_unsupported([(
            "A condition on DELETE other than If-Match",
            input.if_match_size.is_some() || input.if_match_last_modified_time.is_some(),
        )])?;
        check_version(input.version_id.as_deref())?;
        let precondition = match input.if_match {
            Some(ETagCondition::ETag(etag)) => Precondition::Match(Some(etag.into_value())),
            Some(ETagCondition::Any) | None => Precondition::None,
        };
        let directory = Arc::clone(&self.directory);
        let removal = blocking(move || directory.remove(&input.key, &precondition))
            .await
            .map_err(|error| errors::from_io("delete an object", error))?;
        match removal {
            Removal::Done => Ok(S3Response::new(DeleteObjectOutput::default())),
            Removal::Changed => Err(precondition_failed()),
        }
    }

    pub(super) async fn delete_several(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let delete = request.input.delete;
        if delete.objects.is_empty() || delete.objects.len() > MAX_OBJECTS {
            return Err(s3_error!(
                MalformedXML,
                "A request deletes at least one and at most {MAX_OBJECTS} objects"
            ));
        }
        if !delete
            .objects
            .iter()
            .all(|object| object.key.chars().all(is_in_xml))
        {
            return Err(s3_error!(
                MalformedXML,
                "A key has a character that XML does not have; delete its object by a request of its own"
            ));
        }
        let mut output = DeleteObjectsOutput::default();
        let (deleted, failures) = (
            output.deleted.get_or_insert_default(),
            output.errors.get_or_insert_default(),
        );
        let failed = |key: &str, code: &str, message: &str| Error {
            code: Some(code.to_owned()),
            key: Some(key.to_owned()),
            message: Some(message.to_owned()),
            version_id: None,
        };
        let mut removed = Vec::new();
        for object in delete.objects {
            if check_version(object.version_id.as_deref()).is_err() {
                failures.push(failed(
                    &object.key,
                    "NoSuchVersion",
                    "The specified version does not exist",
                ));
            } else if object.size.is_some() || object.last_modified_time.is_some() {
                let message = "A condition other than the ETag is not implemented";
                failures.push(failed(&object.key, "NotImplemented", message));
            } else {
                let precondition = match object.e_tag {
                    Some(etag) => Precondition::Match(Some(etag.into_value())),
                    None => Precondition::None,
                };
                removed.push((object.key, precondition));
            }
        }
        let directory = Arc::clone(&self.directory);
        let (removed, removals) = blocking(move || {
            let objects = removed.iter().map(|(key, condition)| (key.as_str(), condition));
            let removals = directory.remove_all(objects)?;
            Ok((removed, removals))
        })
        .await
        .map_err(|error| errors::from_io("delete objects", error))?;
        for ((key, _), removal) in removed.into_iter().zip(removals) {
            match removal {
                Ok(Removal::Done) => deleted.push(DeletedObject {
                    key: Some(key),
                    ..DeletedObject::default()
                }),
                Ok(Removal::Changed) => {
                    let message = "At least one of the pre-conditions you specified did not hold";
                    failures.push(failed(&key, "PreconditionFailed", message));
                }
                Err(error) => {
                    let error = errors::from_io("delete an object", error);
                    let message = error.message().unwrap_or_default().to_owned();
                    failures.push(failed(&key, error.code().as_str(), &message));
                }
            }
        }
        if delete.quiet.unwrap_or_default() {
            output.deleted = None;
        }
        Ok(S3Response::new(output))
    }
}

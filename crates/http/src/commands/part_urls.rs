use std::collections::BTreeSet;

use actix_web::HttpResponse;
use rapidphoto_api_types::{PartUrl, PartUrls, PartUrlsRequest};
use rapidphoto_application::{
    ports::Scope,
    uploads::{PartUrlsError, RequestPartUrls},
};
use rapidphoto_domain::{UserId, values::PartNumber};

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
};

/// Numbers in one request: a response has about 500 bytes for each.
const MAX_NUMBERS: usize = 1000;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_part_urls>(Scope::PhotosWrite, part_urls).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::NOT_MULTIPART,
        kinds::UPLOAD_ENDED,
        kinds::INVALID_PARTS,
        kinds::CONTENDED,
    ])
}

/// Returns URLs for parts of a file.
///
/// The first request begins the upload. Repeat it for more parts, and for fresh URLs after their expiry. PUT the bytes of
/// part *n* from offset `(n - 1) × partSize`; parts may be sent in any order and concurrently. Then finalize the upload.
#[utoipa::path(
    post,
    path = "/commands/upload/{photoId}/parts",
    tag = "uploads",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    request_body = PartUrlsRequest,
    responses((status = 200, description = "The URLs.", body = PartUrls))
)]
async fn part_urls(mut call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let request: PartUrlsRequest = call.json().await?;
    let command = RequestPartUrls {
        owner,
        photo,
        numbers: numbers(&request.part_numbers)?,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let urls = call
        .on_main(async move { use_cases.part_urls.handle(command).await })
        .await?;
    let urls = urls.map_err(|error| problem(error, &request.part_numbers))?;
    let parts = urls.parts.into_iter().map(|(number, url)| PartUrl {
        part_number: number.get().into(),
        presigned_url: url.url,
        expires_at: url.expires_at,
    });
    let body = PartUrls {
        part_size: urls.layout.part_size().get(),
        parts: parts.collect(),
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn numbers(raw: &[u32]) -> Result<BTreeSet<PartNumber>, Problem> {
    if raw.is_empty() || raw.len() > MAX_NUMBERS {
        let message = format!("a request has 1 to {MAX_NUMBERS} part numbers, not {}", raw.len());
        return Err(Problem::new(kinds::INVALID_PARTS).error_at("/partNumbers", "invalid_count", message));
    }
    let mut problem = Problem::new(kinds::INVALID_PARTS);
    let mut numbers = BTreeSet::new();
    for (index, raw) in raw.iter().enumerate() {
        match PartNumber::new(*raw) {
            Ok(number) => {
                numbers.insert(number);
            }
            Err(error) => {
                let message = format!("{error}, not {raw}");
                problem = problem.error_at(format!("/partNumbers/{index}"), "invalid_value", message);
            }
        }
    }
    if problem.errors() == 0 {
        Ok(numbers)
    } else {
        Err(problem)
    }
}

fn problem(error: PartUrlsError, raw: &[u32]) -> Problem {
    match error {
        PartUrlsError::Upload(error) => error.into(),
        PartUrlsError::NoSuchPart { count, .. } => {
            let wrong = raw
                .iter()
                .enumerate()
                .filter(|(_, number)| **number > u32::from(count));
            wrong.fold(Problem::new(kinds::INVALID_PARTS), |problem, (index, number)| {
                let message = format!("the file has {count} parts, but part {number} was requested");
                problem.error_at(format!("/partNumbers/{index}"), "no_such_part", message)
            })
        }
        other => Problem::internal(other),
    }
}

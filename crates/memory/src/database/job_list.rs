use rapidphoto_application::ports::{
    AggregateState, Arrival, JobListPage, JobListQuery, JobPosition, JobSummary, PhotoGroup,
};
use rapidphoto_domain::{JobId, UserId, photo::Photo};

use super::namespace::{Namespace, StateRow};

/// Selects the page of a query from all jobs of a user.
pub(super) fn page(namespace: &Namespace, owner: UserId, query: &JobListQuery) -> JobListPage {
    let jobs = namespace.rows.values().filter_map(|row| match &row.state {
        AggregateState::Job(job) if job.owner == owner => Some(summary(namespace, job.id, row)),
        AggregateState::Job(_) | AggregateState::Photo(_) | AggregateState::User(_) => None,
    });
    let follows = |job: &JobSummary| query.after.is_none_or(|after| JobPosition::of(job) < after);
    let mut jobs: Vec<JobSummary> = jobs.filter(follows).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(JobPosition::of(job)));
    jobs.truncate(query.jobs_to_read());
    query.page(jobs)
}

fn summary(namespace: &Namespace, id: JobId, row: &StateRow) -> JobSummary {
    let mut job = JobSummary::new(id, row.created_at, row.updated_at);
    let photos = namespace.photos_of_jobs.get(&id).into_iter().flatten();
    for (photo, row) in photos.filter_map(|id| namespace.photo_row(*id)) {
        job.add(group(photo, row));
    }
    job
}

/// A photo as a group of its own.
fn group(photo: &Photo, row: &StateRow) -> PhotoGroup {
    let (status, failure) = (photo.status(), photo.state.failure());
    let is_awaited = Arrival::of(status, failure) == Arrival::Awaited;
    PhotoGroup {
        status,
        failure,
        deleted: photo.deleted,
        photos: 1,
        bytes: photo.declared.bytes,
        updated_at: row.updated_at,
        awaited: is_awaited.then_some(photo.id).into_iter().collect(),
    }
}

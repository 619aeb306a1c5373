use std::time::Duration;

use rapidphoto_application::{
    jobs::RawFile,
    photos::ListPhotosHandler,
    ports::{Inspection, PhotoListQuery, PhotoMetadata, PhotoSort, SortDirection, TakenAt},
};
use rapidphoto_domain::{PhotoId, UserId, photo::PhotoStatus, values::ThumbnailEdge};
use rapidphoto_memory::{
    Operation, StubInspector, TestApp,
    fixtures::{OTHER_USER, file},
};

/// Declares photos of these sizes, one per second.
async fn declare_sizes(app: &TestApp, sizes: &[u64]) -> Vec<PhotoId> {
    let mut photos = Vec::new();
    for bytes in sizes.iter().copied() {
        app.clock.advance(Duration::from_secs(1));
        let file = RawFile { bytes, ..file(0) };
        photos.push(app.declare_files(app.owner, vec![file]).await[0].photo);
    }
    photos
}

/// Ids of all photos, page by page.
async fn list_all(list: &ListPhotosHandler, owner: UserId, mut query: PhotoListQuery) -> Vec<PhotoId> {
    let mut photos = Vec::new();
    loop {
        let (page, next) = list.handle(owner, &query).await.unwrap();
        assert!(page.len() <= query.size);
        photos.extend(page.iter().map(|photo| photo.view.photo.id));
        if next.is_none() {
            return photos;
        }
        assert_eq!(page.len(), query.size, "only the last page is shorter");
        query.after = next;
    }
}

#[tokio::test]
async fn pages_are_contiguous_in_each_order() {
    let app = TestApp::new();
    let list = app.use_cases().list_photos;
    let photos = declare_sizes(&app, &[30, 10, 20, 10, 40]).await;
    for (sort, order) in [
        (PhotoSort::CreatedAt, [0, 1, 2, 3, 4]),
        // Photos of the same size are sorted by id.
        (PhotoSort::Bytes, [1, 3, 2, 0, 4]),
    ] {
        let ascending: Vec<PhotoId> = order.iter().map(|index| photos[*index]).collect();
        let descending: Vec<PhotoId> = ascending.iter().rev().copied().collect();
        for size in 1..=6 {
            let query = |direction| PhotoListQuery {
                sort,
                direction,
                size,
                ..PhotoListQuery::default()
            };
            let listed = list_all(&list, app.owner, query(SortDirection::Ascending)).await;
            assert_eq!(listed, ascending, "{sort:?} in pages of {size}");
            let listed = list_all(&list, app.owner, query(SortDirection::Descending)).await;
            assert_eq!(listed, descending, "{sort:?} in pages of {size}");
        }
    }
}

#[tokio::test]
async fn photos_without_a_time_of_exposure_are_last_in_both_directions() {
    let app = TestApp::new();
    let list = app.use_cases().list_photos;
    let mut photos = Vec::new();
    for taken in [Some("2026-03-02T10:00:00"), None, Some("2025-03-02T10:00:00")] {
        let taken_at = taken.map(|local| TakenAt {
            local: local.parse().unwrap(),
            offset_minutes: None,
        });
        app.inspector.answer(Ok(Inspection {
            metadata: PhotoMetadata {
                taken_at,
                ..PhotoMetadata::default()
            },
            ..StubInspector::good_photo()
        }));
        photos.push(app.upload_one().await.photo);
    }
    for (direction, order) in [
        (SortDirection::Ascending, [2, 0, 1]),
        (SortDirection::Descending, [0, 2, 1]),
    ] {
        let query = PhotoListQuery {
            sort: PhotoSort::TakenAt,
            direction,
            size: 2,
            ..PhotoListQuery::default()
        };
        let expected = order.map(|index| photos[index]);
        assert_eq!(list_all(&list, app.owner, query).await, expected);
    }
}

#[tokio::test]
async fn lists_filter_by_status_and_have_the_thumbnails_of_completed_photos() {
    let app = TestApp::new();
    let list = app.use_cases().list_photos;
    let queued = app.declare(2).await;
    let completed = app.upload_one().await.photo;
    let query = |status| PhotoListQuery {
        status,
        size: 10,
        ..PhotoListQuery::default()
    };
    let (page, next) = list
        .handle(app.owner, &query(Some(PhotoStatus::Completed)))
        .await
        .unwrap();
    assert_eq!((page.len(), next), (1, None));
    assert_eq!(page[0].view.photo.id, completed);
    assert_eq!(page[0].thumbnails.len(), ThumbnailEdge::ALL.len());
    for thumbnail in &page[0].thumbnails {
        assert_eq!(app.objects.get_as_client(&thumbnail.url.url).status, 200);
    }
    let (page, _) = list
        .handle(app.owner, &query(Some(PhotoStatus::Queued)))
        .await
        .unwrap();
    assert_eq!(page.len(), queued.len());
    assert!(page.iter().all(|photo| photo.thumbnails.is_empty()));
    let failed = query(Some(PhotoStatus::Failed));
    assert_eq!(list_all(&list, app.owner, failed).await, []);
    assert_eq!(list_all(&list, app.owner, query(None)).await.len(), 3);
}

#[tokio::test]
async fn deleted_photos_and_photos_of_other_users_are_not_listed() {
    let app = TestApp::new();
    let list = app.use_cases().list_photos;
    let deleted = app.upload_one().await.photo;
    let kept = app.upload_one().await.photo;
    app.declare_as(OTHER_USER, 3).await;
    app.delete(deleted).await;
    let query = PhotoListQuery {
        size: 2,
        ..PhotoListQuery::default()
    };
    assert_eq!(list_all(&list, app.owner, query.clone()).await, [kept]);
    assert_eq!(list_all(&list, OTHER_USER, query.clone()).await.len(), 3);
    assert_eq!(list_all(&list, UserId::from_bits(79), query).await, []);
}

#[tokio::test]
async fn lists_are_unavailable_during_an_outage() {
    let app = TestApp::new();
    let list = app.use_cases().list_photos;
    app.upload_one().await;
    let query = PhotoListQuery {
        size: 2,
        ..PhotoListQuery::default()
    };
    app.store.faults().fail_next(Operation::Read, 1);
    assert!(list.handle(app.owner, &query).await.is_err());
    app.objects.faults().fail_next(Operation::Bucket, 1);
    assert!(list.handle(app.owner, &query).await.is_err());
    assert!(list.handle(app.owner, &query).await.is_ok());
}

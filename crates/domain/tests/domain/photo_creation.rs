//! First event of a photo's stream.

use std::collections::BTreeSet;

use rapidphoto_domain::photo::{Cleaning, FoldError, Photo, PhotoEvent, PhotoState};

use crate::fixtures::queue_photo;

#[test]
fn a_new_photo_has_the_values_of_its_command() {
    let command = queue_photo();

    let first = Photo::queue(command.clone());

    let expected = Photo {
        id: command.id,
        job: command.job,
        owner: command.owner,
        upload_id: command.upload_id,
        declared: command.declared,
        object: command.object,
        window: command.window,
        part_size: command.part_size,
        multipart: None,
        tags: BTreeSet::new(),
        deleted: false,
        retries: 0,
        cleaning: Cleaning::Kept,
        state: PhotoState::Queued,
    };
    assert_eq!(Photo::begin(&first), Ok(expected.clone()));
    assert_eq!(Photo::fold([&first]), Ok(expected));
}

#[test]
fn a_stream_must_begin_with_the_creation_of_the_photo() {
    assert_eq!(Photo::fold([]), Err(FoldError));
    let created_late = [PhotoEvent::PhotoUploadStarted {}, Photo::queue(queue_photo())];
    assert_eq!(Photo::fold(&created_late), Err(FoldError));
}

//! rapidphoto-sample-photos

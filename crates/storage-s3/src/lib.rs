//! rapidphoto-storage-s3

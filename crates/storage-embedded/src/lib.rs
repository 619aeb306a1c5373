//! rapidphoto-storage-embedded

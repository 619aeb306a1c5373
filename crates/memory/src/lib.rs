//! rapidphoto-memory

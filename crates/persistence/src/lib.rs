//! rapidphoto-persistence

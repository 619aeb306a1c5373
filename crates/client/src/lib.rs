//! rapidphoto-client

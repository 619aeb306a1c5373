//! rapidphoto-http

//! rapidphoto-credentials

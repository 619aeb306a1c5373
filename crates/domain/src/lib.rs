//! rapidphoto-domain

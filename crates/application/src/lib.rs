//! rapidphoto-application

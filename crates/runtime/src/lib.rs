//! rapidphoto-runtime

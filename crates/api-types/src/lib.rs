//! rapidphoto-api-types

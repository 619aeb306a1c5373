//! rapidphoto-testkit

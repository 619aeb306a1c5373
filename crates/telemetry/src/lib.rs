//! rapidphoto-telemetry

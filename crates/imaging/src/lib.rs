//! rapidphoto-imaging

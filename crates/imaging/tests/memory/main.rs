//! Inspections take no more memory than [`max_memory_bytes`](rapidphoto_imaging::max_memory_bytes): each file is
//! inspected in a process of its own, and the operating system reports the peak of its memory.
#![cfg(target_os = "linux")]

#[cfg(test)]
#[path = "../imaging/fixtures/mod.rs"]
#[allow(dead_code, reason = "these tests use a part of the fixtures")]
mod fixtures;
#[cfg(test)]
mod gif;
#[cfg(test)]
mod jpeg;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod png;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tiff;
#[cfg(test)]
mod vp8l;
#[cfg(test)]
mod webp;

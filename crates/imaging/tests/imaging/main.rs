//! Inspection of JPEG, PNG, WebP, GIF and TIFF files: findings, metadata and thumbnails, also of damaged and hostile
//! files.

#[cfg(test)]
mod colour_profiles;
#[cfg(test)]
mod exif;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod gif;
#[cfg(test)]
mod inspection;
#[cfg(test)]
mod jpeg;
#[cfg(test)]
mod large_metadata;
#[cfg(test)]
mod orientation;
#[cfg(test)]
mod png;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod thumbnails;
#[cfg(test)]
mod tiff;
#[cfg(test)]
mod webp;

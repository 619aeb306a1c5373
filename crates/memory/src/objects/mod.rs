mod announcement;
mod bucket;
mod client;
mod memory_objects;
mod multipart;
mod presigner;
mod store;

pub use self::{client::ClientAnswer, memory_objects::MemoryObjects};

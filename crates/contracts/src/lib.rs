//! rapidphoto-contracts

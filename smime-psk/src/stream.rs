//! Messages that do not fit in memory (feature `std`).

mod open;
mod read;
mod seal;

pub use open::{OpenedStream, open_stream, recipient_infos};
pub use seal::StreamSealer;

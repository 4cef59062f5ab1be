//! Self-consistency: the program `mediasec` as a user runs it. What others say of the same input is in
//! `mediasec_peers` and `wireshark`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod captures;
mod decrypt;
mod golden;
mod hostile;
mod lines;
mod nested;
mod program;
mod secrets;

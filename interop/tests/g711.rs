//! Independent implementation: mu-law as the calls carry it, against FFmpeg's codec.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use interop::peer::{self, PeerError};

#[test]
fn every_octet_decodes_as_ffmpeg_decodes_it() {
    let octets: Vec<u8> = (0..=u8::MAX).collect();
    let Some(theirs) = peer::or_not_run("g711", convert("mulaw", "s16be", &octets)) else {
        return;
    };
    let ours: Vec<u8> = octets
        .iter()
        .flat_map(|&o| decode_ulaw(o).to_be_bytes())
        .collect();
    assert_eq!(ours, theirs);
}

/// FFmpeg rounds to the nearest value; ITU-T G.711 draws the decision values between segments
/// elsewhere, and ours follows it. So some samples may come one step apart, and no more.
#[test]
fn every_sample_encodes_as_ffmpeg_encodes_it_or_one_step_beside() {
    let samples: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    let pcm: Vec<u8> = samples.iter().flat_map(|s| s.to_be_bytes()).collect();
    let Some(theirs) = peer::or_not_run("g711", convert("s16be", "mulaw", &pcm)) else {
        return;
    };
    let ours: Vec<u8> = samples.iter().copied().map(encode_ulaw).collect();
    assert_eq!(ours.len(), theirs.len());
    assert!(
        ours.iter()
            .zip(&theirs)
            .all(|(our, their)| our.abs_diff(*their) <= 1)
    );
    let beside = ours
        .iter()
        .zip(&theirs)
        .filter(|(our, their)| our != their)
        .count();
    assert!(beside < ours.len() / 50, "{beside}");
}

fn convert(from: &str, to: &str, input: &[u8]) -> Result<Vec<u8>, PeerError> {
    let program = "ffmpeg";
    let io = |error| PeerError::Io { program, error };
    let mut ffmpeg = Command::new(program)
        .args([
            "-v", "error", "-ar", "8000", "-ac", "1", "-f", from, "-i", "pipe:0",
        ])
        .args(["-f", to, "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let mut stdin = ffmpeg
        .stdin
        .take()
        .ok_or_else(|| io(std::io::ErrorKind::BrokenPipe.into()))?;
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = ffmpeg.wait_with_output().map_err(io)?;
    let written = writer
        .join()
        .map_err(|_| io(std::io::ErrorKind::Other.into()))?;
    if output.status.success() {
        written.map_err(io)?;
        Ok(output.stdout)
    } else {
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(PeerError::Failed { program, output })
    }
}

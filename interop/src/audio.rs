//! Audio as the calls of this package carry it: 8 kHz, mono, 16-bit linear samples.

use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// Samples a second.
pub const SAMPLE_RATE: u32 = 8000;

/// Samples of one packet: 20 ms.
pub const FRAME_SAMPLES: usize = 160;

const SPEC: WavSpec = WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

/// A WAV file cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The file holds no sample.
    #[error("the file holds no audio")]
    Empty,
    /// The audio is of another kind than these calls carry.
    #[error("found {0}; needed 8000 Hz mono PCM")]
    Format(String),
    /// The file cannot be read or written, or is not a PCM WAV file.
    #[error("{0}")]
    Wav(#[from] hound::Error),
}

/// Reads a WAV file of 8 kHz mono PCM, of 8 to 32 bits a sample.
///
/// # Errors
///
/// [`WavError`] if the file cannot be read, is of another format, or is empty.
pub fn read_wav(path: &Path) -> Result<Vec<i16>, WavError> {
    let reader = WavReader::open(path)?;
    let spec = reader.spec();
    if (spec.sample_rate, spec.channels, spec.sample_format) != (SAMPLE_RATE, 1, SampleFormat::Int)
    {
        return Err(WavError::Format(describe(spec)));
    }
    let bits = spec.bits_per_sample;
    let samples: Vec<i16> = reader
        .into_samples::<i32>()
        .map(|sample| sample.map(|value| to_16_bits(value, bits)))
        .collect::<Result<_, _>>()?;
    if samples.is_empty() {
        Err(WavError::Empty)
    } else {
        Ok(samples)
    }
}

/// A WAV file being written.
pub struct WavFile {
    writer: WavWriter<std::io::BufWriter<std::fs::File>>,
}

impl WavFile {
    /// Creates the file, or empties the one that is there.
    ///
    /// # Errors
    ///
    /// [`WavError::Wav`] if it cannot be written.
    pub fn create(path: &Path) -> Result<Self, WavError> {
        Ok(Self {
            writer: WavWriter::create(path, SPEC)?,
        })
    }

    /// Writes `samples` and closes the file.
    ///
    /// # Errors
    ///
    /// [`WavError::Wav`] if it cannot be written.
    pub fn write(mut self, samples: &[i16]) -> Result<(), WavError> {
        for sample in samples {
            self.writer.write_sample(*sample)?;
        }
        Ok(self.writer.finalize()?)
    }
}

impl core::fmt::Debug for WavFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("WavFile")
    }
}

/// Four seconds of decaying notes: the same samples on every machine.
///
/// ```
/// let melody = interop::audio::melody();
/// assert_eq!(melody.len(), 4 * 8000);
/// assert_eq!(melody, interop::audio::melody());
/// ```
#[must_use]
pub fn melody() -> Vec<i16> {
    NOTES.iter().flat_map(|&step| Note::new(step)).collect()
}

/// C5 E5 G5 C6 G5 E5 C5 G5, each as 2^16 * 2 sin(pi f / 8000).
const NOTES: [i32; 8] = [
    26_744, 33_555, 39_719, 52_362, 39_719, 33_555, 26_744, 39_719,
];

const NOTE_SAMPLES: i32 = 4000;
const AMPLITUDE: i32 = 20_000;

/// A sine by two coupled integrators in integers, so that no floating-point library can change it.
struct Note {
    step: i32,
    cosine: i32,
    sine: i32,
    left: i32,
}

impl Note {
    const fn new(step: i32) -> Self {
        Self {
            step,
            cosine: AMPLITUDE,
            sine: 0,
            left: NOTE_SAMPLES,
        }
    }
}

impl Iterator for Note {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        self.left = self.left.checked_sub(1).filter(|left| *left >= 0)?;
        self.sine += (self.cosine * self.step) >> 16;
        self.cosine -= (self.sine * self.step) >> 16;
        Some(saturate(self.sine * self.left / NOTE_SAMPLES))
    }
}

fn to_16_bits(value: i32, bits: u16) -> i16 {
    saturate(if bits < 16 {
        value << (16 - bits)
    } else {
        value >> (bits - 16)
    })
}

fn saturate(value: i32) -> i16 {
    i16::try_from(value).unwrap_or(if value < 0 { i16::MIN } else { i16::MAX })
}

fn describe(spec: WavSpec) -> String {
    let channels = match spec.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    };
    let kind = match spec.sample_format {
        SampleFormat::Int => "PCM",
        SampleFormat::Float => "floating point",
    };
    format!(
        "{} Hz {channels} {}-bit {kind}",
        spec.sample_rate, spec.bits_per_sample
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_melody_is_loud_and_does_not_clip() {
        let peak = melody().iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((15_000..32_767).contains(&peak), "{peak}");
    }

    #[test]
    fn samples_of_other_widths_become_16_bits() {
        assert_eq!(to_16_bits(-128, 8), i16::MIN);
        assert_eq!(to_16_bits(0x7f_ffff, 24), i16::MAX);
        assert_eq!(to_16_bits(i32::MIN, 32), i16::MIN);
    }
}

//! Who they are, what they say, and what each should hear.

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use interop::audio::{self, FRAME_SAMPLES};

use crate::ProgramError;

/// Those who may be in it, in the order in which they come.
const NAMES: [&str; MAX_PEOPLE] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "ken",
    "laura",
];

pub(crate) const MAX_PEOPLE: usize = 12;

/// Who is on no list.
pub(crate) const MALLORY: &str = "sip:mallory@example.com";

/// The first `number` of them: URIs.
pub(crate) fn uris(number: usize) -> Vec<String> {
    let names = NAMES.iter().take(number);
    names
        .map(|name| format!("sip:{name}@example.com"))
        .collect()
}

/// The name in a URI, as people write it.
pub(crate) fn name(uri: &str) -> String {
    let name = uri.trim_start_matches("sip:");
    let name = name.split('@').next().unwrap_or_default();
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Names, as people list them.
pub(crate) fn names<'u>(uris: impl IntoIterator<Item = &'u str>) -> String {
    let names: Vec<_> = uris.into_iter().map(name).collect();
    names.join(", ")
}

/// The voices of all: a melody, of which each begins elsewhere.
pub(crate) struct Voices {
    melody: Vec<i16>,
    frame: usize,
}

/// Samples by which voices are apart.
const APART: usize = 2311;

impl Voices {
    pub(crate) fn new() -> Self {
        Self {
            melody: audio::melody(),
            frame: 0,
        }
    }

    /// The next 20 ms.
    pub(crate) const fn next(&mut self) {
        self.frame += 1;
    }

    /// What someone says in these.
    pub(crate) fn of(&self, uri: &str) -> Vec<i16> {
        let known = NAMES
            .iter()
            .position(|name| uri.contains(&format!(":{name}@")));
        let begin = self.frame * FRAME_SAMPLES + known.unwrap_or_default() * APART;
        let samples = self.melody.iter().cycle();
        samples
            .skip(begin % self.melody.len())
            .take(FRAME_SAMPLES)
            .copied()
            .collect()
    }

    /// That what was heard is the sum of what these say, each having been through G.711 once and the
    /// sum once more.
    pub(crate) fn check<'u>(
        &self,
        heard: &[i16],
        speakers: impl IntoIterator<Item = &'u str>,
    ) -> Result<(), ProgramError> {
        let coded = |sample: i16| decode_ulaw(encode_ulaw(sample));
        let mut sums = vec![0_i32; FRAME_SAMPLES];
        for speaker in speakers {
            for (sum, sample) in sums.iter_mut().zip(self.of(speaker)) {
                *sum += i32::from(coded(sample));
            }
        }
        let clipped = |sum: i32| sum.clamp(i16::MIN.into(), i16::MAX.into());
        let expected = sums.into_iter().map(clipped).map(i16::try_from);
        if expected
            .map(|sample| sample.map(coded))
            .eq(heard.iter().copied().map(Ok))
        {
            Ok(())
        } else {
            Err(ProgramError::OtherAudio)
        }
    }
}

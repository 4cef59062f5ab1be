use alloc::collections::BTreeMap;

use super::{Leg, LegError, Outbound};
use crate::audio::FRAME_SAMPLES;

/// The mixer of a focus: hears all legs, and sends to each what the others say, in a stream of its own
/// SSRC (TR 33.829 §5.3.3.2). With a group key it sends the same packet to all, with everybody in it.
#[derive(Debug, Default)]
pub struct Room {
    legs: BTreeMap<String, Leg>,
    group: Option<Outbound>,
}

impl Room {
    /// Nobody is in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends `stream` to all from now on, and no other.
    pub fn share(&mut self, stream: Outbound) {
        self.group = Some(stream);
    }

    /// The stream that is sent to all.
    #[must_use]
    pub const fn shared(&self) -> Option<&Outbound> {
        self.group.as_ref()
    }

    /// As [`shared`](Self::shared), to change its keys.
    pub const fn shared_mut(&mut self) -> Option<&mut Outbound> {
        self.group.as_mut()
    }

    /// Someone comes in, or changes to another leg.
    pub fn enter(&mut self, name: &str, leg: Leg) {
        self.legs.insert(name.to_owned(), leg);
    }

    /// Someone goes. Whether they were there.
    pub fn leave(&mut self, name: &str) -> bool {
        self.legs.remove(name).is_some()
    }

    /// The leg of someone.
    pub fn leg_mut(&mut self, name: &str) -> Option<&mut Leg> {
        self.legs.get_mut(name)
    }

    /// Who is in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.legs.keys().map(String::as_str)
    }

    /// Twenty milliseconds: hears everyone and sends the mix. Gives the names of those of whom nothing
    /// came; it waits for two seconds for each.
    ///
    /// # Errors
    ///
    /// [`LegError`] if the network fails or a key is used up.
    pub fn relay(&mut self) -> Result<Vec<String>, LegError> {
        let mut silent = Vec::new();
        let mut voices = BTreeMap::new();
        for (name, leg) in &mut self.legs {
            match leg.hear() {
                Ok(heard) => {
                    voices.insert(name.clone(), heard.samples);
                }
                Err(LegError::Silence | LegError::Refused(_)) => silent.push(name.clone()),
                Err(error) => return Err(error),
            }
        }
        if let Some(group) = &mut self.group {
            let packet = group.packet(&mix(voices.values()))?;
            for leg in self.legs.values() {
                leg.send(&packet)?;
            }
        } else {
            for (name, leg) in &mut self.legs {
                let others = voices.iter().filter(|(other, _)| *other != name);
                leg.speak(&mix(others.map(|(_, voice)| voice)))?;
            }
        }
        Ok(silent)
    }
}

/// The sum of all voices, as loud as samples can be at most: one frame.
///
/// ```
/// use interop::conference::mix;
///
/// let voices = [vec![20_000; 160], vec![15_000; 160], vec![-1; 160]];
/// assert_eq!(mix(&voices)[0], i16::MAX);
/// assert_eq!(mix(&voices[1..])[0], 14_999);
/// ```
pub fn mix<'v>(voices: impl IntoIterator<Item = &'v Vec<i16>>) -> Vec<i16> {
    let mut sums = [0_i32; FRAME_SAMPLES];
    for voice in voices {
        for (sum, sample) in sums.iter_mut().zip(voice) {
            *sum = sum.saturating_add(i32::from(*sample));
        }
    }
    let saturate = |sum: i32| {
        let most = if sum < 0 { i16::MIN } else { i16::MAX };
        i16::try_from(sum).unwrap_or(most)
    };
    sums.map(saturate).to_vec()
}

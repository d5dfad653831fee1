//! Sounds: WAV, read up to what is really there, as facts, as a line of how loud it is, and as a strip
//! of how high.

use std::f64::consts::PI;

use super::Unreadable;
use crate::domain::attachment::kind_of;

/// Samples of a channel that are read: ten minutes at 48 kHz.
const SAMPLES_MAX: usize = 48_000 * 600;
/// Channels that are drawn.
const CHANNELS_DRAWN: usize = 8;
/// Samples of which a column of the strip is made.
const WINDOW: usize = 256;

/// A sound as far as it is here.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    pub rate: u32,
    pub bits: u16,
    pub encoding: &'static str,
    /// The samples of each channel, from -1 to 1.
    pub channels: Vec<Vec<f32>>,
    /// Bytes that the header promises, and that are there.
    pub promised: u64,
    pub here: u64,
}

/// What is drawn of a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    pub rate: u32,
    /// Of each channel, over time.
    pub loudness: Vec<Vec<f64>>,
    /// Of each band, the highest first, over time.
    pub bands: Vec<Vec<f64>>,
}

impl Sound {
    /// Reads a WAV, as much of it as there is.
    ///
    /// # Errors
    /// It is none, or its header says what can't be.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.is_empty() {
            return Err(Unreadable::Empty);
        }
        if kind_of(bytes) != Some("audio/wav") {
            return Err(Unreadable::Unknown);
        }
        let broken = |why: &str| Unreadable::Broken(why.to_owned());
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u32, |n, b| (n << 8) | u32::from(*b));
        let (mut format, mut at) = (None, 12);
        while let Some(head) = bytes.get(at..at + 8) {
            let promised = number(&head[4..]);
            let rest = &bytes[at + 8..];
            let body = &rest[..rest.len().min(promised as usize)];
            match &head[..4] {
                b"fmt " => {
                    let body = body.get(..16).ok_or_else(|| broken("its header is cut"))?;
                    let kind = match number(&body[..2]) {
                        // What is meant stands further on.
                        0xfffe => rest.get(24..26).map_or(0, number),
                        kind => kind,
                    };
                    let (channels, rate) = (number(&body[2..4]), number(&body[4..8]));
                    format = Some((kind, channels as usize, rate, number(&body[14..16]) as u16));
                }
                b"data" => {
                    let (kind, channels, rate, bits) =
                        format.ok_or_else(|| broken("it has samples and no format"))?;
                    if channels == 0 || channels > 64 {
                        return Err(broken(&format!("it has {channels} channels")));
                    }
                    if rate == 0 {
                        return Err(broken("it has no sample rate"));
                    }
                    let (encoding, sample) = decoder(kind, bits).ok_or_else(|| {
                        broken(&format!("its encoding {kind} of {bits} bits is not known"))
                    })?;
                    let size = usize::from(bits / 8);
                    let mut read = vec![Vec::new(); channels];
                    for frame in body.chunks_exact(size * channels).take(SAMPLES_MAX) {
                        for (channel, bytes) in read.iter_mut().zip(frame.chunks_exact(size)) {
                            channel.push(sample(bytes));
                        }
                    }
                    let (promised, here) = (u64::from(promised), body.len() as u64);
                    return Ok(Self { rate, bits, encoding, channels: read, promised, here });
                }
                _ => {}
            }
            at = at.saturating_add(8).saturating_add(promised as usize + promised as usize % 2);
        }
        Err(broken(if format.is_some() { "it has no samples" } else { "its header is cut" }))
    }

    pub fn seconds(&self) -> f64 {
        self.channels.first().map_or(0.0, |samples| samples.len() as f64 / f64::from(self.rate))
    }

    /// The loudest sample, and the root of the mean of all squares.
    pub fn peak_and_rms(&self) -> (f64, f64) {
        let all = || self.channels.iter().flatten().map(|sample| f64::from(*sample));
        let n = all().count().max(1) as f64;
        (all().map(f64::abs).fold(0.0, f64::max), (all().map(|v| v * v).sum::<f64>() / n).sqrt())
    }

    /// What is to be known of it, and what is wrong with it.
    pub fn facts(&self) -> (String, Option<String>) {
        let (peak, rms) = self.peak_and_rms();
        let channels = match self.channels.len() {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            n => format!("{n} channels"),
        };
        let facts = format!(
            "{:.2} s, {} Hz, {channels}, {} {} bits, peak {peak:.2}, RMS {rms:.2}",
            self.seconds(),
            self.rate,
            self.encoding,
            self.bits
        );
        let wrong = if self.channels.iter().all(Vec::is_empty) {
            Some("it has no samples".to_owned())
        } else if self.promised > self.here {
            Some(format!("it promises {} bytes of samples and has {}", self.promised, self.here))
        } else if peak == 0.0 {
            Some("it is silent".to_owned())
        } else {
            None
        };
        (facts, wrong)
    }

    /// What is drawn of it: worked out once, for ten minutes are many samples.
    pub fn strip(&self, columns: usize, rows: usize) -> Strip {
        let channels = 0..self.channels.len().min(CHANNELS_DRAWN);
        Strip {
            rate: self.rate,
            loudness: channels.map(|channel| self.loudness(channel, columns)).collect(),
            bands: self.bands(columns, rows),
        }
    }

    /// How loud each of so many stretches of a channel is at most, from 0 to 1.
    pub fn loudness(&self, channel: usize, columns: usize) -> Vec<f64> {
        let Some(samples) = self.channels.get(channel).filter(|samples| !samples.is_empty()) else {
            return Vec::new();
        };
        let columns = columns.min(samples.len());
        let stretch = |n: usize| {
            let (from, to) = (n * samples.len() / columns, (n + 1) * samples.len() / columns);
            samples[from..to.max(from + 1)].iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max)
        };
        (0..columns).map(stretch).collect()
    }

    /// How strong each of so many bands is over time, the highest first, from 0 to 1: of all channels
    /// together, in decibels from the strongest down to 60 below it.
    pub fn bands(&self, columns: usize, rows: usize) -> Vec<Vec<f64>> {
        let n = self.channels.first().map_or(0, Vec::len);
        if n < WINDOW || columns == 0 || rows == 0 {
            return Vec::new();
        }
        let mixed =
            |at: usize| -> f64 { self.channels.iter().map(|samples| f64::from(samples[at])).sum() };
        let bins = WINDOW / 2;
        let wave: Vec<(f64, f64)> =
            (0..WINDOW).map(|i| (2.0 * PI * i as f64 / WINDOW as f64).sin_cos()).collect();
        let power = |column: usize| -> Vec<f64> {
            let from = column * (n - WINDOW) / columns.max(2).saturating_sub(1);
            let from = from.min(n - WINDOW);
            let samples: Vec<f64> =
                (0..WINDOW).map(|i| mixed(from + i) * (0.5 - 0.5 * wave[i].1)).collect();
            let of_bin = |bin: usize| {
                let (mut sin, mut cos) = (0.0, 0.0);
                for (i, sample) in samples.iter().enumerate() {
                    let (s, c) = wave[bin * i % WINDOW];
                    (sin, cos) = (sin + sample * s, cos + sample * c);
                }
                sin * sin + cos * cos
            };
            let of_bins: Vec<f64> = (0..bins).map(of_bin).collect();
            let band = |row: usize| {
                let (from, to) =
                    (row * bins / rows, ((row + 1) * bins / rows).max(row * bins / rows + 1));
                of_bins[from..to.min(bins)].iter().copied().fold(0.0, f64::max)
            };
            (0..rows).map(band).collect()
        };
        let powers: Vec<Vec<f64>> = (0..columns).map(power).collect();
        let most = powers.iter().flatten().copied().fold(0.0, f64::max);
        let level = |power: f64| {
            if power <= 0.0 || most <= 0.0 {
                0.0
            } else {
                (1.0 + (power / most).log10() / 6.0).max(0.0)
            }
        };
        (0..rows)
            .rev()
            .map(|row| powers.iter().map(|column| level(column[row])).collect())
            .collect()
    }
}

type Sample = fn(&[u8]) -> f32;

/// How samples are read: of whole numbers, of broken ones, or by the two laws of telephony.
fn decoder(kind: u32, bits: u16) -> Option<(&'static str, Sample)> {
    fn whole(bytes: &[u8]) -> f32 {
        let shift = 32 - 8 * bytes.len() as u32;
        let sum = bytes.iter().rev().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
        ((sum << shift).cast_signed() as f64 / 2_147_483_648.0) as f32
    }
    fn byte(bytes: &[u8]) -> f32 {
        (f32::from(bytes[0]) - 128.0) / 128.0
    }
    fn single(bytes: &[u8]) -> f32 {
        bytes.try_into().map(f32::from_le_bytes).ok().filter(|v| v.is_finite()).unwrap_or(0.0)
    }
    fn double(bytes: &[u8]) -> f32 {
        let value = bytes.try_into().map(f64::from_le_bytes).ok().filter(|v| v.is_finite());
        value.unwrap_or(0.0) as f32
    }
    fn mu_law(bytes: &[u8]) -> f32 {
        let byte = !bytes[0];
        let size = ((i32::from(byte & 15) << 3) + 0x84) << ((byte >> 4) & 7);
        let value = (size - 0x84) as f32 / 32_768.0;
        if byte & 0x80 == 0 { value } else { -value }
    }
    fn a_law(bytes: &[u8]) -> f32 {
        let byte = bytes[0] ^ 0x55;
        let (exponent, mantissa) = ((byte >> 4) & 7, i32::from(byte & 15) << 4);
        let size = match exponent {
            0 => mantissa + 8,
            n => (mantissa + 0x108) << (n - 1),
        };
        let value = size as f32 / 32_768.0;
        if byte & 0x80 == 0 { -value } else { value }
    }
    Some(match (kind, bits) {
        (1, 8) => ("PCM", byte as Sample),
        (1, 16 | 24 | 32) => ("PCM", whole),
        (3, 32) => ("float", single),
        (3, 64) => ("float", double),
        (6, 8) => ("A-law", a_law),
        (7, 8) => ("µ-law", mu_law),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(kind: u16, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(8_000_u32.to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn samples_are_read_as_they_are_encoded() {
        let read = |kind, bits, data: &[u8]| {
            Sound::read(&wav(kind, 1, bits, data)).unwrap().channels[0].clone()
        };
        assert_eq!(read(1, 8, &[128, 0, 255]), [0.0, -1.0, 127.0 / 128.0]);
        assert_eq!(read(1, 16, &[0, 0x80, 0, 0x40]), [-1.0, 0.5]);
        assert_eq!(read(1, 24, &[0, 0, 0x40]), [0.5]);
        assert_eq!(read(3, 32, &0.25_f32.to_le_bytes()), [0.25]);
        assert_eq!(read(3, 32, &f32::NAN.to_le_bytes()), [0.0]);
        // By the tables of G.711.
        assert_eq!(
            read(7, 8, &[0xff, 0x80, 0x00]),
            [0.0, 32_124.0 / 32_768.0, -32_124.0 / 32_768.0]
        );
        assert_eq!(read(6, 8, &[0xd5, 0x2a]), [8.0 / 32_768.0, -32_256.0 / 32_768.0]);
    }

    #[test]
    fn a_tone_stands_in_its_band() {
        let tone: Vec<u8> = (0..4_000)
            .flat_map(|i| {
                (((f64::from(i) * 2.0 * PI * 3_000.0 / 8_000.0).sin() * 20_000.0) as i16)
                    .to_le_bytes()
            })
            .collect();
        let sound = Sound::read(&wav(1, 1, 16, &tone)).unwrap();
        let bands = sound.bands(10, 8);
        for column in 0..10 {
            let level = |row: &usize| bands.get(*row).map_or(0.0, |band| band[column]);
            let row = (0..8).max_by(|a, b| level(a).total_cmp(&level(b)));
            assert_eq!(row, Some(1), "3 kHz of 4 is in the second band from above");
        }
        assert_eq!(sound.loudness(0, 5).len(), 5);
    }
}

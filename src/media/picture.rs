//! Pictures: PNG, JPEG and GIF, decoded within bounds and scaled to the cells of a terminal.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Unreadable;
use crate::domain::attachment::kind_of;

/// Points on a side, and bytes of a picture that is decoded: 16 million points.
const SIDE_MAX: u32 = 20_000;
const BYTES_MAX: usize = 64 << 20;
/// A small picture is drawn at most so many times as large.
const ENLARGED_MAX: f64 = 4.0;
/// Behind what is transparent.
const BEHIND: [u64; 2] = [40, 72];
/// Frames of a moving picture that are counted.
const FRAMES_MAX: usize = 10_000;

/// How many points a picture is wide and high, as its beginning says; nothing where that does not.
pub fn size_of(beginning: &[u8]) -> Option<(u32, u32)> {
    match kind_of(beginning)? {
        "image/png" => {
            let mut decoder = png::Decoder::new(Cursor::new(beginning));
            let header = decoder.read_header_info().ok()?;
            Some((header.width, header.height))
        }
        "image/jpeg" => {
            let mut decoder =
                JpegDecoder::new_with_options(ZCursor::new(beginning), DecoderOptions::default());
            decoder.decode_headers().ok()?;
            let header = decoder.info()?;
            Some((u32::from(header.width), u32::from(header.height)))
        }
        "image/gif" => {
            let side =
                |at: usize| Some(u32::from(u16::from_le_bytes(*beginning[at..].first_chunk()?)));
            Some((side(6)?, side(8)?))
        }
        _ => None,
    }
}

/// Whether what begins so is larger than is drawn.
pub fn too_large(beginning: &[u8]) -> Option<Unreadable> {
    let (width, height) = size_of(beginning)?;
    within_bounds(width, height).err()
}

/// A picture as it is to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub kind: &'static str,
    pub width: u32,
    pub height: u32,
    /// Of a moving picture, of which the first is shown.
    pub frames: usize,
    /// Red, green, blue and how solid, of each point.
    points: Vec<[u8; 4]>,
}

impl Picture {
    /// Decodes a picture: of what kind it is, its bytes decide.
    ///
    /// # Errors
    /// It is none, too large, or broken.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        match kind_of(bytes) {
            _ if bytes.is_empty() => Err(Unreadable::Empty),
            Some("image/png") => png(bytes),
            Some("image/jpeg") => jpeg(bytes),
            Some("image/gif") => gif(bytes),
            _ => Err(Unreadable::Unknown),
        }
    }

    /// A picture of points that are known, row by row.
    pub fn of_points(width: u32, height: u32, points: Vec<[u8; 4]>) -> Self {
        Self { kind: "image/png", width, height, frames: 1, points }
    }

    /// The picture scaled into so many columns and rows of cells, two points a cell, one above the
    /// other; as large as it fits, with its proportions.
    pub fn scaled(&self, columns: usize, rows: usize) -> Vec<Vec<[[u8; 3]; 2]>> {
        let (wide, high) = (f64::from(self.width), f64::from(self.height));
        let scale = (columns as f64 / wide).min(rows as f64 * 2.0 / high).min(ENLARGED_MAX);
        let across = ((wide * scale).round() as usize).clamp(1, columns.max(1));
        let down = ((high * scale).round() as usize).clamp(1, (rows * 2).max(1));
        let point = |x: usize, y: usize| self.point((x, y), (across, down), (x / 2 + y / 2) % 2);
        let row = |row: usize| {
            let below = |x| if row * 2 + 1 < down { point(x, row * 2 + 1) } else { [0; 3] };
            (0..across).map(|x| [point(x, row * 2), below(x)]).collect()
        };
        (0..down.div_ceil(2)).map(row).collect()
    }

    /// Its points, row by row, scaled to so many across and down.
    pub fn points(&self, across: usize, down: usize) -> Vec<[u8; 3]> {
        let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
        places.map(|(x, y)| self.point((x, y), (across, down), (x / 8 + y / 8) % 2)).collect()
    }

    /// It, scaled to so many points across and down, over what is behind it.
    pub fn smaller(&self, across: usize, down: usize) -> Self {
        let points = self.points(across, down).into_iter().map(|[r, g, b]| [r, g, b, 255]);
        Self::of_points(across as u32, down as u32, points.collect())
    }

    /// A point of it, scaled to so many across and down.
    fn point(&self, (x, y): (usize, usize), of: (usize, usize), shade: usize) -> [u8; 3] {
        let span = |at: usize, of: usize, size: u32| {
            let from = at * size as usize / of;
            from..((at + 1) * size as usize).div_ceil(of).clamp(from + 1, size as usize)
        };
        self.mean(span(x, of.0, self.width), span(y, of.1, self.height), shade)
    }

    /// The mean colour of some points, over one of the two shades behind what is transparent.
    fn mean(
        &self,
        across: std::ops::Range<usize>,
        down: std::ops::Range<usize>,
        shade: usize,
    ) -> [u8; 3] {
        // Of very many points some are enough.
        let step = |range: &std::ops::Range<usize>| (range.len() / 16).max(1);
        let (mut sums, mut n) = ([0; 3], 0_u64);
        for y in down.clone().step_by(step(&down)) {
            for x in across.clone().step_by(step(&across)) {
                let Some([r, g, b, a]) = self.points.get(y * self.width as usize + x) else {
                    continue;
                };
                let (solid, behind) = (u64::from(*a), BEHIND[shade] * u64::from(255 - *a));
                for (sum, part) in sums.iter_mut().zip([r, g, b]) {
                    *sum += u64::from(*part) * solid + behind;
                }
                n += 255;
            }
        }
        sums.map(|sum| ((sum + n / 2) / n.max(1)) as u8)
    }

    /// Turned as a camera says that it was held (EXIF's orientation).
    fn turned(self, orientation: u16) -> Self {
        let (wide, high) = (self.width as usize, self.height as usize);
        let (across, down) = if orientation >= 5 { (high, wide) } else { (wide, high) };
        // Where each point of the turned picture comes from.
        let from = |x: usize, y: usize| match orientation {
            2 => (wide - 1 - x, y),
            3 => (wide - 1 - x, high - 1 - y),
            4 => (x, high - 1 - y),
            5 => (y, x),
            6 => (y, high - 1 - x),
            7 => (wide - 1 - y, high - 1 - x),
            8 => (wide - 1 - y, x),
            _ => (x, y),
        };
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
        let points = places.map(|(x, y)| {
            let (x, y) = from(x, y);
            self.points[y * wide + x]
        });
        let points = points.collect();
        Self { width: across as u32, height: down as u32, points, ..self }
    }
}

fn within_bounds(width: u32, height: u32) -> Result<usize, Unreadable> {
    let points = u64::from(width) * u64::from(height);
    let fits = width <= SIDE_MAX && height <= SIDE_MAX && points * 4 <= BYTES_MAX as u64;
    if points == 0 {
        return Err(Unreadable::Broken("it has no points".to_owned()));
    }
    if fits { Ok(points as usize) } else { Err(Unreadable::TooLarge { width, height }) }
}

fn broken(error: impl std::fmt::Display) -> Unreadable {
    Unreadable::Broken(error.to_string())
}

fn png(bytes: &[u8]) -> Result<Picture, Unreadable> {
    let limits = png::Limits { bytes: BYTES_MAX };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(broken)?;
    let (width, height) = reader.info().size();
    within_bounds(width, height)?;
    let frames = reader.info().animation_control().map_or(1, |moving| moving.num_frames as usize);
    let size = reader.output_buffer_size().ok_or(Unreadable::TooLarge { width, height })?;
    let mut data = vec![0; size];
    let info = reader.next_frame(&mut data).map_err(broken)?;
    let points = match info.color_type {
        png::ColorType::Grayscale => data.iter().map(|v| [*v, *v, *v, 255]).collect(),
        png::ColorType::GrayscaleAlpha => {
            data.as_chunks().0.iter().map(|[v, a]| [*v, *v, *v, *a]).collect()
        }
        png::ColorType::Rgb => {
            data.as_chunks().0.iter().map(|[r, g, b]| [*r, *g, *b, 255]).collect()
        }
        png::ColorType::Rgba => data.as_chunks().0.to_vec(),
        png::ColorType::Indexed => return Err(broken("its palette was not read")),
    };
    Ok(Picture { kind: "image/png", width, height, frames, points })
}

fn jpeg(bytes: &[u8]) -> Result<Picture, Unreadable> {
    let options = DecoderOptions::default()
        .set_max_width(SIDE_MAX as usize)
        .set_max_height(SIDE_MAX as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| broken(format!("{error:?}")))?;
    let info = decoder.info().ok_or_else(|| broken("it has no header"))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    within_bounds(width, height)?;
    let data = decoder.decode().map_err(|error| broken(format!("{error:?}")))?;
    let orientation = decoder.exif().map_or(1, |exif| orientation(exif));
    let points: Vec<[u8; 4]> =
        data.as_chunks().0.iter().map(|[r, g, b]| [*r, *g, *b, 255]).collect();
    if points.len() != width as usize * height as usize {
        return Err(broken("it ends in the middle"));
    }
    let picture = Picture { kind: "image/jpeg", width, height, frames: 1, points };
    Ok(picture.turned(orientation))
}

/// How the camera was held, as EXIF says it: 1 where nothing is said.
fn orientation(exif: &[u8]) -> u16 {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let big = exif.starts_with(b"MM");
    let number = |at: usize, bytes: usize| -> Option<u32> {
        let digits = exif.get(at..at.checked_add(bytes)?)?.iter();
        let join = |sum: u32, byte: &u8| (sum << 8) | u32::from(*byte);
        Some(if big { digits.fold(0, join) } else { digits.rev().fold(0, join) })
    };
    let find = || {
        let first = number(4, 4)? as usize;
        let entries = number(first, 2)? as usize;
        (0..entries.min(500)).find_map(|n| {
            let entry = first.checked_add(2 + n * 12)?;
            (number(entry, 2)? == 0x0112).then(|| number(entry + 8, 2))?
        })
    };
    find().and_then(|value| u16::try_from(value).ok()).unwrap_or(1)
}

fn gif(bytes: &[u8]) -> Result<Picture, Unreadable> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    options.set_memory_limit(gif::MemoryLimit::Bytes(
        std::num::NonZeroU64::new(BYTES_MAX as u64).unwrap_or(std::num::NonZeroU64::MIN),
    ));
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    let points = within_bounds(width, height)?;
    let mut points = vec![[0; 4]; points];
    let first = decoder.read_next_frame().map_err(broken)?;
    let first = first.ok_or_else(|| broken("it has no frame"))?;
    let (left, top) = (usize::from(first.left), usize::from(first.top));
    for (y, row) in first.buffer.chunks(usize::from(first.width).max(1) * 4).enumerate() {
        for (x, point) in row.as_chunks().0.iter().enumerate() {
            let inside = left + x < width as usize && top + y < height as usize;
            if inside {
                points[(top + y) * width as usize + left + x] = *point;
            }
        }
    }
    let mut frames = 1;
    while frames < FRAMES_MAX && matches!(decoder.next_frame_info(), Ok(Some(_))) {
        frames += 1;
    }
    Ok(Picture { kind: "image/gif", width, height, frames, points })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, points: Vec<[u8; 4]>) -> Picture {
        Picture { kind: "image/png", width, height, frames: 1, points }
    }

    #[test]
    fn a_picture_is_scaled_with_its_proportions() {
        let (red, blue) = ([255, 0, 0, 255], [0, 0, 255, 255]);
        let halves = picture(2, 2, vec![red, blue, red, blue]);
        let cells = halves.scaled(40, 10);
        assert_eq!((cells.len(), cells[0].len()), (4, 8), "at most four times as large");
        assert_eq!((cells[0][0], cells[3][7]), ([[255, 0, 0]; 2], [[0, 0, 255]; 2]));
        let cells = picture(300, 2, vec![red; 600]).scaled(30, 10);
        assert_eq!((cells.len(), cells[0].len()), (1, 30), "a narrow one has a row at least");
        let clear = picture(4, 4, vec![[9, 9, 9, 0]; 16]).scaled(4, 2);
        assert_ne!(clear[0][0], clear[0][2], "behind what is transparent are two shades");
    }

    #[test]
    fn a_picture_is_turned_as_the_camera_says() {
        let points: Vec<[u8; 4]> = (0..6).map(|n| [n, 0, 0, 255]).collect();
        let turned = |orientation| {
            let turned = picture(3, 2, points.clone()).turned(orientation);
            (turned.width, turned.points.iter().map(|point| point[0]).collect::<Vec<_>>())
        };
        assert_eq!(turned(1), (3, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(turned(3), (3, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(turned(6), (2, vec![3, 0, 4, 1, 5, 2]));
        assert_eq!(turned(8), (2, vec![2, 5, 1, 4, 0, 3]));
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        assert_eq!((orientation(exif), orientation(b"MM\0"), orientation(&[255; 40])), (6, 1, 1));
    }
}

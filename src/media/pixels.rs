//! A picture as terminals take it that draw points: scaled, of few colours, as PNG or as sixels. Only
//! what was decoded here goes out again, and nothing else that the file held.

use color_quant::NeuQuant;

use super::picture::Picture;

/// Colours of a picture that is sent: a photograph is still one, and takes a quarter of the bytes.
const COLOURS: usize = 64;
/// How many points the colours are learned from: every tenth.
const LEARNS_FROM: i32 = 10;

/// Points of at most 64 colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    pub width: usize,
    pub height: usize,
    colours: Vec<[u8; 3]>,
    /// The colour of each point, row by row.
    of: Vec<u8>,
}

impl Points {
    pub fn of(picture: &Picture, width: usize, height: usize) -> Self {
        let points = picture.points(width, height);
        let mut colours: Vec<[u8; 3]> = Vec::new();
        for point in &points {
            if let Err(at) = colours.binary_search(point) {
                colours.insert(at, *point);
                if colours.len() > COLOURS {
                    break;
                }
            }
        }
        if colours.len() <= COLOURS {
            let at = |point| colours.binary_search(point).unwrap_or_default() as u8;
            let of = points.iter().map(at).collect();
            return Self { width, height, colours, of };
        }
        let solid: Vec<[u8; 4]> = points.iter().map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        let learned = NeuQuant::new(LEARNS_FROM, COLOURS, solid.as_flattened());
        let colours = learned.color_map_rgb().as_chunks().0.to_vec();
        let mut last = None;
        let mut of = Vec::with_capacity(solid.len());
        for point in &solid {
            // Points of one colour stand together.
            let index = match last {
                Some((known, index)) if known == point => index,
                _ => learned.index_of(point) as u8,
            };
            last = Some((point, index));
            of.push(index);
        }
        Self { width, height, colours, of }
    }

    /// As a PNG with a palette; nothing, if it has no points.
    pub fn png(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(self.colours.as_flattened().to_vec());
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.of).ok()?;
        writer.finish().ok()?;
        Some(out)
    }

    /// As sixels: rows of six, of each colour in them what it covers.
    ///
    /// The format is that of DEC's VT340 (its programmer's reference, chapter 14).
    pub fn sixels(&self) -> Vec<u8> {
        let mut out = format!("\x1bP0;1;0q\"1;1;{};{}", self.width, self.height);
        for (n, colour) in self.colours.iter().enumerate() {
            let [r, g, b] = colour.map(|part| (u32::from(part) * 100 + 127) / 255);
            out.push_str(&format!("#{n};2;{r};{g};{b}"));
        }
        for rows in self.of.chunks(self.width.max(1) * 6) {
            let mut of_colour: Vec<Option<Vec<u8>>> = vec![None; self.colours.len()];
            for (at, colour) in rows.iter().enumerate() {
                let (x, bit) = (at % self.width, at / self.width);
                let columns =
                    of_colour[usize::from(*colour)].get_or_insert_with(|| vec![0; self.width]);
                columns[x] |= 1 << bit;
            }
            for (n, columns) in of_colour.iter().enumerate() {
                let Some(columns) = columns else { continue };
                out.push_str(&format!("#{n}"));
                // What is blank up to the end need not be said.
                let end = columns.iter().rposition(|bits| *bits != 0).map_or(0, |last| last + 1);
                for same in columns[..end].chunk_by(|one, next| one == next) {
                    let sign = char::from(b'?' + same[0]);
                    match same.len() {
                        n @ 1..=3 => out.extend(std::iter::repeat_n(sign, n)),
                        n => out.push_str(&format!("!{n}{sign}")),
                    }
                }
                out.push('$');
            }
            out.push('-');
        }
        out.push_str("\x1b\\");
        out.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Many colours, in stripes and in noise.
    fn picture(width: u32, height: u32) -> Picture {
        let point = |n: u32| {
            let (x, y) = (n % width, n / width);
            [(x * 7) as u8, (y * 5) as u8, (n.wrapping_mul(2_654_435_761) >> 27) as u8, 255]
        };
        Picture::of_points(width, height, (0..width * height).map(point).collect())
    }

    #[test]
    fn a_png_has_the_points_and_nothing_else() {
        for (width, height) in [(1, 1), (7, 13), (320, 200)] {
            let points = Points::of(&picture(64, 48), width, height);
            assert!(points.colours.len() <= COLOURS);
            let png = Picture::read(&points.png().unwrap()).unwrap();
            assert_eq!((png.width as usize, png.height as usize), (width, height));
            let again = Points::of(&png, width, height);
            let seen = |points: &Points| -> Vec<[u8; 3]> {
                points.of.iter().map(|of| points.colours[usize::from(*of)]).collect()
            };
            assert_eq!(seen(&again), seen(&points), "few colours are kept as they are");
        }
    }

    /// What a terminal makes of sixels.
    fn drawn(sixels: &[u8], width: usize, height: usize) -> Vec<usize> {
        let text = std::str::from_utf8(sixels).unwrap();
        let body = text.strip_prefix("\x1bP0;1;0q").unwrap().strip_suffix("\x1b\\").unwrap();
        let (mut cells, mut x, mut y, mut colour) = (vec![usize::MAX; width * height], 0, 0, 0);
        let mut signs = body.chars().peekable();
        while let Some(sign) = signs.next() {
            let number = |signs: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                let mut n = 0;
                while let Some(digit) = signs.peek().and_then(|c| c.to_digit(10)) {
                    n = n * 10 + digit as usize;
                    signs.next();
                }
                n
            };
            match sign {
                '"' => assert_eq!(
                    [1, 1, width, height].map(|_| {
                        let n = number(&mut signs);
                        signs.next_if_eq(&';');
                        n
                    }),
                    [1, 1, width, height]
                ),
                '#' => {
                    colour = number(&mut signs);
                    while signs.next_if_eq(&';').is_some() {
                        while signs.next_if(char::is_ascii_digit).is_some() {}
                    }
                }
                '$' => x = 0,
                '-' => (x, y) = (0, y + 6),
                sign => {
                    let (n, sign) = match sign {
                        '!' => (number(&mut signs), signs.next().unwrap()),
                        sign => (1, sign),
                    };
                    for _ in 0..n {
                        for bit in (0..6).filter(|bit| (sign as u32 - 63) >> bit & 1 == 1) {
                            cells[(y + bit) * width + x] = colour;
                        }
                        x += 1;
                    }
                }
            }
        }
        cells
    }

    #[test]
    fn sixels_have_every_point() {
        for (width, height) in [(1, 1), (7, 13), (60, 30)] {
            let points = Points::of(&picture(64, 48), width, height);
            let cells = drawn(&points.sixels(), width, height);
            let of: Vec<usize> = points.of.iter().map(|of| usize::from(*of)).collect();
            assert_eq!(cells, of);
        }
    }
}

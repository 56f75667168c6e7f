//! The moving test picture: a night-blue gradient, colour bars, a ball on a closed path, a clock and
//! a strip of noise that gives the encoder enough to do to reach any bit rate.
//!
//! Painted by hand into I420 so that the simulator needs no text-rendering plugin. The picture after
//! the last frame equals the first one, so a loop shows no jump but the clock's.

use gstreamer as gst;

/// Width and height in pixels; both even.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let even = |part: &str| part.parse().ok().filter(|n| (64..=4096).contains(n) && n % 2 == 0);
        text.split_once('x')
            .and_then(|(width, height)| Some(Self { width: even(width)?, height: even(height)? }))
            .ok_or_else(|| format!("{text:?} is not WIDTHxHEIGHT with even numbers from 64 to 4096"))
    }
}

/// A colour as Y, Cb, Cr.
type Colour = [u8; 3];

const WHITE: Colour = [225, 128, 128];
const BALL: Colour = [170, 60, 190];
/// The 75 % bars of SMPTE EG 1, left to right.
const BARS: [Colour; 7] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
];
/// Which of the segments (a to g, bit 0 up) make up each digit.
const DIGITS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];

/// Paints one frame after the other; holds one prepared background and one block of noise.
pub struct Painter {
    size: Size,
    fps: usize,
    frames: usize,
    background: Vec<u8>,
    noise: Vec<u8>,
}

impl Painter {
    /// A loop of `frames` pictures, `fps` of them a second.
    pub fn new(size: Size, fps: usize, frames: usize) -> Self {
        let mut painter = Self { size, fps, frames, background: Vec::new(), noise: noise(1 << 18) };
        painter.background = painter.paint_background();
        painter
    }

    /// The raw format that [`Self::frame`] yields: I420 with the given size.
    pub fn caps(&self) -> gst::Caps {
        gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", self.size.width as i32)
            .field("height", self.size.height as i32)
            .field("framerate", gst::Fraction::new(self.fps as i32, 1))
            .field("colorimetry", "bt709")
            .build()
    }

    /// The picture number `index` of the loop.
    pub fn frame(&self, index: usize) -> Vec<u8> {
        let mut canvas = Canvas { size: self.size, data: self.background.clone() };
        let Size { width, height } = self.size;
        self.paint_noise(&mut canvas, index);
        let turn = std::f64::consts::TAU * index as f64 / self.frames as f64;
        let ball =
            ((0.5 + 0.4 * turn.sin()) * width as f64, (0.58 + 0.16 * (2.0 * turn).sin()) * height as f64);
        canvas.disc(ball, height as f64 / 14.0, BALL);
        let seconds = index / self.fps;
        let text = [seconds / 10 % 10, seconds % 10, index % self.fps / 10, index % self.fps % 10];
        let tall = (height / 6) & !3;
        for (place, digit) in text.into_iter().enumerate() {
            let left = (width / 2 + place * tall * 7 / 10 + place / 2 * tall / 4 - tall * 29 / 20) & !1;
            canvas.digit((left, (height / 2 - tall / 3) & !1), tall, digit);
        }
        canvas.data
    }

    fn paint_background(&self) -> Vec<u8> {
        let Size { width, height } = self.size;
        let mut canvas = Canvas { size: self.size, data: vec![128; width * height * 3 / 2] };
        for row in (0..height).step_by(2) {
            let luma = 28 + (row * 56 / height) as u8;
            canvas.rect((0, row), (width, 2), [luma, 150, 116]);
        }
        for (place, &bar) in BARS.iter().enumerate() {
            let left = place * width / BARS.len();
            canvas.rect((left, 0), ((place + 1) * width / BARS.len() - left, height / 4), bar);
        }
        canvas.data
    }

    /// Grey noise over the lowest eighth; starts at another place of the block in each frame.
    fn paint_noise(&self, canvas: &mut Canvas, index: usize) {
        let Size { width, height } = self.size;
        for row in height * 7 / 8..height {
            let at = (row * 7919 + index * 104_729) % (self.noise.len() - width);
            canvas.data[row * width..][..width].copy_from_slice(&self.noise[at..][..width]);
        }
    }
}

/// Grey values around the middle from a linear congruential generator: the same in every run.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        96 + (state >> 26) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// An I420 picture to draw on. Everything is clipped to the picture; places are rounded to even.
struct Canvas {
    size: Size,
    data: Vec<u8>,
}

impl Canvas {
    fn rect(&mut self, (left, top): (usize, usize), (wide, tall): (usize, usize), colour: Colour) {
        let Size { width, height } = self.size;
        let (left, top) = (left.min(width) & !1, top.min(height) & !1);
        let (right, bottom) = ((left + wide).min(width) & !1, (top + tall).min(height) & !1);
        for row in top..bottom {
            self.data[row * width..][left..right].fill(colour[0]);
        }
        let planes = [width * height, width * height * 5 / 4];
        for row in top / 2..bottom / 2 {
            for (plane, value) in planes.into_iter().zip([colour[1], colour[2]]) {
                self.data[plane + row * width / 2..][left / 2..right / 2].fill(value);
            }
        }
    }

    fn disc(&mut self, (x, y): (f64, f64), radius: f64, colour: Colour) {
        let first = ((y - radius).max(0.0) as usize) & !1;
        for row in (first..(y + radius) as usize).step_by(2) {
            let half = (radius * radius - (row as f64 + 1.0 - y).powi(2)).max(0.0).sqrt();
            let left = (x - half).max(0.0) as usize;
            self.rect((left, row), ((2.0 * half) as usize, 2), colour);
        }
    }

    /// A seven-segment digit, `tall` high (a multiple of 4) and half as wide; its place is even.
    fn digit(&mut self, (left, top): (usize, usize), tall: usize, digit: usize) {
        let thick = (tall / 10).max(2) & !1;
        let (wide, half) = (tall / 2, tall / 2);
        let (right, bottom) = (left + wide - thick, top + tall - thick);
        let middle = top + half - thick / 2;
        let segments = [
            ((left, top), (wide, thick)),
            ((right, top), (thick, half)),
            ((right, top + half), (thick, half)),
            ((left, bottom), (wide, thick)),
            ((left, top + half), (thick, half)),
            ((left, top), (thick, half)),
            ((left, middle), (wide, thick)),
        ];
        for (bit, (place, extent)) in segments.into_iter().enumerate() {
            if DIGITS[digit % 10] >> bit & 1 == 1 {
                self.rect(place, extent, WHITE);
            }
        }
    }
}

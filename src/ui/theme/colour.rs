//! Colours as light: sRGB, CIELAB, contrast, and the palette of 256 colours.

use ratatui::style::Color;

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The first 16 colours as xterm shows them unless told otherwise (ctlseqs, `XTerm-col.ad`). Terminals let users
/// change these, so that they are an estimate.
const SIXTEEN: [Rgb; 16] = [
    Rgb(0, 0, 0),
    Rgb(205, 0, 0),
    Rgb(0, 205, 0),
    Rgb(205, 205, 0),
    Rgb(0, 0, 238),
    Rgb(205, 0, 205),
    Rgb(0, 205, 205),
    Rgb(229, 229, 229),
    Rgb(127, 127, 127),
    Rgb(255, 0, 0),
    Rgb(0, 255, 0),
    Rgb(255, 255, 0),
    Rgb(92, 92, 255),
    Rgb(255, 0, 255),
    Rgb(0, 255, 255),
    Rgb(255, 255, 255),
];

/// The steps of the cube of 6 × 6 × 6 colours, 16 to 231.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// A colour of the palette: 16 that the user may change, the cube, 24 greys.
pub fn palette(index: u8) -> Rgb {
    let step = |n: u8| STEPS[usize::from(n % 6)];
    match index {
        0..16 => SIXTEEN[usize::from(index)],
        16..232 => {
            let at = index - 16;
            Rgb(step(at / 36), step(at / 6), step(at))
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            Rgb(grey, grey, grey)
        }
    }
}

/// The number of one of the first 16 colours.
pub fn number(color: Color) -> Option<u8> {
    Some(match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(index) if index < 16 => index,
        _ => return None,
    })
}

/// The light of a colour; `None` for the terminal's own foreground or background.
pub fn light(color: Color) -> Option<Rgb> {
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(Rgb(r, g, b)),
        Color::Indexed(index) => Some(palette(index)),
        named => number(named).map(palette),
    }
}

impl Rgb {
    /// Linear light of the three channels, 0 to 1 (IEC 61966-2-1).
    pub fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Relative luminance, 0 to 1.
    fn luminance(self) -> f64 {
        let [r, g, b] = self.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The contrast of two colours, 1 to 21 (WCAG 2.1).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// How different two colours look: their distance in CIELAB. About 2 is just visible.
    pub fn distance(self, other: Self) -> f64 {
        let (a, b) = (lab(self.linear()), lab(other.linear()));
        lab_distance(a, b)
    }
}

/// The distance of two points of CIELAB.
pub fn lab_distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b));
    squares.sum::<f64>().sqrt()
}

/// CIELAB of linear sRGB, by the white point D65.
pub fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let xyz = [
        (0.412_456_4 * r + 0.357_576_1 * g + 0.180_437_5 * b) / 0.950_47,
        0.212_672_9 * r + 0.715_152_2 * g + 0.072_175 * b,
        (0.019_333_9 * r + 0.119_192 * g + 0.950_304_1 * b) / 1.088_83,
    ];
    let [across, light, along] = xyz.map(|part: f64| {
        if part > 216.0 / 24_389.0 {
            part.cbrt()
        } else {
            (24_389.0 / 27.0 * part + 16.0) / 116.0
        }
    });
    [
        116.0 * light - 16.0,
        500.0 * (across - light),
        200.0 * (light - along),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Rgb, palette};

    #[test]
    fn black_and_white_are_the_ends() {
        let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
        assert!((black.contrast(white) - 21.0).abs() < 1e-9);
        assert!((black.distance(white) - 100.0).abs() < 0.01);
        // The figure that WCAG's own examples give for this grey.
        assert!((Rgb(0x76, 0x76, 0x76).contrast(white) - 4.54).abs() < 0.01);
    }

    #[test]
    fn the_palette_is_xterms() {
        assert_eq!(palette(16), Rgb(0, 0, 0));
        assert_eq!(palette(196), Rgb(255, 0, 0));
        assert_eq!(palette(231), Rgb(255, 255, 255));
        assert_eq!(palette(110), Rgb(135, 175, 215));
        assert_eq!(palette(232), Rgb(8, 8, 8));
        assert_eq!(palette(255), Rgb(238, 238, 238));
    }
}

//! [`Depth`]: how many colours a terminal has, and the nearest of them.

use ratatui::style::{Color, Style};

use super::colour::{Rgb, light, number, palette};

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Depth {
    /// None: only bold, dim, underlined and reversed.
    None,
    /// The first 16, which the user of the terminal chooses.
    Sixteen,
    /// 256: the 16, a cube of 216, and 24 greys.
    Palette,
    /// All.
    #[default]
    True,
}

impl Depth {
    /// All depths, the most colours first.
    pub const ALL: [Self; 4] = [Self::True, Self::Palette, Self::Sixteen, Self::None];

    /// The colours that stand for others at this depth. Of 256 the first 16 do not: how they look is not known.
    fn stand_ins(self) -> std::ops::RangeInclusive<u8> {
        if self == Self::Palette {
            16..=255
        } else {
            0..=15
        }
    }

    /// The colour at this depth that looks most like `color`; a colour that the depth has stays.
    pub fn nearest(self, color: Color) -> Color {
        self.nearest_of(color, |_| true)
    }

    fn nearest_of(self, color: Color, is_good: impl Fn(Rgb) -> bool) -> Color {
        let Some(wanted) = light(color) else {
            return color;
        };
        match (self, color) {
            (Self::True, _) => return color,
            (Self::None, _) => return Color::Reset,
            (_, own) if number(own).is_some() => return own,
            (Self::Palette, Color::Indexed(_)) => return color,
            (Self::Palette | Self::Sixteen, _) => {}
        }
        let mut best = (f64::INFINITY, color);
        for index in self.stand_ins().filter(|index| is_good(palette(*index))) {
            let distance = palette(index).distance(wanted);
            if distance < best.0 {
                best = (distance, Color::Indexed(index));
            }
        }
        if best.0.is_finite() {
            best.1
        } else {
            self.nearest(color)
        }
    }

    /// A look at this depth, on `ground` unless it has its own background. Where the nearest colours would take away
    /// the contrast that the text needs, the text takes the nearest colour that has it.
    pub fn look(self, look: Style, ground: Option<Color>, contrast: f64) -> Style {
        let behind = look.bg.or(ground);
        let mut mapped = look;
        mapped.bg = look.bg.map(|bg| self.nearest(bg));
        let Some(fg) = look.fg else {
            return mapped;
        };
        mapped.fg = Some(self.nearest(fg));
        let was = behind.and_then(light).zip(light(fg));
        let is_now = behind.map(|bg| self.nearest(bg)).and_then(light);
        if let Some(((was_behind, was_text), now_behind)) = was.zip(is_now) {
            // What was faint already may stay as faint.
            let needed = contrast.min(was_behind.contrast(was_text));
            let is_good = |text: Rgb| text.contrast(now_behind) >= needed;
            let is_kept = mapped.fg.and_then(light).is_some_and(is_good);
            if !is_kept {
                mapped.fg = Some(self.nearest_of(fg, is_good));
            }
        }
        mapped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Style};

    use super::super::colour::{Rgb, light, palette};
    use super::Depth;

    #[test]
    fn colours_that_a_depth_has_stay() {
        for index in 0..=255 {
            assert_eq!(
                Depth::Palette.nearest(Color::Indexed(index)),
                Color::Indexed(index)
            );
            let Rgb(r, g, b) = palette(index);
            let nearest = Depth::Palette.nearest(Color::Rgb(r, g, b));
            // The light of one of the first 16 may be one of the cube's too.
            assert_eq!(
                light(nearest).map(|l| l.distance(Rgb(r, g, b)) < 40.0),
                Some(true)
            );
            if index >= 16 {
                assert_eq!(nearest, Color::Indexed(index));
            } else {
                let sixteen = Depth::Sixteen.nearest(Color::Rgb(r, g, b));
                assert_eq!(sixteen, Color::Indexed(index));
            }
        }
        for depth in [Depth::True, Depth::Palette, Depth::Sixteen] {
            assert_eq!(depth.nearest(Color::LightRed), Color::LightRed);
            assert_eq!(depth.nearest(Color::Reset), Color::Reset);
        }
    }

    proptest! {
        #[test]
        fn the_nearest_is_in_the_palette_and_nothing_is_nearer(r: u8, g: u8, b: u8, other in 16_u8..) {
            let wanted = Rgb(r, g, b);
            let nearest = Depth::Palette.nearest(Color::Rgb(r, g, b));
            let found = light(nearest).expect("a colour");
            prop_assert!(matches!(nearest, Color::Indexed(16..)));
            prop_assert!(found.distance(wanted) <= palette(other).distance(wanted));
            // What is mapped is mapped to itself.
            prop_assert_eq!(Depth::Palette.nearest(nearest), nearest);
            let few = Depth::Sixteen.nearest(Color::Rgb(r, g, b));
            prop_assert!(matches!(few, Color::Indexed(0..16)));
            prop_assert_eq!(Depth::Sixteen.nearest(few), few);
            prop_assert_eq!(Depth::None.nearest(few), Color::Reset);
        }

        #[test]
        fn text_that_could_be_read_still_can(fg: (u8, u8, u8), bg: (u8, u8, u8)) {
            let (text, behind) = (Rgb(fg.0, fg.1, fg.2), Rgb(bg.0, bg.1, bg.2));
            let was = text.contrast(behind).min(4.5);
            let look = Style::new().fg(Color::Rgb(fg.0, fg.1, fg.2)).bg(Color::Rgb(bg.0, bg.1, bg.2));
            for depth in [Depth::Palette, Depth::Sixteen] {
                let mapped = depth.look(look, None, 4.5);
                let (fg, bg) = (mapped.fg.and_then(light), mapped.bg.and_then(light));
                let (fg, bg) = (fg.expect("a colour"), bg.expect("a colour"));
                // On any background black or white reaches 4.5.
                prop_assert!(fg.contrast(bg) >= was - 1e-9, "{mapped:?} {} < {was}", fg.contrast(bg));
            }
        }
    }
}

//! [`Panes`]: which part of the screen shows what. Pure arithmetic, used by update (paging, mouse) and by the
//! screen alike, so that neither must remember what the other drew.

use ratatui::layout::Rect;

/// A line of the header, in order of importance: a low screen drops the last line first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderLine {
    /// Name, host, kernel, clock.
    Title,
    /// The memory gauge.
    Memory,
    /// What the gauge is made of, with the marks.
    Breakdown,
    /// Swap.
    Swap,
    /// Pressure, commit.
    Pressure,
    /// Sparkline, rate, time left.
    Trend,
    /// Who dies next.
    Victim,
    /// What must not be overlooked, by its place in the list.
    Alarm(u8),
}

/// Which pane has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The process table, or the domains in its place.
    #[default]
    Processes,
    /// The OOM events.
    Events,
}

/// The screen, divided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panes {
    /// The whole screen.
    pub screen: Rect,
    /// The header's lines from the top, each one row high.
    pub header: Vec<(HeaderLine, Rect)>,
    /// What oomtop has frozen, if anything.
    pub banner: Rect,
    /// Title rule of the table.
    pub table_title: Rect,
    /// Column headers.
    pub table_head: Rect,
    /// The rows.
    pub table_rows: Rect,
    /// Title rule of the events pane.
    pub events_title: Rect,
    /// What the source of events cannot show, if anything.
    pub events_note: Rect,
    /// The events.
    pub events_rows: Rect,
    /// The time line of a recording, if one is shown.
    pub timeline: Rect,
    /// A notice, or what the keys act on. Empty on a low screen, where a notice takes the footer.
    pub notice: Rect,
    /// Keys and prompts.
    pub footer: Rect,
}

impl Panes {
    /// Rows of the process table on the screen.
    pub fn table_height(&self) -> usize {
        usize::from(self.table_rows.height)
    }

    /// Rows of the events pane on the screen.
    pub fn events_height(&self) -> usize {
        usize::from(self.events_rows.height)
    }
}

use HeaderLine::{Breakdown, Memory, Pressure, Swap, Title, Trend, Victim};

/// Header lines for a screen of this height.
fn header_lines(height: u16) -> &'static [HeaderLine] {
    match height {
        22.. => &[Title, Memory, Breakdown, Swap, Pressure, Trend, Victim],
        16..22 => &[Title, Memory, Swap, Trend, Victim],
        10..16 => &[Title, Memory, Victim],
        6..10 => &[Memory, Victim],
        3..6 => &[Memory],
        _ => &[],
    }
}

/// Lines for alarms on a screen of this height, at most.
fn alarm_lines(height: u16) -> u8 {
    match height {
        22.. => 3,
        8..22 => 1,
        _ => 0,
    }
}

/// What besides the screen decides how it is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Which pane has the keyboard.
    pub focus: Pane,
    /// Rows of the events pane.
    pub events: usize,
    /// There is a line about the source of the events.
    pub note: bool,
    /// Alarms above the table.
    pub alarms: usize,
    /// There is a line about what oomtop has frozen.
    pub banner: bool,
    /// A recording is shown.
    pub timeline: bool,
}

/// Divides a screen. Every rectangle lies within the screen, whatever its size; a part without room is empty.
pub fn panes(width: u16, height: u16, contents: Contents) -> Panes {
    let Contents {
        focus,
        events,
        note,
        alarms,
        banner,
        timeline,
    } = contents;
    let screen = Rect::new(0, 0, width, height);
    let mut top = 0;
    let mut take = |rows: u16, bottom: u16| {
        let rows = rows.min(bottom.saturating_sub(top));
        let area = Rect::new(0, top, width, rows);
        top += rows;
        area
    };
    let alarms = u8::try_from(alarms).unwrap_or(u8::MAX);
    let alarms = (0..alarms.min(alarm_lines(height))).map(HeaderLine::Alarm);
    let header = header_lines(height)
        .iter()
        .copied()
        .chain(alarms)
        .map(|line| (line, take(1, height)))
        .collect::<Vec<_>>();
    let footer_rows = u16::from(height >= 2);
    let notice_rows = u16::from(height >= 22);
    let timeline_rows = u16::from(timeline && height >= 5);
    let bottom = height - footer_rows - notice_rows - timeline_rows;
    // A row of the table stays, on the lowest screen too.
    let used = u16::try_from(header.len()).unwrap_or(u16::MAX);
    let has_banner = banner && bottom.saturating_sub(used) >= 2;
    let banner = take(u16::from(has_banner), bottom);
    let used = used + u16::from(has_banner);
    let body = bottom.saturating_sub(used);
    let events = events_height(body, focus, events + usize::from(note));
    // A row is worth more than its head, and the head more than the title.
    let table_title = take(u16::from(body - events >= 3), bottom - events);
    let table_head = take(u16::from(body - events >= 2), bottom - events);
    let table_rows = take(u16::MAX, bottom - events);
    let events_title = take(1, bottom);
    let events_note = take(u16::from(note), bottom);
    let events_rows = take(u16::MAX, bottom);
    let timeline = take(timeline_rows, height);
    let notice = take(notice_rows, height);
    let footer = take(footer_rows, height);
    Panes {
        screen,
        header,
        banner,
        table_title,
        table_head,
        table_rows,
        events_title,
        events_note,
        events_rows,
        timeline,
        notice,
        footer,
    }
}

/// Rows for the events pane with its title: one for each event, up to a quarter of the body, more while the
/// pane has the keyboard, none if that left the table without room.
fn events_height(body: u16, focus: Pane, events: usize) -> u16 {
    let wanted = u16::try_from(events).unwrap_or(u16::MAX).saturating_add(1);
    match (focus, body) {
        (Pane::Events, 6..) => (body / 5 * 3).max(4),
        (_, 14..) => wanted.clamp(4, (body / 4).clamp(4, 12)),
        (_, 9..14) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Contents, HeaderLine, Pane, panes};

    #[test]
    fn common_sizes() {
        let contents = Contents {
            events: 3,
            ..Contents::default()
        };
        let p = panes(80, 24, contents);
        assert_eq!(
            (
                p.header.len(),
                p.table_rows.height,
                p.events_rows.height,
                p.footer.y
            ),
            (7, 9, 3, 23)
        );
        let p = panes(120, 36, contents);
        assert_eq!((p.table_rows.height, p.events_rows.height), (21, 3));
        let p = panes(40, 10, contents);
        assert!(p.table_rows.height >= 3);
        for height in 2..24 {
            for alarms in 0..5 {
                let p = panes(300, height, Contents { alarms, ..contents });
                assert!(p.table_rows.height >= 1, "{height} {alarms}");
            }
            let banner = Contents {
                banner: true,
                ..contents
            };
            let p = panes(300, height, banner);
            assert!(p.table_rows.height >= 1, "{height}");
            assert_eq!(p.banner.height, u16::from(height >= 4), "{height}");
        }
        let alarmed = Contents {
            alarms: 9,
            ..contents
        };
        let shown = |height| {
            let lines = panes(80, height, alarmed).header;
            let is_alarm = |(line, _): &&(HeaderLine, _)| matches!(line, HeaderLine::Alarm(_));
            lines.iter().filter(is_alarm).count()
        };
        assert_eq!([24, 20, 8, 7].map(shown), [3, 1, 1, 0]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_overlaps_or_sticks_out(width: u16, height: u16, in_events: bool, events: usize, note: bool, alarms: usize, banner: bool, timeline: bool) {
            let focus = if in_events { Pane::Events } else { Pane::Processes };
            let p = panes(width, height, Contents { focus, events, note, alarms, banner, timeline });
            let mut areas: Vec<_> = p.header.iter().map(|(_, area)| *area).collect();
            areas.extend([p.banner, p.table_title, p.table_head, p.table_rows, p.events_title, p.events_note, p.events_rows, p.timeline, p.notice, p.footer]);
            let mut y = 0;
            for area in areas {
                proptest::prop_assert_eq!(area.y, y);
                y += area.height;
            }
            proptest::prop_assert_eq!(y, height);
        }
    }
}

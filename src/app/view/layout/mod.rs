//! [`Panes`]: which part of the screen shows what. Pure arithmetic, used by update (paging, mouse) and by the
//! screen alike, so that neither must remember what the other drew.

use ratatui::layout::{Position, Rect};

mod side;

pub use side::Side;

/// A line of the header, in order of importance: a low screen drops the last line first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderLine {
    /// Name, host, kernel, clock.
    Title,
    /// The memory gauge and swap.
    Memory,
    /// Pressure, and what memory is made of.
    Pressure,
    /// Sparkline, rate, time left.
    Trend,
    /// Who dies next.
    Victim,
    /// What must not be overlooked, by its place in the list.
    Alarm(u8),
    /// A domain that is not among the alarms, by its place in the list.
    Domain(u8),
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
    /// The header's lines from the top, each one row high, but for the trend on a high screen.
    pub header: Vec<(HeaderLine, Rect)>,
    /// What oomtop has frozen, if anything.
    pub banner: Rect,
    /// Title rule of the table.
    pub table_title: Rect,
    /// Column headers.
    pub table_head: Rect,
    /// The rows.
    pub table_rows: Rect,
    /// The members of the selected domain, with their title, below a list of domains that leaves room.
    pub members: Rect,
    /// The domains, or the history of memory, below a table that leaves room.
    pub below: Rect,
    /// Title rule of the events pane.
    pub events_title: Rect,
    /// What the source of events cannot show, if anything.
    pub events_note: Rect,
    /// The events.
    pub events_rows: Rect,
    /// The time line of a recording, if one is shown.
    pub timeline: Rect,
    /// The pane on the right of a wide screen.
    pub side: Side,
    /// A notice, or what the keys act on. On a low screen it is there only for a notice, and on the lowest not at all: there
    /// a notice takes the footer.
    pub notice: Rect,
    /// Keys and prompts.
    pub footer: Rect,
}

impl Panes {
    /// Rows of the process table on the screen.
    pub fn table_height(&self) -> usize {
        usize::from(self.table_rows.height)
    }

    /// Domains that fit above the least of the members, or where there are none: above nothing.
    pub fn domains_room(&self) -> usize {
        let all = self.table_rows.height + self.members.height;
        usize::from(all.saturating_sub(LEAST_MEMBERS))
    }

    /// How many domains fit below the table in this area.
    pub fn domains_below(area: Rect) -> usize {
        usize::from(area.height.saturating_sub(2))
    }

    /// The domain below the table in whose row this cell is, by its place in the list.
    pub fn domain_below_at(&self, at: Position) -> Option<usize> {
        let row = at.y.checked_sub(self.below.y + 2);
        row.filter(|_| self.below.contains(at)).map(usize::from)
    }

    /// Rows of the events pane on the screen.
    pub fn events_height(&self) -> usize {
        usize::from(self.events_rows.height)
    }
}

use HeaderLine::{Memory, Pressure, Title, Trend, Victim};

/// Header lines for a screen of this height. With a pane on the right, the trend stands there.
fn header_lines(height: u16, has_side: bool) -> &'static [HeaderLine] {
    match height {
        22.. if has_side => &[Title, Memory, Pressure, Victim],
        16.. => &[Title, Memory, Pressure, Trend, Victim],
        10..16 => &[Title, Memory, Victim],
        6..10 => &[Memory, Victim],
        3..6 => &[Memory],
        _ => &[],
    }
}

/// Rows of the trend: two for a shape and one for the time with the kills, where there is room.
fn trend_rows(height: u16) -> u16 {
    if height >= 34 { 3 } else { 1 }
}

/// Lines for alarms on a screen of this height, at most.
fn alarm_lines(height: u16) -> u8 {
    match height {
        22.. => 3,
        8..22 => 1,
        _ => 0,
    }
}

/// Lines for domains that are no alarm, at most; the alarms have taken so many lines.
fn domain_lines(height: u16, alarms: u8) -> u8 {
    match height {
        22.. => (alarm_lines(height) - alarms).min(2),
        _ => 0,
    }
}

/// What besides the screen decides how it is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a line that is there or not, and any of them may be"
)]
pub struct Contents {
    /// Which pane has the keyboard.
    pub focus: Pane,
    /// Rows of the events pane.
    pub events: usize,
    /// There is a line about the source of the events.
    pub note: bool,
    /// Alarms above the table.
    pub alarms: usize,
    /// Domains that are no alarm and shall be shown.
    pub domains: usize,
    /// Domains that the pane on the right would show.
    pub side_domains: usize,
    /// Rows of the process table, if they are not about to change: with few of them there is room for more.
    pub rows: Option<usize>,
    /// Rows of the list of domains, if that is in the place of the table.
    pub domain_rows: Option<usize>,
    /// There is a line about what oomtop has frozen.
    pub banner: bool,
    /// A recording is shown.
    pub timeline: bool,
    /// There is a notice.
    pub notice: bool,
}

/// Divides a screen. Every rectangle lies within the screen, whatever its size; a part without room is empty.
pub fn panes(width: u16, height: u16, contents: Contents) -> Panes {
    let Contents {
        focus,
        events,
        note,
        alarms,
        domains,
        side_domains,
        rows: _,
        domain_rows,
        banner,
        timeline,
        notice,
    } = contents;
    let screen = Rect::new(0, 0, width, height);
    // The list of domains has so many columns that it needs the whole width.
    let side_width = if domain_rows.is_some() {
        0
    } else {
        side::width(width, height)
    };
    let has_side = side_width > 0;
    let mut top = 0;
    let mut take = |rows: u16, bottom: u16| {
        let rows = rows.min(bottom.saturating_sub(top));
        let area = Rect::new(0, top, width, rows);
        top += rows;
        area
    };
    let alarms = u8::try_from(alarms)
        .unwrap_or(u8::MAX)
        .min(alarm_lines(height));
    let footer_rows = u16::from(height >= 2);
    let notice_rows = u16::from(height >= 22 || (notice && height >= 10));
    let timeline_rows = u16::from(timeline && height >= 5);
    let bottom = height - footer_rows - notice_rows - timeline_rows;
    let all_events = events + usize::from(note);
    let below = Below::find(contents, height, bottom, (alarms, has_side));
    // The list below says the same.
    let domains = if has_side || below.lists_domains {
        0
    } else {
        domains
    };
    let domains = u8::try_from(domains)
        .unwrap_or(u8::MAX)
        .min(domain_lines(height, alarms));
    // Not twice.
    let trend = if below.is_history() {
        1
    } else {
        trend_rows(height)
    };
    let header = header_lines(height, has_side)
        .iter()
        .copied()
        .chain((0..alarms).map(HeaderLine::Alarm))
        .chain((0..domains).map(HeaderLine::Domain))
        .map(|line| (line, take(if line == Trend { trend } else { 1 }, height)))
        .collect::<Vec<_>>();
    // A row of the table stays, on the lowest screen too.
    let used = header.iter().map(|(_, area)| area.height).sum();
    let has_banner = banner && bottom.saturating_sub(used) >= 2;
    let banner = take(u16::from(has_banner), bottom);
    let used = used + u16::from(has_banner);
    let body = bottom.saturating_sub(used);
    let events = events_height(body, focus, all_events) + below.events;
    let side = if has_side {
        let area = Rect::new(width - side_width, used, side_width, body);
        side::divide(area, if below.lists_domains { 0 } else { side_domains })
    } else {
        Side::default()
    };
    // A row is worth more than its head, and the head more than the title.
    let table_title = take(u16::from(body - events >= 3), bottom - events);
    let table_head = take(u16::from(body - events >= 2), bottom - events);
    let mut table_rows = take(u16::MAX, bottom - events - below.height);
    let below = take(below.height, bottom - events);
    let members = domain_rows.map_or_else(Rect::default, |rows| cut_members(&mut table_rows, rows));
    let events_title = take(1, bottom);
    let events_note = take(u16::from(note), bottom);
    let events_rows = take(u16::MAX, bottom);
    let timeline = take(timeline_rows, height);
    let notice = take(notice_rows, height);
    let footer = take(footer_rows, height);
    let beside = |area: Rect| Rect {
        width: area.width - side_width.min(area.width),
        ..area
    };
    Panes {
        screen,
        header,
        banner,
        table_title: beside(table_title),
        table_head: beside(table_head),
        table_rows: beside(table_rows),
        members: beside(members),
        below: beside(below),
        events_title: beside(events_title),
        events_note: beside(events_note),
        events_rows: beside(events_rows),
        timeline,
        side,
        notice,
        footer,
    }
}

/// From this height on a short table leaves its room to others.
const HIGH: u16 = 30;
/// The table keeps room for so many more rows, and that in steps: a process that starts must not move what is below.
const STEP: u16 = 8;
/// Title, heads, and two domains.
const LEAST_BELOW: u16 = 4;
/// A history that is worth its title, and one that is high enough.
const LEAST_HISTORY: u16 = 8;
const MOST_HISTORY: u16 = 14;

/// Lines that a table of so many rows leaves over of `room`.
fn spare_rows(rows: usize, room: u16) -> u16 {
    let steps = u16::try_from(rows).unwrap_or(u16::MAX) / STEP;
    room.saturating_sub(steps.saturating_add(1).saturating_mul(STEP))
}

/// What has the lines that a short table leaves over.
#[derive(Debug, Clone, Copy, Default)]
struct Below {
    /// Lines for the domains, with title and heads, or for the history where there is none of either.
    height: u16,
    /// They are for domains.
    lists_domains: bool,
    /// More lines for the events.
    events: u16,
}

impl Below {
    /// What a table of [`Contents::rows`] leaves over above the row `bottom`, below so many lines of alarms.
    fn find(contents: Contents, height: u16, bottom: u16, (alarms, has_side): (u8, bool)) -> Self {
        let rows = contents.rows.filter(|_| contents.domain_rows.is_none());
        let Some(rows) = rows.filter(|_| height >= HIGH) else {
            return Self::default();
        };
        let lines = header_lines(height, has_side);
        let more = u16::from(alarms) + u16::from(contents.banner);
        let more = more + u16::from(lines.contains(&Trend)) * (trend_rows(height) - 1);
        let used = u16::try_from(lines.len()).unwrap_or(u16::MAX) + more;
        let body = bottom.saturating_sub(used);
        let all_events = contents.events + usize::from(contents.note);
        let events = events_height(body, contents.focus, all_events);
        // Title and head of the table.
        let spare = spare_rows(rows, body.saturating_sub(events + 2));
        Self::new(spare, (contents.side_domains, all_events), events, has_side)
    }

    /// They show the history of memory.
    fn is_history(self) -> bool {
        self.height > 0 && !self.lists_domains
    }

    fn new(spare: u16, (domains, all_events): (usize, usize), events: u16, has_side: bool) -> Self {
        let wanted = u16::try_from(domains).unwrap_or(u16::MAX).saturating_add(2);
        let height = match domains {
            0 if has_side || spare < LEAST_HISTORY => 0,
            0 => spare.min(MOST_HISTORY),
            _ if spare < LEAST_BELOW => 0,
            _ => spare.min(wanted),
        };
        let more = wanted_events(all_events).saturating_sub(events);
        Self {
            height,
            lists_domains: height > 0 && domains > 0,
            events: more.min(spare - height),
        }
    }
}

/// Title, heads, and three members.
const LEAST_MEMBERS: u16 = 5;

/// Takes what a list of so many domains leaves over, if that is worth a title: at most two thirds, so that the list
/// can grow before the part below it moves.
fn cut_members(table_rows: &mut Rect, rows: usize) -> Rect {
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(1);
    let rows = rows.max(table_rows.height / 3);
    let left = table_rows.height.saturating_sub(rows);
    if left < LEAST_MEMBERS {
        return Rect::default();
    }
    table_rows.height = rows;
    Rect {
        y: table_rows.bottom(),
        height: left,
        ..*table_rows
    }
}

/// The title and a row for each event.
fn wanted_events(events: usize) -> u16 {
    u16::try_from(events).unwrap_or(u16::MAX).saturating_add(1)
}

/// Rows for the events pane with its title: one for each event, up to a quarter of the body, more while the
/// pane has the keyboard, none if that left the table without room.
fn events_height(body: u16, focus: Pane, events: usize) -> u16 {
    let wanted = wanted_events(events);
    match (focus, body) {
        (Pane::Events, 6..) => (body / 5 * 3).max(4),
        (_, 14..) => wanted.clamp(4, (body / 4).clamp(4, 12)),
        (_, 9..14) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;

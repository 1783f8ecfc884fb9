//! The screen of `oomtop fleet`.

mod help;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::gauge::sparkline;
use super::theme::Theme;
use crate::app::fleet::State;
use crate::app::fleet::keys::KEYS;
use crate::app::input::line::LineInput;
use crate::model::fleet::{Depth, Host};
use crate::model::memory::band::Thresholds;
use crate::text::cells::cells;
use crate::text::fleet;
use crate::text::format::{duration, number_of};
use crate::text::tone::{Line, Tone};

/// Columns before the remark: their headings and widths; the sparkline is the last.
const COLUMNS: [(&str, u16); 7] = [
    ("STATE", 8),
    ("HOST", 18),
    ("USED%", 5),
    ("LEFT", 6),
    ("FULL IN", 7),
    ("K/H", 4),
    ("30 MIN", 10),
];

/// From this width on there is room for the last half hour.
const WIDE: u16 = 100;

/// The columns that there is room for.
fn columns(width: u16) -> impl Iterator<Item = (&'static str, u16)> {
    let count = if width < WIDE {
        COLUMNS.len() - 1
    } else {
        COLUMNS.len()
    };
    COLUMNS.into_iter().take(count)
}

/// Draws the whole screen.
pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let (width, height) = state.size;
    if width < 20 || height < 5 {
        canvas.line(
            Rect::new(0, 0, width, 1),
            &Line::of(Tone::Watch, "too small"),
        );
        return;
    }
    if let Some(first) = state.help {
        help::draw(first, Rect::new(0, 0, width, height), canvas);
        return;
    }
    canvas.line(Rect::new(0, 0, width, 1), &title(state));
    headings(state, canvas, width);
    let rows = u16::try_from(state.height()).unwrap_or(u16::MAX);
    let shown = state.rows().enumerate().skip(state.offset());
    for (y, (at, host)) in (2..2 + rows).zip(shown) {
        let area = Rect::new(0, y, width, 1);
        if at == state.cursor() {
            let selected = canvas.theme.selected(true);
            canvas.shade(area, selected.ground());
            row(host, area, &mut canvas.themed(&selected));
        } else {
            row(host, area, canvas);
        }
    }
    if state.round.hosts.is_empty() {
        let text = match (state.answered, &state.failure) {
            (Some(_), _) => "Prometheus knows no such target; --match chooses them",
            (None, None) => "asking …",
            (None, Some(_)) => "no answer yet",
        };
        canvas.line(Rect::new(0, 3, width, 1), &Line::of(Tone::Dim, text));
    } else if state.rows().next().is_none() {
        let text = "no host has these words; Esc shows all";
        canvas.line(Rect::new(0, 3, width, 1), &Line::of(Tone::Watch, text));
    }
    if state.details() > 0 {
        details(
            state,
            Rect::new(0, 2 + rows, width, state.details()),
            canvas,
        );
    }
    let sentence = state.sentence();
    let lines = u16::try_from(sentence.len()).unwrap_or(0);
    let top = (height - 1).saturating_sub(lines);
    for (y, line) in (top..height - 1).zip(&sentence) {
        let area = Rect::new(0, y, width, 1);
        canvas.clear(area);
        canvas.line(area, line);
    }
    let area = Rect::new(0, height - 1, width, 1);
    match &state.prompt {
        Some(input) => prompt(input, area, canvas),
        None => keys(area, canvas),
    }
}

/// The filter while it is typed, with a cursor of its own.
fn prompt(input: &LineInput, area: Rect, canvas: &mut Canvas<'_>) {
    let before = input.before_cursor();
    let after = input.text().get(before.len()..).unwrap_or("");
    let under = after.chars().next().unwrap_or(' ');
    let rest = after.get(under.len_utf8()..).unwrap_or("");
    let line = Line::of(Tone::Accent, "Filter: ")
        .add(Tone::Strong, before)
        .add(Tone::Strong, under.to_string())
        .add(Tone::Strong, rest);
    let used = canvas.line(area, &line);
    let at = cells("Filter: ", canvas.ascii) + cells(before, canvas.ascii);
    let at = u16::try_from(at).unwrap_or(u16::MAX);
    if at < area.width {
        let style = canvas.theme.selected(true).ground();
        canvas.shade(Rect::new(area.x + at, area.y, 1, 1), style);
    }
    let x = area.x + used + 2;
    let room = area.right().saturating_sub(x);
    let hint = Line::of(Tone::Dim, "Enter keeps it, Esc clears it");
    canvas.line(Rect::new(x.min(area.right()), area.y, room, 1), &hint);
}

/// The keys that fit; the one to quit always does.
fn keys(area: Rect, canvas: &mut Canvas<'_>) {
    let shown: Vec<_> = KEYS
        .iter()
        .filter(|(_, word, _)| !word.is_empty())
        .collect();
    let width = |(key, word, _): &(&str, &str, &str)| {
        u16::try_from(key.len() + word.len() + 3).unwrap_or(u16::MAX)
    };
    let last = shown.last().map_or(0, |one| width(one));
    let mut x = area.x;
    for (at, one) in shown.iter().enumerate() {
        let kept = if at + 1 == shown.len() { 0 } else { last };
        if x + width(one) + kept > area.right() + 2 {
            continue;
        }
        let (key, word, _) = one;
        x += canvas.text(x, area.y, area.right() - x, key, canvas.theme.key());
        let word = format!(" {word}");
        let room = area.right().saturating_sub(x);
        x += canvas.text(x, area.y, room, &word, canvas.theme.key_label());
        x += 2;
    }
}

fn title(state: &State) -> Line {
    let hosts = &state.round.hosts;
    let urgent = hosts.iter().filter(|host| host.urgency() >= 2).count();
    let mut line = Line::of(Tone::Strong, "oomtop fleet  ");
    line.push(Tone::Normal, number_of(hosts.len() as u64, "host", "hosts"));
    if state.round.left_out > 0 {
        line.push(Tone::Watch, format!(" and {} more", state.round.left_out));
    }
    if urgent > 0 {
        line.push(Tone::Danger, format!("  {urgent} urgent"));
    }
    let kills: f64 = hosts.iter().filter_map(|host| host.kills).sum();
    if kills > 0.0 {
        line.push(Tone::Critical, format!("  {kills:.0} killed in 1 h"));
    }
    if let Some(answered) = state.answered {
        let age = state.now.saturating_sub(answered);
        if age >= 15 || state.failure.is_some() {
            let age = duration(std::time::Duration::from_secs(age));
            line.push(Tone::Danger, format!("  as of {age} ago"));
        }
    }
    if !state.filter.is_empty() && state.prompt.is_none() {
        line.push(Tone::Accent, format!("  filter: {}", state.filter));
    }
    line.push(Tone::Dim, format!("  {}", state.source));
    line
}

fn headings(state: &State, canvas: &mut Canvas<'_>, width: u16) {
    let style = canvas.theme.heading();
    let sorted = canvas.theme.sorted_heading();
    canvas.shade(Rect::new(0, 1, width, 1), style);
    let mut x = 0;
    for (name, wide) in columns(width) {
        let is_it = name == state.order.heading();
        let style = if is_it { sorted } else { style };
        if matches!(name, "STATE" | "HOST" | "30 MIN") {
            canvas.text(x, 1, wide, name, style);
        } else {
            canvas.text_right(x, 1, wide, name, style);
        }
        x += wide + 1;
    }
    canvas.text(x, 1, width.saturating_sub(x), "NEXT VICTIM", style);
}

fn row(host: &Host, area: Rect, canvas: &mut Canvas<'_>) {
    let (tone, word) = fleet::state(host);
    let cells = [
        (tone, word.to_owned()),
        (Tone::Strong, host.name.clone()),
        (tone, fleet::used(host.used)),
        (Tone::Normal, fleet::left(host)),
        (Tone::Danger, fleet::full_in(host.soonest())),
        (
            if host.kills.unwrap_or(0.0) > 0.0 {
                Tone::Critical
            } else {
                Tone::Dim
            },
            fleet::kills(host),
        ),
    ];
    let mut x = area.x;
    for (at, ((tone, text), (_, wide))) in cells.iter().zip(COLUMNS).enumerate() {
        let style = canvas.theme.style(*tone);
        if at < 2 {
            canvas.text(x, area.y, wide, text, style);
        } else {
            canvas.text_right(x, area.y, wide, text, style);
        }
        x += wide + 1;
    }
    if area.width >= WIDE {
        x += past(
            host,
            Rect::new(x, area.y, area.right().saturating_sub(x), 1),
            canvas,
        ) + 1;
    }
    let tone = if host.depth == Depth::Shallow {
        Tone::Dim
    } else {
        Tone::Normal
    };
    let room = area.right().saturating_sub(x);
    let style = canvas.theme.style(tone);
    canvas.text(x, area.y, room, &fleet::remark(host), style);
}

/// Draws the gauge of the last half hour; returns how wide its column is.
fn past(host: &Host, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let (_, wide) = COLUMNS[COLUMNS.len() - 1];
    let marks = Thresholds::default();
    let shares = host.past.iter().map(|share| share * 100.0);
    let line = sparkline(shares, usize::from(wide), |share| {
        Theme::band(marks.band(share))
    });
    let cells = Rect::new(area.x, area.y, wide.min(area.width), 1);
    canvas.line(cells, &line);
    wide
}

/// The domains of the selected host.
fn details(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(host) = state.selected() else {
        return;
    };
    let title = Line::of(Tone::Strong, format!("Domains of {}", host.name));
    let remark = match host.depth {
        Depth::Oomtop => Line::of(Tone::Dim, format!("{} not calm", host.domains.len())),
        Depth::Shallow => Line::of(Tone::Dim, "not known without oomtop"),
    };
    let top = Rect::new(area.x, area.y, area.width, 1);
    canvas.rule(top, (&title, &remark), 0, false);
    for (y, domain) in (area.y + 1..area.bottom()).zip(&host.domains) {
        let (tone, word) = if domain.stuck {
            (Tone::Critical, "STUCK")
        } else {
            fleet::urgency(domain.urgency)
        };
        let line = Line::of(tone, format!("{word:<8} "))
            .add(
                Tone::Normal,
                format!(
                    "{:>5} used  full in {:>5}  ",
                    fleet::used(domain.used),
                    fleet::full_in(domain.time_left)
                ),
            )
            .add(Tone::Strong, fleet::called(domain))
            .add(Tone::Dim, "  next: ")
            .add(
                Tone::Normal,
                domain.victim.as_deref().unwrap_or("nobody known"),
            );
        canvas.line(Rect::new(area.x, y, area.width, 1), &line);
    }
}

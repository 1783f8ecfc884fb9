//! [`Said`]: the words of a title in parts: which of them give way where there is no room, and which never do.

use crate::text::tone::{Line, Tone};

/// The words of a title and a remark at its right end.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Each with whether it gives way. What is in force (order, zoom, filter) and what is a count never does.
    parts: Vec<(Line, bool)>,
    /// At the right end: what gives way, and the count behind it.
    pub(super) remark: [Line; 2],
}

impl Said {
    /// Words that stay, with a remark that gives way.
    pub fn of(words: Line, remark: Line) -> Self {
        Self {
            parts: vec![(words, false)],
            remark: [remark, Line::new()],
        }
    }

    /// Adds words that stay.
    pub(super) fn keep(&mut self, tone: Tone, text: impl Into<String>) {
        self.parts.push((Line::of(tone, text), false));
    }

    /// Adds words that give way.
    pub(super) fn may_go(&mut self, tone: Tone, text: impl Into<String>) {
        self.parts.push((Line::of(tone, text), true));
    }

    /// All words.
    pub fn words(&self) -> Line {
        let mut line = Line::new();
        for (part, _) in &self.parts {
            line.spans.extend(part.spans.iter().cloned());
        }
        line
    }

    /// All of the remark.
    pub fn remark(&self) -> Line {
        let [mut line, count] = self.remark.clone();
        line.spans.extend(count.spans);
        line
    }

    /// Leaves out what matters least; false if all that is left must stay.
    pub fn shorten(&mut self) -> bool {
        let [remark, _] = &mut self.remark;
        if !remark.spans.is_empty() {
            *remark = Line::new();
            return true;
        }
        let last = self.parts.iter().rposition(|(_, gives_way)| *gives_way);
        last.map(|at| self.parts.remove(at)).is_some()
    }
}

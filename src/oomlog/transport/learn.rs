//! Learns the prefixes that no rule knows from neighbouring lines.
//!
//! A line that holds the kernel's own words shows what stands in front of them. Lines that begin with a name or
//! a number (the first line of a report, statistics) show it by their neighbours. So the first line of a report
//! is held back until a line with such words comes.

use super::prefix::Stripped;
use super::quotes;
use super::shape::{Shape, is_tag, tag_length};
use super::words::{self, Found};

/// Most lines held back. Lines that were held are parsed as they are then.
pub(super) const HELD_MOST: usize = 8;

/// Most bytes held back: a line can be far longer than any of the kernel.
const HELD_BYTES: usize = 1 << 20;

/// After so many lines without it, a prefix is no longer that of the log.
const PLAIN_MOST: u32 = 8;

/// What is known of the prefixes of a log.
#[derive(Debug, Default)]
pub(super) struct Learner {
    /// The form of the prefix behind the known ones; `None` if there is none.
    shape: Option<Shape>,
    /// Lines in a row that begin with the kernel's words at once.
    plain: u32,
    /// Lines whose prefix is not known yet.
    held: Vec<Stripped>,
    /// The last line had a known prefix: an indented one after it goes on with its message.
    prefixed: bool,
}

impl Learner {
    /// Takes a line; those that are ready are appended to `ready`, in the order of the log.
    pub(super) fn push(&mut self, mut line: Stripped, ready: &mut Vec<Stripped>) {
        if line.whole {
            self.release(ready);
            ready.push(line);
            return;
        }
        if line.record.facility != 0 {
            // Another program's words are not the kernel's.
            self.keep_order(line, ready);
            return;
        }
        if line.width > 0 {
            self.prefixed = true;
        } else if self.prefixed && line.record.text.starts_with([' ', '\t']) {
            self.keep_order(line, ready);
            return;
        } else {
            self.prefixed = false;
        }
        let text = line.record.text.as_str();
        match words::find(text) {
            Some(found) if is_start(text, found) => {
                // A rule may know the prefix of some lines of the log and not of others.
                self.plain += 1;
                if self.plain > PLAIN_MOST {
                    self.shape = None;
                }
                self.release(ready);
                ready.push(line);
            }
            Some(found) => match self.prefix_before(&line, found) {
                Some(shape) => {
                    self.shape = Some(shape);
                    self.plain = 0;
                    self.release(ready);
                    self.strip(&mut line);
                    ready.push(line);
                }
                None => self.hold(line, ready),
            },
            None => {
                if self.held.is_empty() && self.strip(&mut line) {
                    ready.push(line);
                } else if line.record.text.contains(" invoked oom-killer") {
                    self.hold(line, ready);
                } else {
                    self.keep_order(line, ready);
                }
            }
        }
    }

    /// Gives the lines that are held back: what comes later does not explain them.
    pub(super) fn release(&mut self, ready: &mut Vec<Stripped>) {
        for mut line in std::mem::take(&mut self.held) {
            if self.shape.is_none()
                && let Some(name) = behind_tag(&line.record.text)
            {
                let name = name.to_owned();
                line.record.text = name;
            }
            self.strip(&mut line);
            ready.push(line);
        }
    }

    /// The form of the prefix in front of the kernel's words; `None` if it may be part of the message.
    fn prefix_before(&self, line: &Stripped, found: Found) -> Option<Shape> {
        let prefix = line.record.text.get(..found.at)?;
        if let Some(known) = self.shape.as_ref().filter(|shape| shape.is_of(prefix)) {
            return Some(known.clone());
        }
        let shape = Shape::of(prefix);
        let nothing_known = line.width == 0 && line.record.stamp.is_none();
        let alone =
            is_tag(prefix) || ((nothing_known || quotes::is_field_of_text(prefix)) && !found.weak);
        let by_neighbour = || {
            self.held.iter().any(|held| {
                words::find(&held.record.text).is_some_and(|other| {
                    other.kind != found.kind
                        && held
                            .record
                            .text
                            .get(..other.at)
                            .is_some_and(|prefix| shape.is_of(prefix))
                })
            })
        };
        (alone || by_neighbour()).then_some(shape)
    }

    fn strip(&self, line: &mut Stripped) -> bool {
        if line.whole || line.record.facility != 0 {
            return false;
        }
        let Some(shape) = &self.shape else {
            return false;
        };
        let Some(rest) = shape.strip(&line.record.text) else {
            return false;
        };
        let front = line.record.text.len() - rest.len();
        let front = line.record.text.get(..front).unwrap_or("");
        line.record.text = quotes::closed(front, rest).to_owned();
        true
    }

    fn hold(&mut self, line: Stripped, ready: &mut Vec<Stripped>) {
        self.held.push(line);
        let bytes: usize = self.held.iter().map(|line| line.record.text.len()).sum();
        if self.held.len() > HELD_MOST || bytes > HELD_BYTES {
            self.release(ready);
        }
    }

    fn keep_order(&mut self, line: Stripped, ready: &mut Vec<Stripped>) {
        if self.held.is_empty() {
            ready.push(line);
        } else {
            self.hold(line, ready);
        }
    }
}

/// The words stand where the kernel puts them; some of its lines begin with one blank.
fn is_start(text: &str, found: Found) -> bool {
    found.at == 0 || (found.at == 1 && text.starts_with(' '))
}

/// The first line of a report that has no neighbour, without the brackets in front: its name would be longer than
/// any name.
fn behind_tag(text: &str) -> Option<&str> {
    /// Longest process name (`TASK_COMM_LEN` without its NUL).
    const COMM_MOST: usize = 15;
    let (name, _) = text.split_once(" invoked oom-killer")?;
    (name.len() > COMM_MOST).then_some(())?;
    let rest = text.get(tag_length(name)..)?;
    (!rest.starts_with(' ')).then_some(rest)
}

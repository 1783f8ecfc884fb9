//! [`Partial`]: lines that a container runtime wrote in pieces (CRI): `TIME stdout P first`, `TIME stdout F rest`.

/// Most bytes of a line that is gathered. A runtime's pieces have 16 kB.
const LINE_MOST: usize = 256 * 1024;
/// Most bytes in front of the name of the stream: the time, and what a tool puts before it.
const FRONT_MOST: usize = 160;
/// Bytes of `2024-05-01T10:00:00`.
const SECOND: usize = 19;

/// The pieces of a line whose last one has not come yet.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The line so far, as if it were whole.
    line: String,
    /// Name of the stream it came over.
    stream: &'static str,
    /// What a tool has put in front of the time: a pod, a file.
    of: String,
    /// When its last piece was written.
    time: String,
}

/// What became of a line.
pub(super) enum Joined {
    /// It is no piece: read it as it is.
    Whole,
    /// It was kept.
    Kept,
    /// It was the last piece of this line.
    Line(String),
}

impl Partial {
    /// Takes a line. Pieces that no last one ends are appended to `lost`: another line came in between.
    pub(super) fn line(&mut self, line: &str, lost: &mut Option<String>) -> Joined {
        let Some(piece) = Piece::of(line) else {
            *lost = self.finish();
            return Joined::Whole;
        };
        // Another container's line is none of this one's, nor is what was written before it: another file.
        let goes_on = !self.line.is_empty()
            && self.stream == piece.stream
            && self.of == piece.of
            && self.time.as_str() <= piece.second;
        if !goes_on {
            *lost = self.finish();
            if piece.is_last {
                return Joined::Whole;
            }
            self.stream = piece.stream;
            piece.of.clone_into(&mut self.of);
            piece.second.clone_into(&mut self.time);
            self.line = format!("{}F {}", piece.front, piece.text);
            return Joined::Kept;
        }
        piece.second.clone_into(&mut self.time);
        if self.line.len() + piece.text.len() <= LINE_MOST {
            self.line.push_str(piece.text);
        }
        if piece.is_last {
            return self.finish().map_or(Joined::Kept, Joined::Line);
        }
        Joined::Kept
    }

    /// The pieces so far: no more will come.
    pub(super) fn finish(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.line)).filter(|line| !line.is_empty())
    }
}

/// One line of a runtime.
struct Piece<'a> {
    front: &'a str,
    /// What is before the time.
    of: &'a str,
    /// The time without its fraction, in the order of time.
    second: &'a str,
    stream: &'static str,
    is_last: bool,
    text: &'a str,
}

impl<'a> Piece<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim_end_matches(['\r', '\n']);
        ["stdout", "stderr"].into_iter().find_map(|stream| {
            let at = memchr::memmem::find(line.as_bytes(), stream.as_bytes())?;
            (at <= FRONT_MOST).then_some(())?;
            let before = line.get(..at)?.strip_suffix(' ')?;
            let time = before.rsplit(' ').next()?;
            // `2024-05-01T10:00:00.123456789Z`, maybe behind a name.
            (time.contains('T') && time.contains(':')).then_some(())?;
            let behind = line.get(at + stream.len()..)?.strip_prefix(' ')?;
            let (flag, text) = behind.split_at_checked(1)?;
            let text = text
                .strip_prefix(' ')
                .or_else(|| text.is_empty().then_some(""))?;
            matches!(flag, "P" | "F").then(|| Self {
                front: line.get(..at + stream.len() + 1).unwrap_or_default(),
                of: before.get(..before.len() - time.len()).unwrap_or_default(),
                second: time.get(..SECOND).unwrap_or(time),
                stream,
                is_last: flag == "F",
                text,
            })
        })
    }
}

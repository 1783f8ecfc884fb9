//! [`FileRequests`]: what is asked of the user's configuration file. A disk that does not answer holds up one read and one
//! write, and never the keyboard.

use crate::app::msg::{Effect, FileId};
use crate::app::settings::Settings;
use crate::app::settings::draft::Draft;

/// Requests without an answer yet: at most one of each kind, and one draft that waits for the first.
#[derive(Debug, Default)]
pub struct FileRequests {
    last: u64,
    reading: Option<FileId>,
    /// The newest draft that was asked for while another was read: that other one is of no use any more.
    next: Option<(FileId, Changes)>,
    /// The write, and the settings that the file will have.
    writing: Option<(FileId, Settings)>,
}

/// Values by key.
type Changes = Vec<(&'static str, String)>;

impl FileRequests {
    fn id(&mut self) -> FileId {
        self.last += 1;
        FileId(self.last)
    }

    /// Asks for a draft. Its effect comes now, or once the draft before is there.
    pub(super) fn draft(&mut self, changes: Changes) -> (FileId, Option<Effect>) {
        let id = self.id();
        if self.reading.is_some() {
            self.next = Some((id, changes));
            return (id, None);
        }
        (id, Some(self.read(id, changes)))
    }

    fn read(&mut self, id: FileId, changes: Changes) -> Effect {
        self.reading = Some(id);
        Effect::DraftSettings(id, changes)
    }

    /// A draft is there. Returns the request for the one that waits.
    pub(super) fn drafted(&mut self, id: FileId) -> Option<Effect> {
        if self.reading != Some(id) {
            return None;
        }
        self.reading = None;
        let (next, changes) = self.next.take()?;
        Some(self.read(next, changes))
    }

    /// Asks for a write of a draft that has these settings; `None` while another one is under way.
    pub(super) fn write(&mut self, draft: Draft, settings: Settings) -> Option<(FileId, Effect)> {
        if self.writing.is_some() {
            return None;
        }
        let id = self.id();
        self.writing = Some((id, settings));
        Some((id, Effect::WriteSettings(id, draft)))
    }

    /// A write has ended. Returns the settings that were to be written.
    pub(super) fn written(&mut self, id: FileId) -> Option<Settings> {
        let (_, settings) = self.writing.take_if(|(writing, _)| *writing == id)?;
        Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::FileRequests;
    use crate::app::msg::{Effect, FileId};
    use crate::app::settings::Settings;
    use crate::app::settings::draft::Draft;

    fn changes(delay: &str) -> Vec<(&'static str, String)> {
        vec![("delay", delay.to_owned())]
    }

    #[test]
    fn the_newest_draft_waits_for_the_one_that_is_read() {
        let mut requests = FileRequests::default();
        let (first, effect) = requests.draft(changes("1"));
        assert_eq!(effect, Some(Effect::DraftSettings(first, changes("1"))));
        assert_eq!(requests.draft(changes("2")).1, None);
        let (third, none) = requests.draft(changes("3"));
        assert_eq!(none, None);
        assert_eq!(requests.drafted(FileId(99)), None);
        let next = requests.drafted(first);
        assert_eq!(next, Some(Effect::DraftSettings(third, changes("3"))));
        assert_eq!(requests.drafted(third), None);
        assert!(requests.draft(changes("4")).1.is_some());
    }

    #[test]
    fn one_write_at_a_time() {
        let mut requests = FileRequests::default();
        let draft = Draft {
            path: "c.toml".into(),
            before: None,
            after: String::new(),
            notes: Vec::new(),
        };
        let write = |requests: &mut FileRequests| {
            let asked = requests.write(draft.clone(), Settings::default());
            asked.map(|(id, _)| id)
        };
        let first = write(&mut requests).expect("the first");
        assert_eq!(write(&mut requests), None);
        assert_eq!(requests.written(FileId(99)), None);
        assert_eq!(requests.written(first), Some(Settings::default()));
        assert!(write(&mut requests).is_some());
    }
}

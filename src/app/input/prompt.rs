//! [`Prompt`]: the line at the bottom where a filter, a search or a pid is typed.

use crate::app::input::id::ActionId as Id;
use crate::app::input::keymap::Keymap;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;

/// What the prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A filter, in force while it is typed.
    Filter,
    /// A text to search for; the selection jumps while it is typed.
    Search,
    /// A pid to jump to.
    Pid,
    /// A filter of the events pane, in force while it is typed.
    Events,
    /// A time of the recording, to go to.
    Time,
    /// A part of the name or path of a domain, in force while it is typed.
    Domains,
}

impl PromptKind {
    /// What the line starts with.
    pub fn label(self) -> &'static str {
        match self {
            Self::Filter => "Filter: ",
            Self::Search => "Search: ",
            Self::Pid => "PID: ",
            Self::Events => "Events: ",
            Self::Domains => "Domains: ",
            Self::Time => "Time: ",
        }
    }

    /// The scope of its keys.
    pub fn scope(self) -> KeyScope {
        match self {
            Self::Filter | Self::Events | Self::Domains | Self::Time => KeyScope::Prompt,
            Self::Search => KeyScope::Search,
            Self::Pid => KeyScope::Pid,
        }
    }

    /// What the user can type, shown behind the input.
    pub fn hint(self, keymap: &Keymap) -> String {
        let key = |id| keymap.name_in(self.scope(), id);
        match self {
            Self::Filter => {
                "text  a|b  !x  pid:1  name:x  user:x  cgroup:x  adj<0  rss>100M".to_owned()
            }
            Self::Search => format!(
                "{} stays, {} next, {} leaves",
                key(Id::Commit),
                key(Id::Search),
                key(Id::Back)
            ),
            Self::Pid => format!("{} stays, {} leaves", key(Id::Commit), key(Id::Back)),
            Self::Time => "HH:MM[:SS]  YYYY-MM-DD HH:MM  +90s  -2m".to_owned(),
            Self::Domains => format!(
                "part of a name or path, a|b: either; {} clears it",
                key(Id::Back)
            ),
            Self::Events => "name, cgroup or command  a|b  pid:1  scope:host  last:1h".to_owned(),
        }
    }
}

/// An open prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Purpose.
    pub kind: PromptKind,
    /// What was typed.
    pub input: LineInput,
    /// Why the input is invalid.
    pub error: Option<String>,
}

impl Prompt {
    /// Opens with this text.
    pub fn new(kind: PromptKind, text: &str) -> Self {
        Self {
            kind,
            input: LineInput::new(text),
            error: None,
        }
    }
}

//! [`Preset`]: sets of keys for hands that know another program. A preset names only what differs from the default keys
//! of the actions' rows; both presets are tables.

mod habits;
mod htop;
mod vim;

use super::id::ActionId;
use super::named::named;

pub use habits::habit;

named! {
    /// A set of keys.
    pub enum Preset {
        /// The default keys of the actions' rows.
        Oomtop = "oomtop",
        /// As htop has them, where oomtop has the action.
        Htop = "htop",
        /// As vim and less move around.
        Vim = "vim",
    }
}

/// Actions by name, and the keys of each in place of its default keys.
pub type Table = &'static [(&'static str, &'static [&'static str])];

impl Preset {
    /// What it changes.
    pub fn table(self) -> Table {
        match self {
            Self::Oomtop => &[],
            Self::Htop => htop::KEYS,
            Self::Vim => vim::KEYS,
        }
    }

    /// What the help says of it.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Oomtop => "oomtop's own",
            Self::Htop => "htop's, where oomtop has the action",
            Self::Vim => "hjkl, g G, Ctrl-d Ctrl-u, / ? n N; x sends a signal",
        }
    }

    /// Names in its table that no action has.
    pub fn unknown(self) -> Vec<&'static str> {
        let is_known = |name: &str| ActionId::ALL.iter().any(|id| id.name() == name);
        let names = self.table().iter().map(|(name, _)| *name);
        names.filter(|name| !is_known(name)).collect()
    }
}

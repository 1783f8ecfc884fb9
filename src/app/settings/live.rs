//! [`LIVE`]: the settings that can change while the screen is shown, for the settings dialog.

use super::{Settings, text};
use crate::app::input::presets::Preset;
use crate::app::view::processes::columns::COLUMNS;
use crate::app::view::processes::columns::chosen::ChosenColumns;

/// A setting that can change while the screen is shown.
#[derive(Debug)]
pub struct Live {
    /// Its key in the configuration file.
    pub key: &'static str,
    /// What it decides, for the dialog.
    pub doc: &'static str,
    /// The texts that the dialog goes through; it can be typed too, if there are digits or letters to type.
    pub offers: fn(&Settings) -> Vec<String>,
    /// True if other texts than those offered are right.
    pub is_typed: bool,
    /// Takes a text. An error is the end of a sentence: "takes …, not …".
    pub put: fn(&mut Settings, &str) -> Result<(), String>,
    /// The value as a text that `put` takes; empty for none.
    pub show: fn(&Settings) -> String,
}

fn switch(_: &Settings) -> Vec<String> {
    ["false", "true"].map(str::to_owned).to_vec()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Every setting that can change.
pub static LIVE: &[Live] = &[
    Live {
        key: "theme",
        doc: "how the screen looks",
        offers: |s| s.themes.to_vec(),
        is_typed: false,
        put: |s, given| {
            given.clone_into(&mut s.theme);
            Ok(())
        },
        show: |s| s.theme.clone(),
    },
    Live {
        key: "keys",
        doc: "key bindings: oomtop, htop, vim",
        offers: |_| Preset::ALL.iter().map(|p| p.name().to_owned()).collect(),
        is_typed: false,
        put: |s, given| text::preset(given).map(|keys| s.keys = keys),
        show: |s| s.keys.name().to_owned(),
    },
    Live {
        key: "delay",
        doc: "seconds between two samples, 0.1 to 3600",
        offers: |_| words(&["0.1", "0.2", "0.5", "1", "2", "3", "5", "10", "30", "60"]),
        is_typed: true,
        put: |s, given| text::seconds(given).map(|delay| s.delay = delay),
        show: |s| s.delay.as_secs_f64().to_string(),
    },
    Live {
        key: "bands",
        doc: "marks of the gauge in percent",
        offers: |_| words(&["60,75,90", "70,85,95", "80,90,97"]),
        is_typed: true,
        put: |s, given| text::bands(given).map(|bands| s.thresholds = bands),
        show: |s| text::show_bands(&s.thresholds),
    },
    Live {
        key: "sort",
        doc: "the column the table is sorted by",
        offers: |_| COLUMNS.iter().map(|column| column.id.to_owned()).collect(),
        is_typed: false,
        put: |s, given| text::column(given).map(|column| s.sort = Some(column)),
        show: |s| s.sort.unwrap_or_default().to_owned(),
    },
    Live {
        key: "columns",
        doc: "columns of the table: which, in which order, how wide",
        offers: |_| Vec::new(),
        is_typed: false,
        put: |s, given| ChosenColumns::parse(given).map(|columns| s.columns = columns),
        show: |s| s.columns.to_string(),
    },
    Live {
        key: "filter",
        doc: "only rows that match: user:x, adj<0, rss>100M",
        offers: |_| Vec::new(),
        is_typed: true,
        put: |s, given| text::filter(given).map(|filter| s.filter = filter),
        show: |s| s.filter.text().to_owned(),
    },
    Live {
        key: "kernel_threads",
        doc: "show kernel threads too",
        offers: switch,
        is_typed: false,
        put: |s, given| text::switch(given).map(|on| s.kernel_threads = on),
        show: |s| s.kernel_threads.to_string(),
    },
    Live {
        key: "tree",
        doc: "show parents and children as a tree",
        offers: switch,
        is_typed: false,
        put: |s, given| text::switch(given).map(|on| s.tree = on),
        show: |s| s.tree.to_string(),
    },
    Live {
        key: "ascii",
        doc: "only ASCII on the screen",
        offers: switch,
        is_typed: false,
        put: |s, given| text::switch(given).map(|on| s.ascii = on),
        show: |s| s.ascii.to_string(),
    },
    Live {
        key: "mouse",
        doc: "listen to the mouse",
        offers: switch,
        is_typed: false,
        put: |s, given| text::switch(given).map(|on| s.mouse = on),
        show: |s| s.mouse.to_string(),
    },
];

/// What differs between two settings, as keys and texts of the second.
pub fn differences(from: &Settings, to: &Settings) -> Vec<(&'static str, String)> {
    let changed = LIVE
        .iter()
        .filter(|live| (live.show)(from) != (live.show)(to));
    changed.map(|live| (live.key, (live.show)(to))).collect()
}

#[cfg(test)]
mod tests {
    use super::{LIVE, Settings, differences};

    #[test]
    fn what_is_offered_and_shown_can_be_put() {
        let mut settings = Settings {
            themes: ["oomtop".to_owned(), "dark".to_owned()].into(),
            ..Settings::default()
        };
        for live in LIVE {
            for offer in (live.offers)(&settings) {
                (live.put)(&mut settings, &offer).expect(live.key);
                assert_eq!((live.show)(&settings), offer, "{}", live.key);
            }
        }
    }

    #[test]
    fn only_what_has_changed_differs() {
        let from = Settings::default();
        assert_eq!(differences(&from, &from), []);
        let to = Settings {
            ascii: true,
            ..Settings::default()
        };
        assert_eq!(differences(&from, &to), [("ascii", "true".to_owned())]);
    }
}

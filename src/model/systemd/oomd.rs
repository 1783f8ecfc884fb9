//! What systemd-oomd does with a unit: the `ManagedOOM…` settings, which systemd takes on a running unit
//! (systemd.resource-control(5)). They are no files of the group: systemd tells them to systemd-oomd.

use std::fmt;

use super::{Kept, Lasting, UnitName};
use crate::model::cgroup::CgroupPath;
use crate::model::killers::Share;
use crate::model::killers::systemd::syntax::share;

/// One of the settings, in the order dialogs list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OomdSetting {
    /// `ManagedOOMMemoryPressure=`.
    Pressure,
    /// `ManagedOOMMemoryPressureLimit=`.
    PressureLimit,
    /// `ManagedOOMSwap=`.
    Swap,
    /// `ManagedOOMPreference=`.
    Preference,
}

/// What a setting says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OomdValue {
    /// One of [`OomdSetting::words`].
    Word(&'static str),
    /// A share of `u32::MAX`, as it is on the bus; 0 is the default of oomd.conf.
    Scaled(u32),
}

impl OomdSetting {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Pressure,
        Self::PressureLimit,
        Self::Swap,
        Self::Preference,
    ];

    /// The same in the order to set them: who is spared and the limit count before anybody may be killed.
    pub const IN_TURN: [Self; 4] = [
        Self::Preference,
        Self::PressureLimit,
        Self::Pressure,
        Self::Swap,
    ];

    /// Its name in unit files and on the bus.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pressure => "ManagedOOMMemoryPressure",
            Self::PressureLimit => "ManagedOOMMemoryPressureLimit",
            Self::Swap => "ManagedOOMSwap",
            Self::Preference => "ManagedOOMPreference",
        }
    }

    /// The words that it takes; none for a share.
    #[must_use]
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Pressure | Self::Swap => &["auto", "kill"],
            Self::PressureLimit => &[],
            Self::Preference => &["none", "avoid", "omit"],
        }
    }

    /// What it does, for people.
    #[must_use]
    pub fn doc(self) -> &'static str {
        match self {
            Self::Pressure => {
                "kill: above the limit for long, a group of it is killed; auto: only if a unit around it says so"
            }
            Self::PressureLimit => {
                "share of time that all its tasks wait for memory, such as 60%; 0: that of oomd.conf"
            }
            Self::Swap => {
                "kill: with memory and swap almost full, the group that swaps most is killed; auto: only if a unit around it \
                 says so"
            }
            Self::Preference => {
                "avoid: killed only if nobody else is left; omit: never, by systemd-oomd; the kernel does not care"
            }
        }
    }

    /// Reads what somebody typed; `None` where nothing was.
    ///
    /// # Errors
    /// What it takes instead.
    pub fn parse(self, typed: &str) -> Result<Option<OomdValue>, String> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let value = if self == Self::PressureLimit {
            let typed = typed.strip_suffix('%').unwrap_or(typed).trim_end();
            let is_number = typed.chars().all(|c| c.is_ascii_digit() || c == '.');
            let found = is_number.then(|| share(&format!("{typed}%"))).flatten();
            found.map(|share| OomdValue::Scaled(scaled(share)))
        } else {
            self.word(&typed.to_ascii_lowercase())
        };
        value.map(Some).ok_or_else(|| match self.words() {
            [] => "a percentage from 0 to 100".to_owned(),
            [all @ .., last] => format!("{} or {last}", all.join(", ")),
        })
    }

    /// The value of this word; `None` if the setting does not take it.
    #[must_use]
    pub fn word(self, word: &str) -> Option<OomdValue> {
        let mut words = self.words().iter().copied();
        words.find(|known| *known == word).map(OomdValue::Word)
    }
}

impl fmt::Display for OomdSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for OomdValue {
    /// As a unit file has it: `kill`, `12.5%`, `0%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Scaled(scaled) => {
                let most = u64::from(u32::MAX);
                let permyriad = (u64::from(*scaled) * 10_000 + most / 2) / most;
                match (permyriad / 100, permyriad % 100) {
                    (whole, 0) => write!(f, "{whole}%"),
                    (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
                    (whole, part) => write!(f, "{whole}.{part:02}%"),
                }
            }
        }
    }
}

/// As systemd scales it (src/basic/percent-util.h `UINT32_SCALE_FROM_PERMYRIAD`).
fn scaled(share: Share) -> u32 {
    let scaled = (u64::from(share.0) * u64::from(u32::MAX) + 5_000) / 10_000;
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

/// A setting of a running unit (`SetUnitProperties`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOomd {
    /// Whose.
    pub unit: UnitName,
    /// The group of the unit, from whose path it was told.
    pub group: CgroupPath,
    /// Which setting.
    pub setting: OomdSetting,
    /// The value.
    pub value: OomdValue,
    /// How long systemd remembers it.
    pub lasting: Lasting,
    /// For an undo, what systemd kept of the setting in its files: what it keeps more is removed.
    pub leave: Option<Kept>,
}

/// Such a setting as systemd has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitOomdReading {
    /// The value.
    pub value: OomdValue,
    /// What systemd keeps of it in its files.
    pub kept: Kept,
    /// systemd-oomd reads the preference from the group itself, which does not say so yet: it counts from the next start.
    pub is_pending: bool,
}

/// The settings of a unit, in the order of [`OomdSetting::ALL`]; a systemd that does not know one leaves it out.
pub type OomdSettings = Vec<(OomdSetting, OomdValue)>;

#[cfg(test)]
mod tests {
    use super::{OomdSetting, OomdValue};

    #[test]
    fn values_are_read_as_they_are_shown() {
        let limit = |typed| OomdSetting::PressureLimit.parse(typed);
        // 90 % as systemd has it.
        assert_eq!(limit("90%"), Ok(Some(OomdValue::Scaled(3_865_470_566))));
        for (typed, shown) in [
            ("90", "90%"),
            ("12.5 %", "12.5%"),
            ("0.07%", "0.07%"),
            ("0", "0%"),
            ("100%", "100%"),
        ] {
            let value = limit(typed).expect("valid").expect("a value");
            assert_eq!(value.to_string(), shown);
        }
        for bad in ["101%", "-1", "%", "many", "1e1", "nan", "inf"] {
            assert_eq!(
                limit(bad),
                Err("a percentage from 0 to 100".to_owned()),
                "{bad}"
            );
        }
        assert_eq!(limit("  "), Ok(None));
        let swap = |typed| OomdSetting::Swap.parse(typed);
        assert_eq!(swap(" Kill"), Ok(Some(OomdValue::Word("kill"))));
        assert_eq!(swap("omit"), Err("auto or kill".to_owned()));
        let spare = OomdSetting::Preference.parse("kill");
        assert_eq!(spare, Err("none, avoid or omit".to_owned()));
    }

    #[test]
    fn every_setting_has_its_turn() {
        for setting in OomdSetting::ALL {
            assert!(OomdSetting::IN_TURN.contains(&setting), "{setting}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_share_comes_back(permyriad in 0_u32..=10_000) {
            let typed = format!("{}.{:02}%", permyriad / 100, permyriad % 100);
            let value = OomdSetting::PressureLimit.parse(&typed).expect("valid").expect("a value");
            let again = OomdSetting::PressureLimit.parse(&value.to_string());
            proptest::prop_assert_eq!(again, Ok(Some(value)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}") {
            for setting in OomdSetting::ALL {
                let _ = setting.parse(&text);
            }
        }
    }
}

//! What a unit has of the settings for systemd-oomd, over D-Bus.

use std::path::Path;

use super::{Connected, Connection, Error, Patience, Refusal, Standing, Value, interface_of};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::FailureKind;
use crate::model::systemd::oomd::{OomdSetting, OomdSettings, OomdValue};
use crate::model::systemd::{Lasting, UnitName};

impl Connected {
    /// As [`Self::open`]: nobody but systemd can set them.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn open_for_settings(
        base: &Path,
        manager: Manager,
        patience: &Patience,
    ) -> Result<Self, Refusal> {
        Self::open_by(
            (base, manager),
            patience,
            Connection::open,
            "; nothing was written",
        )
    }

    /// Sets one of them.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn set_oomd(
        &mut self,
        unit: &UnitName,
        lasting: Lasting,
        setting: OomdSetting,
        value: OomdValue,
    ) -> Result<(), Refusal> {
        let name = (setting.name(), value.to_string());
        match value {
            OomdValue::Word(word) => self.set(unit, lasting, name, "s", |list| list.text(word)),
            OomdValue::Scaled(share) => self.set(unit, lasting, name, "u", |list| list.u32(share)),
        }
    }

    /// One of them; `None` if this systemd, or a unit of this type, has none of that name.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn oomd(
        &mut self,
        unit: &UnitName,
        setting: OomdSetting,
    ) -> Result<Option<OomdValue>, Refusal> {
        let found = match self.property(unit, interface_of(unit), setting.name()) {
            Ok(found) => found,
            Err(refusal) if refusal.standing == Standing::Unknown => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let value = match &found {
            Value::Text(word) => setting.word(word),
            Value::Number(share) if setting.words().is_empty() => {
                u32::try_from(*share).ok().map(OomdValue::Scaled)
            }
            Value::Number(_) | Value::Signed(_) => None,
        };
        match (value, found) {
            (Some(value), _) => Ok(Some(value)),
            // A word of a later systemd.
            (None, Value::Text(word)) => Err(Refusal::new(
                FailureKind::Other,
                format!(
                    "{unit} has {setting}={word}, which oomtop does not know: it was left alone."
                ),
            )),
            (None, _) => Err(self.refusal(unit, &Error::Garbled)),
        }
    }

    /// All of them that it has.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn all_oomd(&mut self, unit: &UnitName) -> Result<OomdSettings, Refusal> {
        let mut all = Vec::new();
        for setting in OomdSetting::ALL {
            if let Some(value) = self.oomd(unit, setting)? {
                all.push((setting, value));
            }
        }
        Ok(all)
    }
}

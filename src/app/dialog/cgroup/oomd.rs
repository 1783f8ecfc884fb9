//! What systemd-oomd does with the unit whose limits the dialog shows.

use super::{CgroupDialog, Mode};
use crate::app::dialog::by::By;
use crate::app::dialog::{DialogContext, DialogView, Outcome, Section};
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::model::killers::Killer;
use crate::model::plan::Plan;
use crate::model::plan::step::UnitStep;
use crate::model::systemd::UnitName;
use crate::model::systemd::oomd::{OomdSetting, OomdSettings, OomdValue, UnitOomd};
use crate::text::tone::{Line, Tone};

/// The fields, and what systemd has said of the unit.
#[derive(Debug)]
pub(super) struct OomdPart {
    fields: Vec<(OomdSetting, LineInput)>,
    focus: usize,
    /// What is typed where no field is.
    nothing: LineInput,
    /// What was found, of which unit.
    found: Option<(UnitName, Result<OomdSettings, String>)>,
    /// Whose values have been asked for and have not come.
    asked: Option<UnitName>,
}

impl Default for OomdPart {
    fn default() -> Self {
        let field = |setting| (setting, LineInput::default());
        Self {
            fields: OomdSetting::ALL.map(field).into(),
            focus: 0,
            nothing: LineInput::default(),
            found: None,
            asked: None,
        }
    }
}

impl OomdPart {
    pub(super) fn input(&mut self) -> &mut LineInput {
        match self.fields.get_mut(self.focus) {
            Some((_, input)) => input,
            None => &mut self.nothing,
        }
    }

    /// The focused field, and how many there are.
    pub(super) fn places(&mut self) -> (&mut usize, usize) {
        (&mut self.focus, self.fields.len())
    }

    pub(super) fn found(&mut self, unit: &UnitName, found: &Result<OomdSettings, String>) {
        self.asked = None;
        self.found = Some((unit.clone(), found.clone()));
    }

    /// The present value.
    fn now(&self, unit: &UnitName, setting: OomdSetting) -> Option<OomdValue> {
        let (of, found) = self.found.as_ref()?;
        let settings = found.as_ref().ok().filter(|_| of == unit)?;
        let found = settings.iter().find(|(known, _)| *known == setting);
        found.map(|(_, value)| *value)
    }

    /// Why systemd did not tell the present values.
    fn silence(&self, unit: &UnitName) -> Option<&str> {
        let (of, found) = self.found.as_ref()?;
        found
            .as_ref()
            .err()
            .filter(|_| of == unit)
            .map(String::as_str)
    }

    /// What was typed, in the order to set it. An empty field leaves its setting alone.
    fn typed(&self) -> Result<Vec<(OomdSetting, OomdValue)>, String> {
        let mut all = Vec::new();
        for setting in OomdSetting::IN_TURN {
            let mut fields = self.fields.iter();
            let input = fields.find(|(of, _)| *of == setting);
            let parsed = input.map_or(Ok(None), |(_, input)| setting.parse(input.text()));
            match parsed {
                Ok(value) => all.extend(value.map(|value| (setting, value))),
                Err(wanted) => return Err(format!("{setting}: {wanted}")),
            }
        }
        Ok(all)
    }

    /// What the setting will be: typed, or as it is.
    fn then(&self, unit: &UnitName, setting: OomdSetting) -> Option<OomdValue> {
        let typed = self.typed().unwrap_or_default();
        let typed = typed.iter().find(|(of, _)| *of == setting);
        typed
            .map(|(_, value)| *value)
            .or_else(|| self.now(unit, setting))
    }
}

impl CgroupDialog {
    /// Asks systemd for the present values, where they are shown.
    pub(super) fn ask_oomd(&mut self, context: &DialogContext<'_>) -> Outcome {
        let unit = self.unit(context).filter(|_| self.mode == Mode::Oomd);
        let Some(unit) = unit else {
            return Outcome::Stay;
        };
        if self.by == By::File {
            self.by = By::default();
        }
        // One question at a time: a systemd that is silent takes seconds.
        if self.oomd.asked.as_ref() == Some(&unit) {
            return Outcome::Stay;
        }
        self.oomd.found = None;
        self.oomd.asked = Some(unit.clone());
        Outcome::Perform(vec![Effect::ReadOomd(unit)])
    }

    /// The plan of this part.
    pub(super) fn oomd_plan(&self, context: &DialogContext<'_>) -> Result<Plan, String> {
        let unit = self.unit(context);
        let (Some(unit), Some(group)) = (unit, &self.group) else {
            return Err("its unit is not known".to_owned());
        };
        let typed = self.oomd.typed()?;
        if typed.is_empty() {
            return Err("type a new value; the present one is beside the field".to_owned());
        }
        let lasting = self.by.lasting().unwrap_or_default();
        let step = |(setting, value)| {
            UnitStep::Oomd(UnitOomd {
                unit: unit.clone(),
                group: group.clone(),
                setting,
                value,
                lasting,
                leave: None,
            })
        };
        Ok(typed.into_iter().map(step).collect())
    }
}

/// The fields.
pub(super) fn half(
    dialog: &CgroupDialog,
    mut view: DialogView,
    context: &DialogContext<'_>,
) -> DialogView {
    let Some(unit) = dialog.unit(context) else {
        return view;
    };
    let part = &dialog.oomd;
    let is_asking = part.found.as_ref().is_none_or(|(of, _)| *of != unit);
    for (at, (setting, input)) in part.fields.iter().enumerate() {
        let now = part.now(&unit, *setting).map(|value| match value {
            OomdValue::Scaled(0) => "0%, the default".to_owned(),
            value => value.to_string(),
        });
        let unknown = if is_asking { "…" } else { "n/a" };
        view = view.with(Section::Field {
            label: setting.name(),
            input: input.clone(),
            focused: part.focus == at,
            note: Some(format!("now {}", now.as_deref().unwrap_or(unknown))),
            error: setting.parse(input.text()).err(),
        });
    }
    let hint = part.fields.get(part.focus);
    let hint = hint.map(|(setting, _)| Line::of(Tone::Dim, setting.doc()));
    let by = dialog.by.line_of_systemd(&unit, KeyScope::Cgroup, context);
    view.text(hint.into_iter().chain([by]).collect())
}

/// What to know before it is set.
pub(super) fn warnings(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Vec<Line> {
    let Some(unit) = dialog.unit(context) else {
        return Vec::new();
    };
    let part = &dialog.oomd;
    let mut lines = Vec::new();
    if let Some(why) = part.silence(&unit) {
        let text = format!("The present values are not known: {why}");
        lines.push(Line::of(Tone::Watch, text));
    }
    let snapshot = context.cells.snapshot;
    let mut killers = snapshot.killers.iter();
    if !killers.any(|killer| killer.killer == Killer::SystemdOomd) {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "systemd-oomd does not run: systemd keeps these values, and nobody acts on them until it does. To start it, \
                 now and at every boot: {}",
                context.host.command_user.as_root("systemctl enable --now systemd-oomd")
            ),
        ));
    }
    let kills = |setting| part.then(&unit, setting) == Some(OomdValue::Word("kill"));
    let (swap, pressure) = (kills(OomdSetting::Swap), kills(OomdSetting::Pressure));
    if swap || pressure {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "systemd-oomd kills a whole group with SIGKILL: one of those below {unit}, or {unit} itself if it has none."
            ),
        ));
    }
    if swap && snapshot.memory.swap_total == 0 {
        let text = "There is no swap here: systemd-oomd never kills for it.";
        lines.push(Line::of(Tone::Watch, text));
    }
    lines.extend(dialog.by.note(&unit));
    lines
}

//! Back removes what narrows the view, one thing at a time.

use crate::app::State;
use crate::app::msg::Effect;
use crate::app::view::events::EventFilter;
use crate::app::view::layout::Pane;
use crate::model::filter::Filter;

pub(in crate::app::input::actions) fn in_table(state: &mut State) -> Vec<Effect> {
    if state.table.zoom.take().is_some() {
        // Back where the zoom came from.
        state.domains.open = std::mem::take(&mut state.domains.zoomed);
    } else if !state.table.filter.text().is_empty() {
        state.table.filter = Filter::default();
    } else {
        state.notice = None;
    }
    state.arrange()
}

pub(in crate::app::input::actions) fn in_domains(state: &mut State) -> Vec<Effect> {
    if state.domains.filter.is_empty() {
        state.domains.open = false;
    } else {
        state.domains.filter.clear();
    }
    state.arrange()
}

pub(in crate::app::input::actions) fn in_events(state: &mut State) -> Vec<Effect> {
    if state.events.filter.is_empty() {
        state.focus = Pane::Processes;
    } else {
        state.events.set_filter("", EventFilter::default());
    }
    state.arrange()
}

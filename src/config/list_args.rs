//! What to print instead of the dashboard, and of whom: the options that top(1) has too.

use std::path::Path;

use clap::Args;

use crate::app::settings::printing::{PrintForm, Printing};
use crate::linux::host::users::Users;
use crate::model::filter::Filter;
use crate::model::shell::quoted;
use crate::text::suggest::nearest;

/// Options of the printed forms.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a command line is a bag of switches"
)]
pub(super) struct ListArgs {
    /// Print one plain table (no escape codes) and exit
    #[arg(long)]
    once: bool,

    /// Print a table each period, as top does; ends quietly when nobody reads it
    #[arg(long, short = 'b', conflicts_with = "once")]
    batch: bool,

    /// Print so many samples, one each period
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "once",
        value_parser = count)]
    count: Option<u64>,

    /// Print one JSON document of the whole sample and exit (unfiltered); with -n or -b one a line
    #[arg(long)]
    json: bool,

    /// Print comma-separated values: raw numbers, a column with the time, the names once
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// Print sentences, for screen readers: no columns, no bars, processes by their pids
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    plain: bool,

    /// Only these processes
    #[arg(long, short = 'p', value_name = "PID,…", value_delimiter = ',')]
    pid: Vec<u32>,

    /// Only the processes of this user, by name or number
    #[arg(long, short = 'u', value_name = "USER")]
    user: Option<String>,
}

/// # Errors
/// What is no number of samples.
fn count(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| {
        "takes a whole number from 1 on; -b without -n goes on until nobody reads it".to_owned()
    })
}

/// # Errors
/// A sentence, if there is no user of this name: the table would be empty without a word.
fn is_user(user: &str, proc: &Path) -> Result<(), String> {
    if user.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let known = Users::known(proc);
    if known.iter().any(|name| name.eq_ignore_ascii_case(user)) {
        return Ok(());
    }
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    Err(match nearest(user, &known) {
        Some(meant) => format!("there is no user '{user}'; did you mean '{meant}'?"),
        None => format!(
            "there is no user '{user}'; one of a directory service goes by number: id -u {}",
            quoted(user)
        ),
    })
}

impl ListArgs {
    /// The form to print and how many samples; `None` for the dashboard.
    pub(super) fn printed(&self) -> Option<Printing> {
        let form = match (self.json, self.csv, self.plain) {
            (true, ..) => PrintForm::Json,
            (_, true, _) => PrintForm::Csv,
            (.., true) => PrintForm::Sentences,
            _ if self.once || self.batch || self.count.is_some() => PrintForm::Table,
            _ => return None,
        };
        let forever = self.batch && self.count.is_none();
        Some(Printing {
            form,
            count: (!forever).then(|| self.count.unwrap_or(1)),
        })
    }

    /// The filter, and besides it the pids and the user.
    ///
    /// # Errors
    /// A sentence about the user or the pids; `proc` tells which users there are.
    pub(super) fn narrowed(&self, filter: Filter, proc: &Path) -> Result<Filter, String> {
        let mut terms = vec![filter.text().to_owned()];
        if !self.pid.is_empty() {
            let pids: Vec<_> = self.pid.iter().map(u32::to_string).collect();
            terms.push(format!("pid:{}", pids.join(",")));
        }
        if let Some(user) = &self.user {
            if user.is_empty() || user.contains(char::is_whitespace) {
                return Err(format!("--user takes a name or a number, not '{user}'"));
            }
            is_user(user, proc)?;
            terms.push(format!("user:{user}"));
        }
        if terms.len() == 1 {
            return Ok(filter);
        }
        Filter::parse(terms.join(" ").trim())
    }
}

//! Kills in a row of which the log does not say that they are one group kill.

use std::time::Duration;

use crate::oomlog::LogRecord;
use crate::oomlog::assembler::draft::Draft;
use crate::oomlog::line::fact::KilledLine;

/// How far apart the lines of a group kill that nothing announces can be. The next OOM of the same cgroup has a
/// first line, unless the log has lost that.
const TOGETHER: Duration = Duration::from_secs(1);
/// The same for an OOM of the host, where any process can be the next: a group kill prints within milliseconds, on a
/// slow serial console too.
const TOGETHER_ON_HOST: Duration = Duration::from_millis(50);

/// The line follows the report so closely that both can be of one group kill.
pub(super) fn are_together(draft: &Draft, record: &LogRecord, victim: &KilledLine) -> bool {
    let is_memcg = victim
        .message
        .as_ref()
        .is_some_and(|message| message.to_ascii_lowercase().starts_with("memory cgroup"));
    let most = if is_memcg { TOGETHER } else { TOGETHER_ON_HOST };
    let apart = draft.last.zip(record.at).map(|(last, at)| at.since(last));
    apart.is_none_or(|apart| apart < most)
}

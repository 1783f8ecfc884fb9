//! [`ActionId`]: every action by name. A row in [`super::actions::ACTIONS`] says what it does and where.

use std::fmt;

use super::named::named;

named! {
    /// Names an action: keys are bound to it, and sentences ask the keymap for its keys.
    pub enum ActionId {
        /// Opens the help.
        Help = "help",
        /// Opens the adjust dialog at the present level.
        Adjust = "adjust",
        /// One level more protected.
        Protect = "protect",
        /// One level more expendable.
        Expend = "expend",
        /// Opens the cgroup dialog.
        Cgroup = "cgroup",
        /// Opens the signal dialog.
        Signal = "signal",
        /// Undoes the last write.
        Undo = "undo",
        /// Opens the history of writes.
        History = "history",
        /// Filters the rows of the pane.
        Filter = "filter",
        /// Shows the OOM domains in place of the processes, or the processes again.
        Domains = "domains",
        /// Chooses the order.
        Sort = "sort",
        /// Shows one OOM domain only.
        Zoom = "zoom",
        /// Opens the details of the selected row.
        Details = "details",
        /// Shows the folded domains.
        Unfold = "unfold",
        /// Folds the calm domains.
        Fold = "fold",
        /// Enters or leaves the events pane.
        Events = "events",
        /// Reads the events of older boots.
        Older = "older",
        /// Opens the ledger: where the memory is, and what frees it.
        Ledger = "ledger",
        /// Opens the settings panel.
        Settings = "settings",
        /// Goes to the next pane.
        NextPane = "next-pane",
        /// Searches by text.
        Search = "search",
        /// Goes to the next match.
        NextMatch = "next-match",
        /// Goes to the previous match.
        PreviousMatch = "previous-match",
        /// Sorts by the next column.
        SortRight = "sort-right",
        /// Sorts by the previous column.
        SortLeft = "sort-left",
        /// Reverses the order.
        Invert = "invert",
        /// Shows parents and children as a tree.
        Tree = "tree",
        /// Shows or hides kernel threads.
        KernelThreads = "kernel-threads",
        /// Keeps the selected process on the screen.
        Follow = "follow",
        /// Tags the selected process.
        Tag = "tag",
        /// Untags all.
        Untag = "untag",
        /// Closes, clears or leaves what was opened last.
        Back = "back",
        /// One row up.
        Up = "up",
        /// One row down.
        Down = "down",
        /// A page up.
        PageUp = "page-up",
        /// A page down.
        PageDown = "page-down",
        /// To the top.
        Home = "home",
        /// To the end.
        End = "end",
        /// Pauses the samples.
        Pause = "pause",
        /// Refreshes more often.
        Faster = "faster",
        /// Refreshes less often.
        Slower = "slower",
        /// Samples now and redraws.
        Refresh = "refresh",
        /// Suspends the program.
        Suspend = "suspend",
        /// Quits.
        Quit = "quit",
        /// Does what the dialog or the prompt offers.
        Commit = "commit",
        /// Closes a dialog that only shows something.
        Close = "close",
        /// A page down in a dialog that scrolls.
        ReadOn = "read-on",
        /// Changes what the dialog is about.
        Switch = "switch",
        /// Types a value of the legacy file.
        Legacy = "legacy",
        /// Turns to the next page of a report.
        NextPage = "next-page",
        /// Turns to the previous page of a report.
        PreviousPage = "previous-page",
        /// Saves the report.
        Save = "save",
        /// Opens the incident dialog.
        Incident = "incident",
        /// Changes how long a write to a unit of systemd lasts.
        Lasting = "lasting",
        /// Keeps the rest of a service that systemd would stop.
        Policy = "policy",
        /// Whom a move is for.
        Whom = "whom",
        /// Shows the rules.
        Rules = "rules",
        /// Makes a rule of the process of the dialog.
        Rule = "rule",
        /// Saves the last minutes.
        SaveRecording = "save-recording",
        /// A sample back in a recording.
        StepBack = "step-back",
        /// A sample forward in a recording.
        StepForward = "step-forward",
        /// 10 seconds back in a recording.
        SecondsBack = "seconds-back",
        /// 10 seconds forward in a recording.
        SecondsForward = "seconds-forward",
        /// A minute back in a recording.
        MinuteBack = "minute-back",
        /// A minute forward in a recording.
        MinuteForward = "minute-forward",
        /// To the kill before in a recording.
        PreviousKill = "previous-kill",
        /// To the next kill in a recording.
        NextKill = "next-kill",
        /// To a clock time in a recording.
        ToTime = "to-time",
        /// Shows a recording faster.
        PlayFaster = "play-faster",
        /// Shows a recording slower.
        PlaySlower = "play-slower",
        /// Marks a moment of a recording.
        Mark = "mark",
        /// Compares the marked moment of a recording with the one on the screen.
        Compare = "compare",
        /// Tags the selected process and all below it.
        TagFamily = "tag-family",
        /// Sorts by resident memory.
        SortMemory = "sort-memory",
        /// Sorts by recent CPU use.
        SortCpu = "sort-cpu",
        /// Sorts by processor time since the start.
        SortTime = "sort-time",
        /// Sorts by process id.
        SortPid = "sort-pid",
        /// Opens the settings of oomtop itself.
        Setup = "setup",
        /// Takes the next value of a setting.
        NextValue = "next-value",
        /// Takes the value before.
        PreviousValue = "previous-value",
        /// Writes the settings of the dialog to the user's file.
        SaveSettings = "save-settings",
        /// Shows a column of the table, or leaves it out.
        ToggleColumn = "toggle-column",
        /// Moves a column of the table to the left.
        ColumnLeft = "column-left",
        /// Moves a column of the table to the right.
        ColumnRight = "column-right",
        /// Scrolls command lines to the right.
        ScrollRight = "scroll-right",
        /// Scrolls command lines to the left.
        ScrollLeft = "scroll-left",
        /// Shows command lines from their beginning.
        ScrollHome = "scroll-home",
        /// Shows command lines as they are, or without directories.
        WholeCommands = "whole-commands",
        /// Shows the children of a process in the tree, or hides them.
        Collapse = "collapse",
        /// Chooses whose processes are shown.
        Users = "users",
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

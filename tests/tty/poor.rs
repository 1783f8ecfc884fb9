//! Terminals and locales that cannot show all: the bytes that reach them are ones they can.

use crate::common::own_child::OwnChild;
use crate::common::pty::Launch;

#[test]
fn only_what_the_terminal_can_show_is_written() {
    // A row that stays: a dialog is not opened on a process that has just ended.
    let child = OwnChild::waiting();
    let filter = format!("pid:{}", child.id().pid);
    for (number, (variables, plain)) in [
        (&[("LC_ALL", "C")][..], true),
        (&[("LC_ALL", "POSIX")], true),
        (&[("LC_ALL", "de_DE.ISO-8859-1")], true),
        // An empty variable counts as none: the next one decides (locale(7)).
        (&[("LC_ALL", ""), ("LANG", "C")], true),
        (
            &[("LC_ALL", ""), ("LC_CTYPE", "C"), ("LANG", "C.UTF-8")],
            true,
        ),
        (&[("TERM", "linux")], true),
        (&[("TERM", "dumb")], true),
        (&[("TERM", "vt220")], true),
        (&[("TERM", "xterm-256color")], false),
        (&[("LC_ALL", "en_US.utf8")], false),
        (&[("TERM", "linux"), ("OOMTOP_ASCII", "false")], false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut launch = Launch::oomtop().args(["--filter", &filter]).size(120, 36);
        for (name, value) in variables {
            launch = launch.env(name, value);
        }
        let mut session = launch.start();
        let row = format!(" {} ", child.id().pid);
        session.wait_for("the row", |screen| {
            screen.has("Next victim") && screen.has(&row)
        });
        // Boxes, arrows, bars, per mille and dots: what is drawn on all screens.
        for (open, words, close) in [
            ("?", ": help", "<Esc>"),
            ("d", "by urgency", "d"),
            ("a", "─ Adjust ", "<Esc>"),
            ("k", "─ Send a signal", "<Esc>"),
            ("S", "panic_on_oom", "<Esc>"),
            ("t", "  tree", "t"),
        ]
        .into_iter()
        // Each terminal opens a third of them; the ones beside it open the others.
        .skip(number % 3)
        .step_by(3)
        {
            let words = if plain {
                words.replace('─', "-")
            } else {
                words.to_owned()
            };
            session.keys(open);
            session.wait_for(&words, |screen| screen.has(&words));
            session.keys(close);
            session.wait_for("the table", |screen| !screen.has(&words));
        }
        session.keys("<C-c>");
        assert_eq!(session.wait_exit().code, 0, "{variables:?}");
        session.assert_sane();
        let raw = session.raw();
        let odd = raw.iter().position(|byte| !byte.is_ascii());
        let around = odd.map(|at| String::from_utf8_lossy(&raw[at..raw.len().min(at + 40)]));
        assert_eq!(odd.is_none(), plain, "{variables:?}: {around:?}");
        if plain {
            // The DEC line drawing set is no way out: a serial line may not have it.
            let shifts = raw.iter().any(|byte| matches!(byte, 0x0e | 0x0f));
            assert!(!shifts, "{variables:?}");
        }
    }
}

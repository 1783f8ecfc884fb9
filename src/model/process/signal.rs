//! The signals that the signal dialog offers.

/// A signal by name and number, with a word on what it does (signal(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal {
    /// Without `SIG`.
    pub name: &'static str,
    /// Number on Linux for most architectures (x86, ARM, POWER, RISC-V, s390).
    pub number: i32,
    /// What it does, in a few words.
    pub effect: &'static str,
}

/// What can be sent, the gentle one first.
pub const SIGNALS: &[Signal] = &[
    Signal {
        name: "TERM",
        number: 15,
        effect: "ask it to end",
    },
    Signal {
        name: "KILL",
        number: 9,
        effect: "end it now; nothing is saved",
    },
    Signal {
        name: "STOP",
        number: 19,
        effect: "freeze it (memory stays)",
    },
    Signal {
        name: "CONT",
        number: 18,
        effect: "let a frozen one run on",
    },
    Signal {
        name: "INT",
        number: 2,
        effect: "as Ctrl-C",
    },
    Signal {
        name: "HUP",
        number: 1,
        effect: "hang up; many daemons reload",
    },
    Signal {
        name: "QUIT",
        number: 3,
        effect: "end it with a core dump",
    },
    Signal {
        name: "USR1",
        number: 10,
        effect: "its own meaning",
    },
    Signal {
        name: "USR2",
        number: 12,
        effect: "its own meaning",
    },
];

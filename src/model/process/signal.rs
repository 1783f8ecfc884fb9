//! The signals that the signal dialog offers.

/// The name, number and effect of a signal (signal(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal {
    /// The name without `SIG`.
    pub name: &'static str,
    /// Number on Linux for most architectures (x86, ARM, POWER, RISC-V, s390).
    pub number: i32,
    /// The effect in a few words.
    pub effect: &'static str,
}

/// The signals that can be sent, the gentlest first.
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
        effect: "let a stopped one continue",
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

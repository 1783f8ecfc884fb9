//! `named!`: an enum whose variants have names, with the list of all of them: neither can be forgotten.

macro_rules! named {
    (
        $(#[$about:meta])+
        pub enum $enum:ident {
            $($(#[$doc:meta])+ $variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $enum {
            $($(#[$doc])+ $variant,)+
        }

        impl $enum {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in a configuration and in sentences.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

pub(super) use named;

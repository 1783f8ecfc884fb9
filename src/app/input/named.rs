//! `named!`: an enum with a name for each variant and a list of all variants, so that nobody can forget
//! either.

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
            /// All variants.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The variant of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|variant| variant.name() == name)
            }

            /// Name in a configuration and in sentences.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

pub(super) use named;

//! The only code that opens kernel files.

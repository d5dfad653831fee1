//! What can be done about an error. Types of errors say it beside their words, below the tops; each
//! top spells it, as a command or as a key.

/// An error that knows what to do about it.
pub trait Advice {
    /// What to do next, in a sentence; commands are named as they are typed.
    fn next_step(&self) -> Option<String> {
        None
    }

    /// What to do next on the screen or line by line, if anything can be done there: actions stand
    /// in braces, for each of the two to name its key or its command.
    fn at_work(&self) -> Option<&'static str> {
        None
    }
}

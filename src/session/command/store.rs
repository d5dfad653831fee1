//! The exchange with the shared store.

use super::Command;
use crate::session::effect::Effect;
use crate::session::window::Window;

pub const EXCHANGE: Command = Command::new(
    "exchange",
    "how the exchange with the shared store stands; {exchange-now} there exchanges now",
    |_, _| vec![Effect::Show(Window::Exchange)],
);

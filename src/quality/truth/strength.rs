//! How near to what all do each reviewer stays: the strength of the Dirichlet draws by which
//! hierarchical models draw what each does from what all do, learned from how they answer: where a
//! Dirichlet-multinomial is likeliest (Minka, "Estimating a Dirichlet distribution", 2000, equation
//! 53), under an exponential prior.

use statrs::function::gamma::digamma;

/// The strength that is begun with, its prior's rate, its bounds, and how often they are halved.
pub const BEGINNING: f64 = 4.0;
const RATE: f64 = 0.5;
const BOUNDS: (f64, f64) = (0.5, 200.0);
const HALVINGS: usize = 16;
/// A strength that changes by less than this share stays as it is, so that beliefs come to rest.
const STEADY: f64 = 1e-2;
/// Less of a label says nothing about strength.
const TRACE: f64 = 1e-6;

/// A strength that is being learned.
#[derive(Debug, Clone, Copy)]
pub struct Strength {
    pub value: f64,
    steady: bool,
}

impl Default for Strength {
    fn default() -> Self {
        Self { value: BEGINNING, steady: false }
    }
}

/// How much more a strength explains when it grows, gathered draw by draw.
#[derive(Debug)]
pub struct Gain {
    strength: f64,
    of_all: f64,
    sum: f64,
}

impl Gain {
    /// A cell: how many answers of a kind one gave, and the share of them that all give.
    pub fn cell(&mut self, n: f64, share: f64) {
        if n > TRACE {
            let prior = self.strength * share;
            self.sum += share * (digamma(n + prior) - digamma(prior));
        }
    }

    /// All the answers of a draw.
    pub fn total(&mut self, n: f64) {
        if n > TRACE {
            self.sum -= digamma(n + self.strength) - self.of_all;
        }
    }
}

impl Strength {
    /// Takes the likeliest value, until it hardly changes: `gather` goes over all draws.
    pub fn learn(&mut self, gather: impl Fn(&mut Gain)) {
        if self.steady {
            return;
        }
        let (mut low, mut high) = (BOUNDS.0.ln(), BOUNDS.1.ln());
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let strength = middle.exp();
            let mut gain = Gain { strength, of_all: digamma(strength), sum: -RATE };
            gather(&mut gain);
            if gain.sum > 0.0 { low = middle } else { high = middle }
        }
        let next = f64::midpoint(low, high).exp();
        self.steady = (next / self.value - 1.0).abs() < STEADY;
        self.value = next;
    }
}

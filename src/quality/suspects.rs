//! Labels that a model's own probabilities make doubtful: confident learning (Northcutt, Jiang and
//! Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021).
//!
//! The probabilities should come from a model that was not trained on these labels. A class's
//! threshold is the mean probability that it is given where it is the label; what lies above the
//! threshold of another class counts as that one.

use std::collections::BTreeSet;

/// A label with what the model says of each class.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Place of the class that it was given.
    pub given: usize,
    pub p: Vec<f64>,
}

/// A doubtful label.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// Place among those that were judged.
    pub row: usize,
    /// Place of the class that the model is most for.
    pub suggested: usize,
    /// What the model gives the label: the less, the more doubtful.
    pub self_confidence: f64,
    pub by_noise_rate: bool,
    pub by_confident_joint: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub thresholds: Vec<f64>,
    /// By the class that was given, then by the one that it counts as.
    pub joint: Vec<Vec<u64>>,
    /// The same for all labels, whole numbers.
    pub calibrated: Vec<Vec<u64>>,
    /// The most doubtful first.
    pub suspects: Vec<Suspect>,
}

/// A threshold is reached within so much.
const SLACK: f64 = 1e-6;

/// Finds doubtful labels of `classes` classes.
pub fn find(judged: &[Judged], classes: usize) -> Found {
    let given = |class: usize| judged.iter().filter(move |one| one.given == class);
    let thresholds: Vec<f64> = (0..classes)
        .map(|class| {
            let n = given(class).count();
            // Of a class that no label has, nothing is above.
            if n == 0 {
                f64::INFINITY
            } else {
                given(class).map(|one| one.p[class]).sum::<f64>() / n as f64
            }
        })
        .collect();
    let mut joint = vec![vec![0_u64; classes]; classes];
    let mut confident = BTreeSet::new();
    for (row, one) in judged.iter().enumerate() {
        let above = (0..classes).filter(|class| one.p[*class] >= thresholds[*class] - SLACK);
        let Some(counts_as) = first_largest(above.map(|class| (class, one.p[class]))) else {
            continue;
        };
        joint[one.given][counts_as] += 1;
        if counts_as != one.given {
            confident.insert(row);
        }
    }
    let calibrated = calibrate(judged, &joint);
    let mut noise = BTreeSet::new();
    for (label, counts) in calibrated.iter().enumerate() {
        for other in (0..classes).filter(|other| *other != label) {
            let n = counts[other] as usize;
            let mut rows: Vec<(usize, f64)> = judged
                .iter()
                .enumerate()
                .filter(|(_, one)| one.given == label)
                .map(|(row, one)| (row, one.p[other] - one.p[label]))
                .collect();
            rows.sort_by(|a, b| b.1.total_cmp(&a.1));
            let Some((_, edge)) = n.checked_sub(1).and_then(|last| rows.get(last)).copied() else {
                continue;
            };
            noise.extend(
                rows.into_iter().take_while(|(_, margin)| *margin >= edge).map(|(row, _)| row),
            );
        }
    }
    let mut suspects: Vec<Suspect> = noise
        .union(&confident)
        .filter_map(|row| {
            let one = &judged[*row];
            let suggested = first_largest(one.p.iter().copied().enumerate())?;
            // What the model says too is not doubtful.
            (suggested != one.given).then(|| Suspect {
                row: *row,
                suggested,
                self_confidence: one.p[one.given],
                by_noise_rate: noise.contains(row),
                by_confident_joint: confident.contains(row),
            })
        })
        .collect();
    suspects
        .sort_by(|a, b| a.self_confidence.total_cmp(&b.self_confidence).then(a.row.cmp(&b.row)));
    Found { thresholds, joint, calibrated, suspects }
}

/// The first of the largest.
fn first_largest(values: impl Iterator<Item = (usize, f64)>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (class, p) in values {
        if best.is_none_or(|(_, most)| p > most) {
            best = Some((class, p));
        }
    }
    best.map(|(class, _)| class)
}

/// The counts raised to all labels, in whole numbers that add up row by row.
fn calibrate(judged: &[Judged], joint: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let mut raised: Vec<Vec<f64>> = Vec::with_capacity(joint.len());
    for (class, row) in joint.iter().enumerate() {
        let sum = row.iter().sum::<u64>() as f64;
        let labels = judged.iter().filter(|one| one.given == class).count() as f64;
        raised.push(
            row.iter().map(|n| if sum > 0.0 { *n as f64 / sum * labels } else { 0.0 }).collect(),
        );
    }
    let all: f64 = raised.iter().flatten().sum();
    let scale = if all > 0.0 { judged.len() as f64 / all } else { 0.0 };
    raised.iter().map(|row| whole(&row.iter().map(|n| n * scale).collect::<Vec<_>>())).collect()
}

/// Whole numbers with the same sum: the largest rests are rounded up.
fn whole(row: &[f64]) -> Vec<u64> {
    let mut floor: Vec<u64> = row.iter().map(|n| n.floor() as u64).collect();
    let missing = (row.iter().sum::<f64>().round() as u64).saturating_sub(floor.iter().sum());
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|a, b| (row[*a].floor() - row[*a]).total_cmp(&(row[*b].floor() - row[*b])));
    order.into_iter().take(missing as usize).for_each(|at| floor[at] += 1);
    floor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_the_model_is_sure_against_is_found() {
        let mut judged: Vec<Judged> = (0..20)
            .map(|i| {
                let p = if i % 2 == 0 { 0.9 } else { 0.1 };
                Judged { given: i % 2, p: vec![p, 1.0 - p] }
            })
            .collect();
        judged.push(Judged { given: 1, p: vec![0.95, 0.05] });
        let found = find(&judged, 2);
        assert_eq!(found.suspects.len(), 1, "{found:?}");
        let suspect = &found.suspects[0];
        assert_eq!((suspect.row, suspect.suggested), (20, 0));
        assert!(suspect.by_noise_rate && suspect.by_confident_joint);
        assert_eq!(found.calibrated[1].iter().sum::<u64>(), 11);
        assert!(find(&[], 2).suspects.is_empty());
        assert_eq!(whole(&[0.4, 0.4, 0.2]), [1, 0, 0]);
    }
}

//! Paths of several labels next to each other: every question in one order, and where they part.

use crate::domain::protocol::Answered;

/// A question with the answers of several paths; none where it was not asked.
pub type Row = (String, Vec<Option<String>>);

/// Questions of several paths in one order, with each path's answers; and the first at which two
/// of them part.
pub fn aligned(sides: &[&Answered]) -> (Vec<Row>, Option<usize>) {
    let mut order: Vec<&str> = Vec::new();
    for side in sides {
        let mut after = 0;
        for (question, _) in &side.path {
            match order.iter().position(|known| known == question) {
                Some(at) => after = at + 1,
                None => {
                    // Beside what comes before it in this path, so that ways that part and meet
                    // again stay in order.
                    order.insert(after, question);
                    after += 1;
                }
            }
        }
    }
    let answer = |side: &&Answered, question: &str| side.answer(question).map(str::to_owned);
    let rows: Vec<Row> = order
        .into_iter()
        .map(|question| {
            (question.to_owned(), sides.iter().map(|side| answer(side, question)).collect())
        })
        .collect();
    let part = |answers: &[Option<String>]| {
        sides.iter().enumerate().any(|(at, one)| {
            sides.iter().enumerate().skip(at + 1).any(|(other, two)| {
                one.parts_from(two, [answers[at].as_deref(), answers[other].as_deref()])
            })
        })
    };
    let parts_at = rows.iter().position(|(_, answers)| part(answers));
    (rows, parts_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::label::Step;

    #[test]
    fn ways_that_part_and_meet_again_stay_in_order() {
        let path = |text: &str| {
            let steps = text.split(' ').filter_map(|step| step.split_once('='));
            let path: Vec<Step> = steps.map(|(q, a)| (q.to_owned(), a.to_owned())).collect();
            Answered { path, ..Answered::default() }
        };
        let (one, two) = (path("a=y b=1 d=x"), path("a=n c=2 d=x"));
        let (rows, parts_at) = aligned(&[&one, &two]);
        let order: Vec<&str> = rows.iter().map(|(question, _)| question.as_str()).collect();
        assert_eq!((order, parts_at), (vec!["a", "c", "b", "d"], Some(0)));
        assert_eq!(rows[1].1, [None, Some("2".to_owned())]);
    }
}

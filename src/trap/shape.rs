//! What a rule comes to and which fields it asks for, as far as its words tell.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};

/// What an expression comes to that is never true or false, in a word; nothing where it may be.
/// `of` says what a name stands for, where that is known.
pub(super) fn never_a_truth(
    asked: &IdedExpr,
    of: &impl Fn(&str) -> Option<&'static str>,
) -> Option<&'static str> {
    let of_args = |args: &[IdedExpr]| args.iter().find_map(|arg| never_a_truth(arg, of));
    match &asked.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => None,
        Expr::Literal(LiteralValue::String(_)) => Some("a text"),
        Expr::Literal(LiteralValue::Bytes(_)) => Some("bytes"),
        Expr::Literal(LiteralValue::Null) => Some("nothing"),
        Expr::Literal(_) => Some("a number"),
        Expr::List(_) => Some("a list"),
        Expr::Map(_) | Expr::Struct(_) => Some("an object"),
        Expr::Ident(name) => of(name),
        // `map` and `filter` gather a list; `all` and `exists` do not.
        Expr::Comprehension(all) if matches!(all.accu_init.expr, Expr::List(_)) => Some("a list"),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            ("_&&_" | "_||_" | "!_", args) => of_args(args),
            ("_?_:_", [_, branches @ ..]) => of_args(branches),
            ("_+_", _) => Some("a number or a text"),
            ("_-_" | "_*_" | "_/_" | "_%_" | "-_" | "size" | "int" | "uint" | "double", _) => {
                Some("a number")
            }
            (name, _) if name.starts_with("get") => Some("a number"),
            ("string", _) => Some("a text"),
            ("timestamp" | "duration", _) => Some("a time"),
            _ => None,
        },
        Expr::Comprehension(_) | Expr::Select(_) | Expr::Unspecified => None,
    }
}

/// The fields inside of others that an expression asks for, `input.channel`; not those of which it
/// asks whether they are there, and what lies in these.
pub(super) fn paths(asked: &IdedExpr) -> Vec<String> {
    let mut found = Vec::new();
    let mut optional = Vec::new();
    gather(asked, &mut found, &mut optional);
    found.sort_unstable();
    found.dedup();
    let lies_in = |path: &str, whole: &str| {
        path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    found.retain(|path| !optional.iter().any(|whole| lies_in(path, whole)));
    found
}

fn gather(asked: &IdedExpr, found: &mut Vec<String>, optional: &mut Vec<String>) {
    match &asked.expr {
        Expr::Select(select) => match path_of(asked) {
            Some(path) if select.test => optional.push(path),
            Some(path) => found.push(path),
            None => gather(&select.operand, found, optional),
        },
        Expr::Call(call) => {
            let all = call.target.as_deref().into_iter().chain(&call.args);
            all.for_each(|inside| gather(inside, found, optional));
        }
        Expr::List(list) => {
            list.elements.iter().for_each(|inside| gather(inside, found, optional));
        }
        Expr::Comprehension(all) => {
            // What it names for itself is no field of the line.
            let mine = |path: &String| {
                let name = path.split('.').next().unwrap_or_default();
                name == all.iter_var
                    || name == all.accu_var
                    || Some(name) == all.iter_var2.as_deref()
            };
            let before = found.len();
            for inside in [&all.iter_range, &all.loop_cond, &all.loop_step, &all.result] {
                gather(inside, found, optional);
            }
            let inside: Vec<String> = found.drain(before..).filter(|path| !mine(path)).collect();
            found.extend(inside);
        }
        _ => {}
    }
}

/// A chain of names: `input.channel`.
fn path_of(asked: &IdedExpr) -> Option<String> {
    match &asked.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path_of(&select.operand)?, select.field)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(source: &str) -> IdedExpr {
        cel::Program::compile(source).unwrap().expression().clone()
    }

    #[test]
    fn what_is_no_truth_is_known_by_its_words() {
        let of = |name: &str| (name == "confidence").then_some("a number");
        for (source, comes_to) in [
            ("confidence", Some("a number")),
            ("confidence + 1", Some("a number or a text")),
            ("1", Some("a number")),
            ("'a'", Some("a text")),
            ("size(label)", Some("a number")),
            ("input.text.size()", Some("a number")),
            ("!confidence", Some("a number")),
            ("confidence < 1 && confidence", Some("a number")),
            ("confidence < 1 ? 'a' : 'b'", Some("a text")),
            ("[1].map(x, x)", Some("a list")),
            ("timestamp(occurred_at).getHours()", Some("a number")),
            ("null", Some("nothing")),
            ("{'a': 1}", Some("an object")),
            ("confidence < 1", None),
            ("true", None),
            ("input.flag", None),
            ("flag", None),
            ("!flag || label == 'x'", None),
            ("[1].exists(x, x == 1)", None),
            ("label in ['a']", None),
            ("label.matches('a')", None),
            ("confidence < 1 ? flag : true", None),
            ("flags[0]", None),
            ("bool('true')", None),
        ] {
            assert_eq!(never_a_truth(&asked(source), &of), comes_to, "{source}");
        }
    }

    #[test]
    fn fields_that_are_asked_for_are_found() {
        for (source, fields) in [
            ("input.channel == 'voice' && size(input.text) > 3", "input.channel input.text"),
            ("has(input.vip) && input.vip", ""),
            ("has(input.vip) && input.vip.since > 3 && input.vipe", "input.vipe"),
            ("input.items.exists(one, one.price > input.limit)", "input.items input.limit"),
            ("label in [input.a, model.b]", "input.a model.b"),
            ("prediction.top_k[0].p < .5", "prediction.top_k"),
            ("label == 'x'", ""),
        ] {
            let found = paths(&asked(&source.replace(" .5", " 0.5")));
            assert_eq!(found.join(" "), fields, "{source}");
        }
    }
}

//! Examples put into the source of a protocol, as an author would write them: nothing else of the
//! source is touched.

/// An example of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExample {
    pub question: String,
    pub input: String,
    /// The answer's key.
    pub answer: String,
    pub why: String,
}

impl NewExample {
    fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let (input, answer, why) = (quoted(&self.input), quoted(&self.answer), quoted(&self.why));
        format!("[[question.example]]\ninput = {input}\nanswer = {answer}\nwhy = {why}\n")
    }
}

/// The source with an example at the end of its question. Nothing if the question is not written as
/// a `[[question]]` of its own.
pub fn with_example(source: &str, example: &NewExample) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let header = |line: &str| {
        line.trim_start().starts_with('[') && !line.trim_start().starts_with("[[question.")
    };
    let starts = (0..lines.len()).filter(|at| lines[*at].trim() == "[[question]]");
    let block = |start: usize| {
        start + 1..(start + 1..lines.len()).find(|at| header(lines[*at])).unwrap_or(lines.len())
    };
    let is_id = |line: &&str| {
        let value =
            line.trim().strip_prefix("id").and_then(|rest| rest.trim_start().strip_prefix('='));
        value.is_some_and(|value| value.trim().trim_matches(['"', '\'']) == example.question)
    };
    let block = starts.map(block).find(|block| lines[block.clone()].iter().any(is_id))?;
    // Blank lines and comments at the end belong to what comes after.
    let quiet =
        |at: &usize| lines[*at].trim().is_empty() || lines[*at].trim_start().starts_with('#');
    let end = block.clone().rev().find(|at| !quiet(at)).map_or(block.start, |at| at + 1);
    let mut made = String::with_capacity(source.len() + 200);
    for line in &lines[..end] {
        made.push_str(line);
        made.push('\n');
    }
    made.push_str(&example.text());
    for line in &lines[end..] {
        made.push_str(line);
        made.push('\n');
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protocol::parse;

    #[test]
    fn an_example_stands_at_the_end_of_its_question() {
        let source = "id=\"p\"\ntitle=\"t\"\nstart=\"a\"\n[[question]]\nid = \"a\"\nask=\"?\"\nanswers=[\n  {key=\"y\",text=\"Yes\",goto=\"b\"},\n  {key=\"n\",text=\"No\",end=true,set={v=0}},\n]\n\n# the second\n[[question]]\nid=\"b\"\nask=\"?\"\nanswers=[{key=\"1\",text=\"One\",set={v=1}}]\n";
        let example = NewExample {
            question: "a".into(),
            input: "say \"x\"\n\u{1b}[31m".into(),
            answer: "n".into(),
            why: "it's so".into(),
        };
        let made = with_example(source, &example).unwrap();
        let protocol = parse(&made, None).unwrap();
        let examples = &protocol.question("a").unwrap().examples;
        assert_eq!((examples.len(), examples[0].input.as_str()), (1, "say \"x\"\n\u{1b}[31m"));
        assert!(made.contains("why = \"it's so\"\n\n# the second\n[[question]]"), "{made}");
        assert_eq!(with_example(source, &NewExample { question: "nope".into(), ..example }), None);
    }
}

//! A protocol for labels that were given elsewhere: a question for each control of another program's
//! labeling interface, so that what was answered there is a path here.

/// Something that another program asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    pub name: String,
    pub ask: Option<String>,
    pub kind: ControlKind,
    /// Whether it has to be answered.
    pub required: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ControlKind {
    One(Vec<String>),
    Several(Vec<String>),
    Scale(i64),
    Number(Option<f64>, Option<f64>),
    Words,
    /// Places, with the names that they may have.
    Places(Vec<String>),
}

/// What another program's interface asks, and what of it no protocol asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controls {
    pub made: Vec<Control>,
    pub left_out: Vec<String>,
}

/// A name as an id: letters, digits, `-` and `_`.
pub fn id_of(name: &str) -> String {
    let mut id: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' })
        .collect();
    while id.contains("--") {
        id = id.replace("--", "-");
    }
    let id = id.trim_matches('-');
    if id.is_empty() { "q".to_owned() } else { id.to_owned() }
}

/// The id of the question for places of one name.
pub fn place_id(control: &str, label: &str) -> String {
    id_of(&format!("{control}-{label}"))
}

/// The question that asks whether a control was answered at all.
pub fn given_id(control: &str) -> String {
    format!("{}-given", id_of(control))
}

/// Keys of answers, as they are pressed.
fn key(at: usize) -> String {
    const KEYS: &[u8] = b"123456789abcdefghijklmnopqrstuvwxyz";
    match KEYS.get(at) {
        Some(key) => char::from(*key).to_string(),
        None => format!(
            "{}{}",
            char::from(KEYS[9 + at / KEYS.len() % 26]),
            char::from(KEYS[at % KEYS.len()])
        ),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The control whose answer is the label: the one called so, or the only one of which one is chosen.
fn label_control(controls: &[Control]) -> Option<&str> {
    let one = |control: &&Control| matches!(control.kind, ControlKind::One(_));
    let named = controls.iter().filter(one).find(|control| control.name == "label");
    let mut all = controls.iter().filter(one);
    // Where several labels are chosen, no other control says the one.
    let chosen = controls.iter().any(|control| control.name == "label");
    let only = all.next().filter(|_| !chosen && all.next().is_none());
    named.or(only).map(|control| control.name.as_str())
}

/// The protocol as TOML.
pub fn protocol(id: &str, title: &str, from: &str, controls: &[Control]) -> String {
    let label = label_control(controls);
    // Questions in their order, each as the lines of its table without where it goes.
    let mut questions: Vec<(String, String)> = Vec::new();
    let mut labels: Vec<String> = Vec::new();
    for control in controls {
        let (name, question) = (control.name.as_str(), id_of(&control.name));
        let ask = quoted(control.ask.as_deref().unwrap_or(&format!("{name}?")));
        let asked = |more: &str| format!("ask = {ask}\n{more}");
        // What need not be answered is asked for first, where no answer can say so itself.
        let mut guard = |asked: String, guarded: bool| {
            if guarded {
                let given = given_id(name);
                let words = quoted(&format!("Is {name} given?"));
                questions.push((given.clone(), format!(
                    "ask = {words}\nanswers = [\n  {{ key = \"y\", text = \"Yes\" }},\n  {{ key = \"n\", text = \"No\" }},\n]\n"
                )));
                questions
                    .push((question.clone(), format!("{asked}when = {{ {given:?} = \"y\" }}\n")));
            } else {
                questions.push((question.clone(), asked));
            }
        };
        let sets = quoted(name);
        match &control.kind {
            ControlKind::One(values) if Some(name) == label => {
                labels = values.iter().filter(|value| !value.is_empty()).cloned().collect();
                guard(asked("kind = \"label\"\nsets = \"label\"\n"), !control.required);
            }
            ControlKind::One(values) => {
                let mut list: String = values
                    .iter()
                    .filter(|value| !value.is_empty())
                    .enumerate()
                    .map(|(at, value)| {
                        format!(
                            "  {{ key = {:?}, text = {}, set = {{ {sets} = {} }} }},\n",
                            key(at),
                            quoted(value),
                            quoted(value)
                        )
                    })
                    .collect();
                if !control.required {
                    list.push_str("  { key = \"-\", text = \"Not answered\" },\n");
                }
                guard(asked(&format!("answers = [\n{list}]\n")), false);
            }
            ControlKind::Several(values) => {
                let list: String = values
                    .iter()
                    .filter(|value| !value.is_empty())
                    .enumerate()
                    .map(|(at, value)| {
                        format!(
                            "  {{ key = {:?}, text = {} }},\n",
                            several_key(values, at, value),
                            quoted(value)
                        )
                    })
                    .collect();
                let min = u8::from(control.required);
                guard(
                    asked(&format!(
                        "kind = \"multi\"\nsets = {sets}\nmin = {min}\nanswers = [\n{list}]\n"
                    )),
                    false,
                );
            }
            ControlKind::Scale(most) => guard(
                asked(&format!(
                    "kind = \"scale\"\nsets = {sets}\nmin = 1\nmax = {most}\nlow = \"least\"\nhigh = \"most\"\n"
                )),
                !control.required,
            ),
            ControlKind::Number(least, most) => {
                let bound = |name: &str, at: &Option<f64>| {
                    at.map(|at| format!("{name} = {at:?}\n")).unwrap_or_default()
                };
                guard(
                    asked(&format!(
                        "kind = \"number\"\nsets = {sets}\n{}{}",
                        bound("min", least),
                        bound("max", most)
                    )),
                    !control.required,
                );
            }
            ControlKind::Words => {
                let min = u8::from(control.required);
                guard(asked(&format!("kind = \"text\"\nsets = {sets}\nmin = {min}\n")), false)
            }
            ControlKind::Places(names) => {
                for of in names {
                    let place = place_id(name, of);
                    let ask = quoted(&format!("Where is {of}?"));
                    questions.push((
                        place.clone(),
                        format!(
                            "ask = {ask}\nkind = \"span\"\nsets = {}\nmin = 0\n",
                            quoted(&place)
                        ),
                    ));
                }
            }
        }
    }
    let mut out = format!(
        "# A question for each control of {from}, so that what was labeled there comes in as it is.\n\nid = {}\ntitle = {}\nstart = {}\n",
        quoted(id),
        quoted(title),
        quoted(questions.first().map_or("", |(id, _)| id))
    );
    if !labels.is_empty() {
        out.push_str("labels = [\n");
        labels.iter().for_each(|label| out.push_str(&format!("  {},\n", quoted(label))));
        out.push_str("]\n");
    }
    for (at, (id, lines)) in questions.iter().enumerate() {
        out.push_str(&format!("\n[[question]]\nid = {}\n{lines}", quoted(id)));
        if let Some((next, _)) = questions.get(at + 1) {
            // Where answers are listed, each goes on as the question does.
            out.push_str(&format!("goto = {}\n", quoted(next)));
        }
    }
    out
}

/// The key of one answer of several: what it is, as far as a key can say it.
fn several_key(values: &[String], at: usize, value: &str) -> String {
    let id = id_of(value);
    let alike = values.iter().filter(|other| id_of(other) == id).count();
    if alike == 1 { id } else { format!("{id}-{}", at + 1) }
}

/// The controls that labels themselves imply, where a program keeps no interface beside them: what was
/// answered, with every value that occurs.
pub fn implied(said: &[crate::format::foreign::Foreign]) -> Vec<Control> {
    use crate::format::foreign::Said;
    let mut found: Vec<(String, Vec<String>, bool, bool, usize)> = Vec::new();
    for (name, answer) in said.iter().flat_map(|foreign| &foreign.said) {
        let at = found.iter().position(|(known, ..)| known == name).unwrap_or_else(|| {
            found.push((name.clone(), Vec::new(), false, false, 0));
            found.len() - 1
        });
        let (_, values, several, places, times) = &mut found[at];
        *times += 1;
        let texts: Vec<&String> = match answer {
            Said::One(text) => vec![text],
            Said::Many(list) => {
                *several |= list.len() > 1;
                list.iter().collect()
            }
            Said::Places(list) => {
                *places = true;
                list.iter().map(|(.., label)| label).collect()
            }
        };
        for text in texts {
            if !values.contains(text) {
                values.push(text.clone());
            }
        }
    }
    let control =
        |(name, mut values, several, places, times): (String, Vec<String>, bool, bool, usize)| {
            values.sort();
            let kind = if places {
                ControlKind::Places(values)
            } else if several {
                ControlKind::Several(values)
            } else {
                ControlKind::One(values)
            };
            Control { name, ask: None, kind, required: times == said.len() }
        };
    found.into_iter().map(control).collect()
}

/// The controls that Argilla's settings hold.
///
/// # Errors
/// They are no settings of it.
pub fn of_argilla(settings: &str) -> Result<Controls, String> {
    let settings: serde_json::Value =
        serde_json::from_str(settings).map_err(|error| error.to_string())?;
    let questions = settings["questions"].as_array().ok_or("it has no questions")?;
    let mut found = Controls::default();
    for question in questions {
        let Some(name) = question["name"].as_str() else { continue };
        let of = &question["settings"];
        let options: Vec<String> = of["options"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|option| option["value"].as_str().map(str::to_owned))
            .collect();
        let kind = match of["type"].as_str() {
            Some("label_selection") => ControlKind::One(options),
            Some("multi_label_selection") => ControlKind::Several(options),
            Some("rating") => {
                let most = of["options"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|option| option["value"].as_i64())
                    .max();
                ControlKind::Scale(most.unwrap_or(5))
            }
            Some("text") => ControlKind::Words,
            Some("span") => ControlKind::Places(options),
            other => {
                let kind = other.unwrap_or("unknown").replace('_', " ");
                found.left_out.push(format!("the {kind} question `{name}`"));
                continue;
            }
        };
        let ask = question["title"].as_str().map(str::to_owned);
        // What is submitted does not always answer what is said to be required.
        let one = matches!(kind, ControlKind::One(_));
        found.made.push(Control {
            name: name.to_owned(),
            ask,
            kind,
            required: question["required"] == true && one,
        });
    }
    Ok(found)
}

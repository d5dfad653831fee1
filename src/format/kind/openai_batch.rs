//! Batches of OpenAI: requests in one file, results in another in another order, joined by
//! `custom_id`. Requests wait for their result.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::read::case::{Answer, Case, field, input_of, text_of};
use crate::format::read::{Cases, Found, Options};

/// Requests or results that wait for the other.
const WAITING_MAX: usize = 200_000;

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("custom_id")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Batch::default())
}

/// A request and its result, whichever came.
type Halves = (Option<Map<String, Value>>, Option<Map<String, Value>>);

#[derive(Default)]
struct Batch {
    waiting: HashMap<String, Halves>,
    order: VecDeque<String>,
}

fn joined(
    id: &str,
    request: Option<Map<String, Value>>,
    result: Option<Map<String, Value>>,
) -> Found {
    let Some(request) = request else {
        return Found::Reject(Reject::Foreign(format!("{id}: a result whose request is not here")));
    };
    let sent = field(&request, "body");
    let mut input =
        sent.get("messages").or_else(|| sent.get("input")).map(input_of).unwrap_or_default();
    if input.is_empty() {
        input = input_of(sent);
    }
    let mut case = Case {
        id: Some(id.to_owned()),
        model: sent["model"].as_str().map(str::to_owned),
        input,
        ..Case::default()
    };
    if let Some(result) = result {
        let body = &field(&result, "response")["body"];
        case.at = body.get("created").or_else(|| body.get("created_at")).cloned();
        if let Some(model) = body["model"].as_str() {
            case.model = Some(model.to_owned());
        }
        let choice = body.get("choices").and_then(|list| list.get(0));
        let response = body.get("output").filter(|output| output.is_array());
        case.answer = choice.map(Answer::of_choice).or_else(|| response.map(Answer::of_response));
        for name in ["usage", "status"] {
            let value = body.get(name).filter(|value| !value.is_null());
            case.rest.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        let failed =
            result.get("error").filter(|error| !error.is_null()).or_else(|| body.get("error"));
        if let Some(error) = failed {
            case.rest.insert("error".to_owned(), error.clone());
        }
    }
    Found::case(case)
}

impl Cases for Batch {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        let Some(id) = text_of(&record, "custom_id") else {
            return to.push(Found::Reject(Reject::Missing("custom_id")));
        };
        let is_request = record.contains_key("body");
        if !self.waiting.contains_key(&id) {
            self.order.push_back(id.clone());
        }
        let (request, result) = self.waiting.entry(id.clone()).or_default();
        let place = if is_request { request } else { result };
        if place.is_some() {
            return to.push(Found::Reject(Reject::Foreign(format!("{id}: it comes twice"))));
        }
        *place = Some(record);
        while self.waiting.len() > WAITING_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some((request, result)) = self.waiting.remove(&oldest) {
                to.push(joined(&oldest, request, result));
            }
        }
    }

    fn end(&mut self, to: &mut Vec<Found>) {
        while let Some(id) = self.order.pop_front() {
            if let Some((request, result)) = self.waiting.remove(&id) {
                to.push(joined(&id, request, result));
            }
        }
    }
}

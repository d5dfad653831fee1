//! A stand-in for Google Cloud Storage, as far as our client asks for it: no emulator that can be
//! had here minds `x-goog-if-generation-match`. It speaks HTTP/1.1 on a port that the environment
//! names.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Serves until the test ends.
pub fn serve(address: &str) {
    let listener = TcpListener::bind(address).unwrap();
    let objects = Objects::default();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let objects = Arc::clone(&objects);
            std::thread::spawn(move || while_open(&stream, &objects));
        }
    });
}

fn while_open(stream: &TcpStream, objects: &Objects) {
    let mut reader = BufReader::new(stream);
    while let Some((method, target, headers, body)) = request(&mut reader) {
        let (status, body) = answer(&method, &target, &headers, body, objects);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"e\"\r\nLast-Modified: Mon, 01 Jun 2026 08:00:00 GMT\r\n\r\n",
            body.len()
        );
        let mut out = stream;
        if out.write_all(head.as_bytes()).and_then(|()| out.write_all(&body)).is_err() {
            return;
        }
    }
}

type Headers = BTreeMap<String, String>;

fn request(reader: &mut impl BufRead) -> Option<(String, String, Headers, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Headers::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, target, headers, body))
}

fn answer(
    method: &str,
    target: &str,
    headers: &Headers,
    body: Vec<u8>,
    objects: &Objects,
) -> (&'static str, Vec<u8>) {
    let mut objects = objects.lock().unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = decoded(path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key));
    match method {
        "PUT" => {
            let only_new = headers
                .get("x-goog-if-generation-match")
                .is_some_and(|generation| generation == "0");
            if only_new && objects.contains_key(&key) {
                return ("412 Precondition Failed", Vec::new());
            }
            objects.insert(key, body);
            ("200 OK", Vec::new())
        }
        "DELETE" => match objects.remove(&key) {
            Some(_) => ("204 No Content", Vec::new()),
            None => ("404 Not Found", Vec::new()),
        },
        "GET" if key.is_empty() => {
            let prefix = query
                .split('&')
                .find_map(|part| part.strip_prefix("prefix="))
                .map(decoded)
                .unwrap_or_default();
            let row = |(key, bytes): (&String, &Vec<u8>)| {
                format!(
                    "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>2026-06-01T08:00:00.000Z</LastModified><ETag>e</ETag></Contents>",
                    bytes.len()
                )
            };
            let rows: String =
                objects.iter().filter(|(key, _)| key.starts_with(&prefix)).map(row).collect();
            ("200 OK", format!("<ListBucketResult>{rows}</ListBucketResult>").into_bytes())
        }
        "GET" => match objects.get(&key) {
            Some(bytes) => ("200 OK", bytes.clone()),
            None => ("404 Not Found", Vec::new()),
        },
        _ => ("405 Method Not Allowed", Vec::new()),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

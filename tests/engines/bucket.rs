//! An object store on this machine: as much of S3's protocol as a cluster speaks, with the objects in memory.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

pub struct Bucket {
    pub port: u16,
    objects: Objects,
    reads: Arc<Mutex<Vec<String>>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    range: Option<(usize, usize)>,
    body: Vec<u8>,
}

impl Bucket {
    /// A store with one bucket, `bucket`.
    pub fn start() -> Bucket {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the object store");
        let port = listener.local_addr().expect("its address").port();
        let (objects, reads) = (Objects::default(), Arc::<Mutex<Vec<String>>>::default());
        let (stored, noted) = (objects.clone(), reads.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (objects, reads) = (stored.clone(), noted.clone());
                thread::spawn(move || serve(stream, &objects, &reads));
            }
        });
        Bucket { port, objects, reads }
    }

    /// What the program needs to know of it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_SKIP_SIGNATURE", "true".into()),
            ("AWS_REGION", "us-east-1".into()),
        ]
    }

    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        self.objects.lock().unwrap().insert(key.into(), bytes);
    }

    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    /// The objects whose bytes were read, in order.
    pub fn reads(&self) -> Vec<String> {
        self.reads.lock().unwrap().clone()
    }
}

/// Answers one connection's requests until it is closed.
fn serve(stream: TcpStream, objects: &Objects, reads: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        let (head, body) = answer(&request, objects, reads);
        let length = if head.contains("Content-Length") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let sent = writer.write_all(format!("HTTP/1.1 {head}\r\n{length}\r\n").as_bytes()).and_then(|()| writer.write_all(&body));
        if sent.is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let (mut length, mut range) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if let Some((start, end)) = header.strip_prefix("range: bytes=").and_then(|range| range.split_once('-')) {
            range = Some((start.parse().ok()?, end.parse::<usize>().ok()? + 1));
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: decoded(path), query: decoded(query), range, body })
}

fn decoded(text: &str) -> String {
    text.replace("%2F", "/").replace("%20", " ").replace("%3D", "=")
}

fn answer(request: &Request, objects: &Objects, reads: &Mutex<Vec<String>>) -> (String, Vec<u8>) {
    let mut objects = objects.lock().unwrap();
    let key = request.path.trim_start_matches('/').strip_prefix("bucket").unwrap_or_default().trim_start_matches('/').to_string();
    let tag = |bytes: &[u8]| {
        format!(
            "ETag: \"{}-{}\"\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT",
            bytes.len(),
            bytes.iter().map(|&b| u64::from(b)).sum::<u64>()
        )
    };
    match request.method.as_str() {
        "PUT" => {
            let head = format!("200 OK\r\n{}", tag(&request.body));
            objects.insert(key, request.body.clone());
            (head, Vec::new())
        }
        "POST" => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let keys: Vec<&str> = body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).collect();
            let deleted: String = keys.iter().map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
            keys.iter().for_each(|&key| drop(objects.remove(key)));
            ("200 OK".into(), format!("<DeleteResult>{deleted}</DeleteResult>").into_bytes())
        }
        "DELETE" => {
            objects.remove(&key);
            ("204 No Content".into(), Vec::new())
        }
        "GET" if key.is_empty() => ("200 OK".into(), list(&objects, &request.query).into_bytes()),
        method => match objects.get(&key) {
            None => ("404 Not Found".into(), Vec::new()),
            Some(bytes) if method == "HEAD" => (format!("200 OK\r\n{}\r\nContent-Length: {}", tag(bytes), bytes.len()), Vec::new()),
            Some(bytes) => {
                reads.lock().unwrap().push(key.clone());
                match request.range {
                    Some((start, end)) => {
                        let end = end.min(bytes.len());
                        let range = format!("Content-Range: bytes {start}-{}/{}", end - 1, bytes.len());
                        (format!("206 Partial Content\r\n{}\r\n{range}", tag(bytes)), bytes[start..end].to_vec())
                    }
                    None => (format!("200 OK\r\n{}", tag(bytes)), bytes.clone()),
                }
            }
        },
    }
}

/// ListObjectsV2, with or without folders.
fn list(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> String {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let (prefix, delimiter) = (value("prefix"), value("delimiter"));
    let (mut contents, mut folders) = (String::new(), Vec::new());
    for (key, bytes) in objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let rest = &key[prefix.len()..];
        if let Some(at) = rest.find('/').filter(|_| !delimiter.is_empty()) {
            folders.push(format!("<CommonPrefixes><Prefix>{prefix}{}</Prefix></CommonPrefixes>", &rest[..=at]));
            continue;
        }
        let size = bytes.len();
        contents += &format!("<Contents><Key>{key}</Key><LastModified>2025-01-01T00:00:00Z</LastModified><Size>{size}</Size></Contents>");
    }
    folders.dedup();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{}</ListBucketResult>", folders.concat())
}

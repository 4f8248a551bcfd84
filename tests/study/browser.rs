//! A page in headless Chromium: what it asks for, what it complains of, and whether it fits narrow and wide screens.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the browser found at one width.
#[derive(Debug, serde::Deserialize)]
pub struct Look {
    /// Pixels of the window.
    pub width: u32,
    /// Pixels that the page takes; more than `width` scrolls sideways.
    pub needed: u32,
    pub tables: usize,
    /// Pictures, and how many of them are drawn.
    pub pictures: usize,
    pub drawn: usize,
    /// Addresses that the page fetched.
    pub requests: Vec<String>,
}

fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

/// Opens the page in frames of these widths. None, with a word, where there is no Chromium.
///
/// The second value are the lines that the page left on the console.
pub fn look(folder: &Path, page: &str, widths: &[u32]) -> Option<(Vec<Look>, Vec<String>)> {
    let Some(browser) = chromium() else {
        eprintln!("skipped: no Chromium is installed");
        return None;
    };
    let harness = folder.join("harness.html");
    let page = serde_json::to_string(page).expect("text").replace("</", "<\\/");
    let widths = serde_json::to_string(widths).expect("numbers");
    let script = format!(
        "const page = {page}, looks = [];
        async function look(width) {{
            const frame = document.createElement('iframe');
            frame.style = `width: ${{width}}px; height: 800px; border: 0`;
            const loaded = new Promise(done => frame.onload = done);
            frame.srcdoc = page;
            document.body.append(frame);
            await loaded;
            const inside = frame.contentDocument, images = [...inside.images];
            await Promise.all(images.map(image => image.decode().catch(() => null)));
            looks.push({{
                width, needed: inside.documentElement.scrollWidth, tables: inside.querySelectorAll('table').length,
                pictures: images.length, drawn: images.filter(image => image.naturalWidth > 0 && image.alt).length,
                requests: frame.contentWindow.performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith('data:')),
            }});
        }}
        (async () => {{
            for (const width of {widths}) await look(width);
            document.body.textContent = 'looks ' + JSON.stringify(looks) + ' end';
        }})();"
    );
    fs::write(&harness, format!("<!doctype html><meta charset=\"utf-8\"><body><script>{script}</script>")).expect("a written file");
    let profile = folder.join("profile");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
        ])
        .args(["--enable-logging=stderr", "--virtual-time-budget=60000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", harness.display()))
        .output()
        .expect("Chromium runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_once("looks ").and_then(|(_, rest)| rest.split_once(" end")).map(|(json, _)| json);
    let found = found.unwrap_or_else(|| panic!("Chromium did not finish: {}", String::from_utf8_lossy(&output.stderr)));
    let looks = serde_json::from_str(&found.replace("&amp;", "&")).expect("what the harness writes");
    let console = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("CONSOLE")).map(String::from).collect();
    Some((looks, console))
}

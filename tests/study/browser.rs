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
    // A busy machine may use the budget up before the page has told: the next attempt has more.
    let found = [60_000, 300_000, 1_500_000].into_iter().find_map(|budget| dump(browser, folder, &harness, budget));
    let (found, said) = found.expect("Chromium does not finish");
    let looks = serde_json::from_str(&found.replace("&amp;", "&")).expect("what the harness writes");
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(String::from).collect();
    Some((looks, console))
}

/// What the harness wrote, once it has looked at every width, and what Chromium said meanwhile.
fn dump(browser: &str, folder: &Path, harness: &Path, budget: u32) -> Option<(String, String)> {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--virtual-time-budget={budget}"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", harness.display()))
        .output()
        .expect("Chromium runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_once("looks [").and_then(|(_, rest)| rest.split_once(" end"))?.0;
    Some((format!("[{found}"), String::from_utf8_lossy(&output.stderr).into_owned()))
}

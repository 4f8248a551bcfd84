//! Markdown with values: `{{name}}` is the DuckDB variable of that name at that place of the script.

use anyhow::{Result, bail};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// Puts values in place of `{{name}}`. `value` knows them by name.
///
/// # Errors
/// A name without a value, or without its closing braces.
pub fn fill(text: &str, value: &dyn Fn(&str) -> Result<Option<String>>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = rest.find("{{") {
        filled.push_str(&rest[..from]);
        let Some(to) = rest[from..].find("}}") else { bail!("{{{{ without }}}}: {}", first_line(&rest[from..])) };
        let name = rest[from + 2..from + to].trim();
        let Some(found) = value(name)? else {
            bail!("{{{{{name}}}}}: there is no variable {name:?} here; set it before: SET VARIABLE {name} = (SELECT ...)");
        };
        filled.push_str(&escaped(&found));
        rest = &rest[from + to + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A value says what it says: none of its characters is Markdown.
fn escaped(value: &str) -> String {
    let special = |c: char| "\\`*_[]<>#|~&$".contains(c);
    value.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Comment text set flush left: the indentation that all its lines share is the script's, not Markdown's.
pub fn flush(text: &str) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    // The first line follows the comment's opening.
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let shared = rest.lines().filter(|line| !line.trim().is_empty()).map(|line| indent(&line)).min().unwrap_or(0);
    let rest: Vec<&str> = rest.lines().map(|line| line.get(shared..).unwrap_or_default().trim_end()).collect();
    format!("{}\n{}", first.trim(), rest.join("\n")).trim().to_string()
}

/// A heading, to be linked to.
#[derive(Debug, PartialEq, Eq)]
pub struct Heading {
    pub level: usize,
    pub text: String,
    pub id: String,
}

/// HTML of Markdown; headings get names to link to, unique among `headings`, and are added there.
///
/// HTML within the Markdown is shown as written, and pictures are refused: a page loads nothing.
pub fn to_html(markdown: &str, headings: &mut Vec<Heading>) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, options)
        .map(|event| match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            Event::Start(Tag::Image { .. }) => Event::Text("[picture: ".into()),
            Event::End(TagEnd::Image) => Event::Text("]".into()),
            event => event,
        })
        .collect();
    for at in 0..events.len() {
        if !matches!(events[at], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let texts = events[at..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let text: String = texts
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let name = unique_id(&text, headings);
        if let Event::Start(Tag::Heading { id, level, .. }) = &mut events[at] {
            headings.push(Heading { level: *level as usize, text, id: name.clone() });
            *id = Some(name.into());
        }
    }
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter());
    page
}

fn unique_id(text: &str, taken: &[Heading]) -> String {
    let words: Vec<String> =
        text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(String::from).collect();
    let id = if words.is_empty() { "section".into() } else { words.join("-") };
    let numbered = |count: usize| if count == 1 { id.clone() } else { format!("{id}-{count}") };
    (1..).map(numbered).find(|id| taken.iter().all(|heading| heading.id != *id)).unwrap_or(id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_no_markup() {
        let value = |name: &str| Ok((name == "p").then(|| "< 0.001 *".to_string()));
        assert_eq!(fill("P {{ p }}.", &value).unwrap(), "P \\< 0.001 \\*.");
        let error = fill("{{q}}", &value).unwrap_err().to_string();
        assert!(error.contains("SET VARIABLE q"), "{error}");
        assert!(fill("{{p", &value).is_err());
        assert_eq!(to_html("P \\< 0.001 \\*", &mut vec![]), "<p>P &lt; 0.001 *</p>\n");
    }

    #[test]
    fn html_in_markdown_is_text_and_no_picture_is_loaded() {
        let page = to_html("<script>x()</script> and <b>b</b> ![a](http://example.org/a.png)", &mut vec![]);
        assert!(!page.contains("<script>") && !page.contains("<b>") && !page.contains("<img"), "{page}");
    }

    #[test]
    fn headings_can_be_linked_to() {
        let mut headings = Vec::new();
        to_html("# The *study*\n## Results\n", &mut headings);
        to_html("## Results\n", &mut headings);
        let ids: Vec<_> = headings.iter().map(|heading| (heading.level, heading.id.as_str())).collect();
        assert_eq!(ids, [(1, "the-study"), (2, "results"), (2, "results-2")]);
    }

    #[test]
    fn the_comments_own_indentation_goes() {
        assert_eq!(flush("\n   # Title\n\n   - a\n     - b\n"), "# Title\n\n- a\n  - b");
        assert_eq!(flush(" one line "), "one line");
    }
}

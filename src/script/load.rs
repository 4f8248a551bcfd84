//! Reads a script and the scripts that it reads.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::split::{PieceKind, UNCLOSED, split};

/// One thing to do: a statement, a line to print, or a cohort to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub file: PathBuf,
    pub line: usize,
    pub label: Option<String>,
    /// A test: its rows are what is wrong with the data.
    pub is_test: bool,
    /// The engine that `-- @engine` asks for.
    pub engine: Option<String>,
    /// `-- @held_out reason`: fits of this statement may see held-out rows.
    pub held_out: Option<String>,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Statement(String),
    Print(String),
    /// The arguments of `.synth`, as written.
    Synth(String),
}

/// The statements of the script at `path` in order, with those of each `.read` in its place.
///
/// A relative path in `.read` is looked for beside the script that reads it, then in the current directory.
pub fn load(path: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    read(path, &mut Vec::new(), &mut sources)?;
    Ok(sources)
}

fn read(path: &Path, open: &mut Vec<PathBuf>, sources: &mut Vec<Source>) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the script {}", path.display()))?;
    let identity = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if open.contains(&identity) {
        let chain: Vec<_> = open.iter().chain([&identity]).map(|file| file.display().to_string()).collect();
        bail!("scripts read each other in a circle: {}", chain.join(" -> "));
    }
    open.push(identity);
    for piece in split(&text) {
        if piece.kind == PieceKind::Unclosed {
            bail!("{}:{}: {UNCLOSED}", path.display(), piece.line);
        }
        let label = piece.directive("test").map(|name| format!("test: {name}")).or(piece.directive("step").map(str::to_string));
        let is_test = piece.directive("test").is_some();
        let engine = piece.directive("engine").map(str::to_string);
        let held_out = piece.directive("held_out").map(str::to_string);
        let source = |action| Source {
            file: path.to_path_buf(),
            line: piece.line,
            label: label.clone(),
            is_test,
            engine: engine.clone(),
            held_out: held_out.clone(),
            action,
        };
        if !piece.is_command() {
            sources.push(source(Action::Statement(piece.text.clone())));
            continue;
        }
        let (command, argument) = command(&piece.text);
        match command {
            "read" if !argument.is_empty() => {
                read(&beside(path, &argument), open, sources).with_context(|| format!("{}:{}", path.display(), piece.line))?;
            }
            "print" => sources.push(source(Action::Print(argument))),
            "synth" if !argument.is_empty() => sources.push(source(Action::Synth(argument))),
            "read" => bail!("{}:{}: .read needs a file: .read other.sql", path.display(), piece.line),
            "synth" => bail!("{}:{}: .synth needs a folder: .synth cohort --patients 257", path.display(), piece.line),
            other => bail!("{}:{}: unknown command .{other}; a script may use .read, .print and .synth", path.display(), piece.line),
        }
    }
    open.pop();
    Ok(())
}

/// Name and argument of a dot command; the argument may be in quotes.
pub fn command(line: &str) -> (&str, String) {
    let line = line.trim().trim_start_matches('.');
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    let bare = ['"', '\''].iter().find_map(|quote| argument.strip_prefix(*quote)?.strip_suffix(*quote));
    (name, bare.unwrap_or(argument).to_string())
}

/// The file that a script names: beside the script, otherwise as written.
pub fn beside(script: &Path, named: &str) -> PathBuf {
    let near = script.parent().unwrap_or(Path::new("")).join(named);
    if near.exists() || !Path::new(named).exists() { near } else { PathBuf::from(named) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_is_relative_to_its_script_and_circles_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("parts")).unwrap();
        fs::write(at("main.sql"), "SELECT 1;\n.read parts/a.sql\n.print 'done'\n").unwrap();
        fs::write(at("parts/a.sql"), ".read b.sql\nSELECT 2").unwrap();
        fs::write(at("parts/b.sql"), "SELECT 3;").unwrap();
        let actions: Vec<_> = load(&at("main.sql")).unwrap().into_iter().map(|source| source.action).collect();
        let statement = |text: &str| Action::Statement(text.into());
        assert_eq!(actions, [statement("SELECT 1"), statement("SELECT 3"), statement("SELECT 2"), Action::Print("done".into())]);

        fs::write(at("parts/b.sql"), ".read ../main.sql").unwrap();
        assert!(format!("{:#}", load(&at("main.sql")).unwrap_err()).contains("in a circle"));
    }

    #[test]
    fn a_comment_that_is_not_closed_is_an_error_with_its_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("open.sql");
        fs::write(&path, "SELECT 1;\n/* open\nSELECT 2;\n").unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        assert!(error.contains("open.sql:2: unterminated /* comment"), "{error}");
    }
}

//! What a script consists of, seen before anything runs: its files, and the variables that it knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::effects::effects;
use super::load::{beside, command};
use super::split::{Piece, PieceKind, split_with_prose};

/// Every run looks for this variable, whether its script sets it or not.
const HELD_OUT: &str = "held_out";
/// Most names in an error.
const SHOWN: usize = 12;

#[derive(Debug, Default)]
pub struct Outline {
    /// The script and those that it reads, with links resolved.
    pub files: BTreeSet<PathBuf>,
    /// Variables that are set or read, in lower case.
    pub variables: BTreeSet<String>,
}

/// The outline of the script at `path`.
pub fn outline(path: &Path) -> Result<Outline> {
    let mut outline = Outline::default();
    outline.read(path)?;
    Ok(outline)
}

impl Outline {
    /// Fails if a name of `set` is no variable of the script.
    pub fn check(&self, script: &Path, set: &[(String, String)]) -> Result<()> {
        let is_known = |name: &str| name == HELD_OUT || self.variables.contains(name);
        let Some((name, _)) = set.iter().find(|(name, _)| !is_known(&name.to_lowercase())) else { return Ok(()) };
        let script = script.display();
        if self.variables.is_empty() {
            bail!("--set: no variable `{name}` in {script}: it has none; add SET VARIABLE {name} = ... to it");
        }
        let mut names: Vec<&str> = self.variables.iter().map(String::as_str).collect();
        names.sort_by_key(|known| strsim::levenshtein(known, name));
        let shown: Vec<String> = names.iter().take(SHOWN).map(|known| format!("`{known}`")).collect();
        let more = names.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        bail!("--set: no variable `{name}` in {script}: it has {}{more}", shown.join(", "));
    }

    fn read(&mut self, path: &Path) -> Result<()> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the script {}", path.display()))?;
        if !self.files.insert(path.canonicalize().unwrap_or_else(|_| path.to_path_buf())) {
            return Ok(());
        }
        for piece in split_with_prose(&text) {
            self.piece(path, &piece).with_context(|| format!("{}:{}", path.display(), piece.line))?;
        }
        Ok(())
    }

    fn piece(&mut self, path: &Path, piece: &Piece) -> Result<()> {
        match piece.kind {
            PieceKind::Statement => {
                let effects = effects(&piece.text);
                self.variables.extend(effects.sets_variable.map(|name| name.to_lowercase()));
                self.variables.extend(effects.variables);
                self.variables.extend(piece.directives.iter().flat_map(|directive| in_braces(&directive.value)));
            }
            PieceKind::Prose => self.variables.extend(in_braces(&piece.text)),
            PieceKind::Command => match command(&piece.text) {
                ("read", file) if !file.is_empty() => self.read(&beside(path, &file))?,
                ("synth", arguments) => {
                    let words = arguments.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
                    self.variables.extend(words.filter_map(|word| word.strip_prefix('$')).map(str::to_lowercase));
                }
                _ => {}
            },
            PieceKind::Unclosed => {}
        }
        Ok(())
    }
}

/// Names in `{{name}}`.
fn in_braces(text: &str) -> impl Iterator<Item = String> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_set_and_those_read_in_all_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let script = "SET VARIABLE Bin_Width = 25;\n.read b.sql\n.read b.sql\n.synth $Folder --seed 1\n/* {{ title }} */ SELECT 1;";
        fs::write(at("a.sql"), script).unwrap();
        fs::write(at("b.sql"), "-- @caption n = {{n}}\nSELECT getvariable('cut');\n.read a.sql").unwrap();
        let found = outline(&at("a.sql")).unwrap();
        assert_eq!(found.files.len(), 2);
        let expected = ["bin_width", "cut", "folder", "n", "title"];
        assert_eq!(found.variables.iter().map(String::as_str).collect::<Vec<_>>(), expected);

        let check = |name: &str| found.check(Path::new("a.sql"), &[(name.into(), "5".into())]);
        assert!(check("cut").is_ok() && check("BIN_WIDTH").is_ok() && check("held_out").is_ok());
        let error = check("bin_widht").unwrap_err().to_string();
        assert!(error.contains("no variable `bin_widht` in a.sql: it has `bin_width`, "), "{error}");
    }

    #[test]
    fn a_script_without_variables_says_so() {
        let error = Outline::default().check(Path::new("a.sql"), &[("k".into(), "5".into())]).unwrap_err().to_string();
        assert!(error.contains("it has none; add SET VARIABLE k"), "{error}");
    }
}

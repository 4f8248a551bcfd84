//! A folder of its own for each test, and the program run in it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A working folder that is removed after the test.
pub struct Desk {
    folder: TempDir,
}

/// What the program said, and its exit status.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub error: String,
    pub status: Option<i32>,
}

impl Desk {
    pub fn new() -> Desk {
        Desk { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a written file");
    }

    /// The program, to be run in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_esccsql"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub fn say(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().expect("the program runs"))
    }

    /// Runs the program with `input` on its standard input.
    pub fn say_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = (self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))
            .spawn()
            .expect("the program runs");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written input");
        said(child.wait_with_output().expect("an end"))
    }

    /// A query on a database of this folder, as CSV without its head.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let said = self.say(&["query", "--db", database, "--readonly", "--format", "csv", sql]);
        assert_eq!(said.status, Some(0), "{said:?}");
        said.out.lines().skip(1).collect::<Vec<_>>().join("\n")
    }
}

impl Said {
    /// What the run said of a step: `skipped`, or `ran`.
    pub fn step(&self, name: &str) -> &str {
        let line = self.out.lines().find(|line| line.split_whitespace().next() == Some(name));
        match line {
            Some(line) if line.trim_end().ends_with("skipped") => "skipped",
            Some(_) => "ran",
            None => panic!("no step {name} in {self:?}"),
        }
    }
}

fn said(output: Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { out: text(&output.stdout), error: text(&output.stderr), status: output.status.code() }
}

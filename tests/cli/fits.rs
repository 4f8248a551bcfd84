//! A long fit that is killed goes on from its last epoch, to the bits of an undisturbed one.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use esccsql_imaging::{Geometry, Volume, Voxels, write_volume};
use ndarray::Array3;

use crate::support::Desk;

/// Two networks, whose checkpoints share a folder.
const SCRIPT: &str = "
CREATE TABLE scans AS
SELECT i, i % 2 AS site, image(i || '.nii') AS image, mask('region.nii') AS mask, 5 + (i * 7) % 12 AS months, i % 3 <> 0 AS died
FROM range(12) AS numbers(i);
CREATE TABLE networks AS
SELECT site, crossformer_fit(image, mask, months, died, {
    'variant': 'micro', 'channels': 3, 'size': 32, 'epochs': 30, 'batch': 4, 'validation': 0, 'seed': 5, 'checkpoint': 'checkpoints'
}) AS network
FROM scans GROUP BY site;
CREATE TABLE risks AS
SELECT site, i, crossformer_risk(network, image, mask) AS risk, crossformer_history(network) AS history FROM networks JOIN scans USING (site);
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("fit.sql", SCRIPT);
    desk.write("checkpoints/.keep", "");
    let geometry = Geometry::identity([16, 16, 5]);
    let write = |name: &str, voxels| write_volume(desk.path(name), &Volume { geometry: geometry.clone(), voxels }).unwrap();
    let inside = |z: usize, y: usize, x: usize| z > 0 && z < 4 && (3..13).contains(&y) && (2..14).contains(&x);
    write("region.nii", Voxels::U8(Array3::from_shape_fn(geometry.shape(), |(z, y, x)| u8::from(inside(z, y, x)))));
    for i in 0..12 {
        let voxel = |(z, y, x): (usize, usize, usize)| ((x * (31 + i) + y * 17 + z * 5) % 23) as f32 / 11.0 - 1.0;
        write(&format!("{i}.nii"), Voxels::F32(Array3::from_shape_fn(geometry.shape(), voxel)));
    }
    desk
}

fn checkpoints(desk: &Desk) -> usize {
    let files = std::fs::read_dir(desk.path("checkpoints")).unwrap();
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "safetensors")).count()
}

/// Waits for the first checkpoint of a fit.
fn wait_for_an_epoch(desk: &Desk, child: &mut Child) {
    let start = Instant::now();
    while checkpoints(desk) == 0 {
        assert!(start.elapsed() < Duration::from_secs(100) && child.try_wait().unwrap().is_none(), "no checkpoint was written");
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_fit_and_the_shell_goes_on() {
    let desk = desk();
    // It would train for hours.
    let input = SCRIPT.replace("'epochs': 30", "'epochs': 10000000") + "SELECT 6 * 7;";
    let mut shell = desk.command(&["shell"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    wait_for_an_epoch(&desk, &mut shell);
    assert!(Command::new("kill").args(["-INT", &shell.id().to_string()]).status().unwrap().success());
    let said = shell.wait_with_output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(out.contains("42") && error.lines().any(|line| line == "interrupted"), "{out}{error}");
}

#[test]
fn a_killed_fit_goes_on() {
    let calm = desk();
    let said = calm.say(&["run", "fit.sql"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(checkpoints(&calm), 0, "removed at the end");

    let desk = desk();
    let mut child = desk.command(&["run", "fit.sql"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_an_epoch(&desk, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoints(&desk) > 0);

    let said = desk.say(&["run", "fit.sql"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(checkpoints(&desk), 0);
    let risks = |desk: &Desk| desk.ask("fit.duckdb", "SELECT site, i, risk, history::VARCHAR FROM risks ORDER BY i");
    assert_eq!(risks(&desk).lines().count(), 12);
    assert_eq!(risks(&desk), risks(&calm));
}

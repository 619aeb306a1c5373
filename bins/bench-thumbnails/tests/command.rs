//! Output of the command, in the format that the comparison reads.

use std::{
    fs, io,
    path::Path,
    process::{Command, Output},
};

use rapidphoto_sample_photos::SamplePhoto;

fn run(arguments: &[&str], files: &[&Path]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_bench-thumbnails"))
        .args(arguments)
        .args(files)
        .output()
}

#[test]
fn each_file_has_a_line_with_its_stem_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let files = ["one.jpg", "two.of.them.jpeg"].map(|name| directory.path().join(name));
    for (file, seed) in files.iter().zip(1..) {
        fs::write(file, SamplePhoto::new(seed, 800, 600).jpeg()).unwrap();
    }
    let out = directory.path().join("new/thumbnails");
    for full in [&[][..], &["--full"]] {
        let arguments = [full, &["--out", out.to_str().unwrap(), "2"]].concat();
        let done = run(&arguments, &[&files[0], &files[1]]).unwrap();
        assert!(done.status.success(), "{done:?}");
        let lines: Vec<serde_json::Value> = String::from_utf8(done.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        for (line, stem) in lines.iter().zip(["one", "two.of.them"]) {
            assert_eq!(line["file"], stem);
            assert!(line["ms"].as_f64().unwrap() > 0.0, "{line}");
        }
        for stem in ["one", "two.of.them"] {
            for (edge, size) in [(1024, (800, 600)), (256, (256, 192))] {
                let thumbnail = fs::read(out.join(format!("{stem}.{edge}.jpg"))).unwrap();
                let mut decoder = jpeg_decoder::Decoder::new(&thumbnail[..]);
                let samples = decoder.decode().unwrap();
                let info = decoder.info().unwrap();
                assert_eq!((info.width, info.height), size, "{stem}, {edge}");
                // The thumbnail must not be a single colour.
                assert!(
                    samples.iter().any(|&sample| sample.abs_diff(samples[0]) > 50),
                    "{stem}, {edge}"
                );
            }
        }
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn errors_name_the_file_or_argument() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text.jpg");
    fs::write(&text, "no photo").unwrap();
    let missing = directory.path().join("missing.jpg");
    for (arguments, file, message) in [
        (&["1"], &text, "UnsupportedFormat"),
        (&["1"], &missing, "missing.jpg"),
        (&["0"], &text, "ITERS"),
        (&["many"], &text, "many"),
    ] {
        let done = run(arguments, &[file]).unwrap();
        assert!(!done.status.success());
        let stderr = String::from_utf8(done.stderr).unwrap();
        assert!(
            stderr.to_lowercase().contains(&message.to_lowercase()),
            "{stderr}"
        );
    }
}

pub use clap_complete::Shell;

/// Prints the completions of a program for a shell.
pub fn print_completions(shell: Shell, program: &mut clap::Command) -> std::io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, program, "rapidphoto", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)
}

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use console::Term;

use crate::{
    arguments::Login as Options,
    output::{print_line, print_note},
    state::{Login, LoginFile, StateDir},
};

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

pub(crate) async fn log_in(options: Options) -> anyhow::Result<()> {
    let file = LoginFile::in_directory(&StateDir::open()?);
    let last = file.load()?;
    let server = options
        .server
        .clone()
        .or_else(|| last.as_ref().map(|login| login.server.clone()));
    let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let same_server = last.filter(|login| login.server == server);
    let ca = match &options.ca {
        Some(path) => Some(
            path.canonicalize()
                .with_context(|| format!("{} (--ca) can't be read", path.display()))?,
        ),
        None => same_server.and_then(|login| login.ca),
    };
    let email = match &options.email {
        Some(email) => email.clone(),
        None => ask("E-mail address: ")?,
    };
    let password = password(&options, &email)?;
    let mut login = Login {
        server,
        email,
        ca,
        tokens: None,
    };
    let client = login.client()?;
    if options.register {
        client
            .register(&login.email, &password)
            .await
            .with_context(|| format!("the account {} can't be created on {}", login.email, login.server))?;
    }
    let session = client
        .log_in(&login.email, &password)
        .await
        .with_context(|| format!("{} can't log in to {}", login.email, login.server))?;
    login.tokens = Some(session.tokens().await);
    file.store(&login)?;
    print_line(&format!("logged in to {} as {}", login.server, login.email))?;
    Ok(())
}

pub(crate) async fn log_out() -> anyhow::Result<()> {
    let file = LoginFile::in_directory(&StateDir::open()?);
    let (session, login) = file.session()?;
    // Server and CA stay for the next login.
    file.store(&login)?;
    match session.log_out().await {
        Ok(()) => print_line(&format!("logged out of {}", login.server))?,
        Err(error) => print_note(&format!(
            "the tokens are removed here, but {} could not revoke them: {}",
            login.server,
            crate::output::chain(error)
        )),
    }
    Ok(())
}

fn password(options: &Options, email: &str) -> anyhow::Result<String> {
    let password = match options.password_file.as_deref() {
        Some(path) if path != Path::new("-") => {
            let file = std::fs::read_to_string(path);
            let file = file.with_context(|| format!("{} (--password-file) can't be read", path.display()))?;
            file.lines().next().unwrap_or_default().to_owned()
        }
        None if io::stdin().is_terminal() => {
            let terminal = Term::stderr();
            terminal.write_str(&format!("Password of {email}: "))?;
            terminal.read_secure_line()?
        }
        _ => first_line_of_stdin()?,
    };
    if password.is_empty() {
        bail!("the password is empty; type it, or give it by --password-file or standard input");
    }
    Ok(password)
}

fn ask(question: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        bail!("--email is missing; standard input is no terminal, so it can't be asked for");
    }
    let terminal = Term::stderr();
    terminal.write_str(question)?;
    Ok(terminal.read_line()?.trim().to_owned())
}

fn first_line_of_stdin() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

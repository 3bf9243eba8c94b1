//! `bocage`: parse, run, print the chain of causes, give the exit code.

use std::process::ExitCode;

use bocage::cli;

fn main() -> ExitCode {
    match cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("erreur : {error:#}");
            ExitCode::from(2)
        }
    }
}

//! Words on the command line. Reports go to standard output, progress and logs to standard error.
//!
//! Exit codes: 0 done; 1 done, but something was refused, held or found blocking; 2 wrong use, or the command failed.

mod convert;
mod demo;
mod layers;
mod progress;
mod publish;
mod serve;
mod site;
mod tile;

use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::Parser;
use clap::Subcommand;

use crate::config::Site;
use crate::config::environment;
use crate::publish::Publisher;
use crate::source;
use crate::store;

/// Des couches SIG déposées dans un dossier deviennent des données ouvertes, vérifiées et servies.
#[derive(Parser)]
#[command(name = "bocage", version, max_term_width = 100)]
struct Arguments {
    /// Le dossier du site (sinon BOCAGE_SITE, sinon le dossier courant)
    #[arg(long, global = true, value_name = "DOSSIER")]
    site: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Écrit un site commenté, prêt à servir
    Init(site::Init),
    /// Regarde des fichiers du dépôt et écrit layers/<id>.toml pour chaque couche
    Add(publish::Add),
    /// Juge des couches ou des fichiers, sans rien publier
    Check(publish::Check),
    /// Publie les couches proposées par la surveillance
    Accept(layers::Accept),
    /// Publie ce qui a changé ; chaque couche bascule entière ou pas du tout
    Publish(publish::Publish),
    /// Sert ce qui est publié, ou des fichiers donnés
    Serve(serve::Serve),
    /// Liste les couches publiées
    List(layers::List),
    /// Liste les versions d'une couche
    Versions(layers::Versions),
    /// Remet en service une version gardée (la précédente si rien n'est dit)
    Rollback(layers::Rollback),
    /// Retire une couche ; réversible, avec les mêmes identifiants
    Withdraw(layers::Withdraw),
    /// Remet en service une couche retirée ou en quarantaine
    RestoreLayer(layers::RestoreLayer),
    /// Retire une couche de toutes les adresses, aussitôt
    Quarantine(layers::Quarantine),
    /// Efface partout les octets d'une version, ou de toutes
    Purge(layers::Purge),
    /// Convertit un fichier en un autre, avec les mêmes lecteurs et les mêmes écrivains
    Convert(convert::Convert),
    /// Découpe des couches en une archive de tuiles vectorielles (PMTiles)
    Tile(tile::Tile),
    /// La ville de démonstration, publiée dans un site passager et servie
    Demo(demo::Demo),
    /// Écrit les complétions d'un interpréteur de commandes
    Completions {
        /// bash, zsh, fish…
        shell: clap_complete::Shell,
    },
    #[command(hide = true)]
    Worker,
}

/// Parses the command line and does what it says.
///
/// # Errors
/// The command itself failed.
pub fn run() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if matches!(arguments.command, Command::Worker) {
        return Ok(source::worker_main());
    }
    store::count_no_memory();
    start_logging();
    let root = arguments.site.or_else(environment::site).unwrap_or_else(|| PathBuf::from("."));
    match arguments.command {
        Command::Init(init) => init.run(),
        Command::Add(add) => add.run(&open(&root)?),
        Command::Check(check) => check.run(&root),
        Command::Accept(accept) => accept.run(&open(&root)?),
        Command::Publish(publish) => publish.run(&open(&root)?),
        Command::Serve(serve) => serve.run(&root),
        Command::List(list) => list.run(&open(&root)?),
        Command::Versions(versions) => versions.run(&open(&root)?),
        Command::Rollback(rollback) => rollback.run(&open(&root)?),
        Command::Withdraw(withdraw) => withdraw.run(&open(&root)?),
        Command::RestoreLayer(restore) => restore.run(&open(&root)?),
        Command::Quarantine(quarantine) => quarantine.run(&open(&root)?),
        Command::Purge(purge) => purge.run(&open(&root)?),
        Command::Convert(convert) => convert.run(),
        Command::Tile(tile) => tile.run(),
        Command::Demo(demo) => demo.run(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "bocage", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Worker => Ok(source::worker_main()),
    }
}

fn start_logging() {
    let filter = environment::log().and_then(|log| log.parse().ok()).unwrap_or_else(|| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

fn open(root: &std::path::Path) -> anyhow::Result<Publisher> {
    let root = std::path::absolute(root)?;
    let site = Site::open(&root)?;
    Publisher::open(site, &std::env::current_exe()?)
}

/// Prints to standard output. A reader that left (`| head`) is no error.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        for command in Arguments::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}

//! Layers that their tables answer are read and checked again while they are served: what their downloads hold follows, and
//! what may not go out closes them.

use std::sync::Arc;
use std::time::Duration;

use crate::config::LayerFile;
use crate::config::Mode;
use crate::config::SourceRef;
use crate::publish::Publisher;
use crate::publish::report::Outcome;

/// Until the server stops: one round after the other, `pause` apart.
pub async fn check(publisher: Arc<Publisher>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        let publisher = Arc::clone(&publisher);
        if let Err(error) = tokio::task::spawn_blocking(move || round(&publisher)).await {
            tracing::error!("live layers could not be checked: {error}");
        }
    }
}

fn round(publisher: &Publisher) {
    let files = match publisher.site.layer_files() {
        Ok(files) => files,
        Err(error) => return tracing::error!("live layers could not be checked: {error}"),
    };
    let is_live = |file: &LayerFile| matches!(&file.source, SourceRef::Table(table) if table.mode == Mode::Live);
    for file in files.into_iter().flatten().filter(is_live) {
        let report = publisher.publish(&file, &|_, _, _| {});
        let layer = &report.id;
        match report.outcome {
            // The codes alone: places and values are for the officer's own report.
            Outcome::Held => {
                let holding = report.findings.iter().filter(|finding| finding.severity.holds());
                let codes: Vec<String> = holding.map(|finding| finding.code.to_string()).collect();
                tracing::warn!(%layer, "{layer} is closed until its table passes its checks: {}", codes.join(", "));
            }
            // Nothing is known of what it holds now, and nothing of it can be asked either.
            Outcome::Failed => tracing::warn!(%layer, "{layer} could not be checked: {}", report.notes.join("; ")),
            Outcome::Published => tracing::info!(%layer, "{layer}: its downloads follow its table"),
            _ => {}
        }
    }
}

//! The site that `bocage init` writes: commented, and ready to serve.

/// `layers/site.toml` of a new site.
pub const SITE: &str = r#"# Qui publie, pour quel territoire, à quelles adresses. Tout peut être changé ici avec un éditeur de texte.
title       = "Données ouvertes de ma collectivité"
description = "Les données géographiques ouvertes de la collectivité."
# public_url = "https://data.exemple.fr"      # l'adresse publique ; sans elle, on ne sert que sur cette machine
# identity  = "https://data.exemple.fr/id/"   # base des identifiants ; à ne plus changer après la première publication
licence     = "etalab-2.0"                    # ou ODbL-1.0
# crs       = "EPSG:3948"                     # le système le plus probable d'un fichier qui ne le dit pas : proposé, jamais imposé
# extent    = [-2.16, 48.02, -1.80, 48.26]    # le territoire : ouest, sud, est, nord, en degrés
depot       = "depot"                         # où l'on dépose les fichiers, par rapport à ce fichier ; un partage réseau convient
auto_accept = false                           # true : un nouveau fichier sans doute est publié sans attendre
keep        = 10                              # versions gardées par couche

[publisher]
name = "Ma collectivité"
# siren = "243500550"
# email = "sig@exemple.fr"
"#;

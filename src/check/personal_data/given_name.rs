//! Civilities before a name, and a surname in capitals beside a given name.

use crate::check::personal_data::column_name::plain;

/// Words by which a value is the name of a way or of a place named after someone.
const WAYS: [&str; 40] = [
    "rue",
    "avenue",
    "av",
    "place",
    "pl",
    "impasse",
    "imp",
    "chemin",
    "che",
    "allee",
    "allees",
    "boulevard",
    "bd",
    "square",
    "route",
    "rte",
    "quai",
    "cours",
    "sentier",
    "venelle",
    "passage",
    "ruelle",
    "lotissement",
    "residence",
    "res",
    "pont",
    "parc",
    "jardin",
    "esplanade",
    "promenade",
    "rond",
    "carrefour",
    "hameau",
    "cite",
    "voie",
    "ecole",
    "college",
    "lycee",
    "salle",
    "stade",
];

fn is_civility(word: &str) -> bool {
    matches!(
        word,
        "M." | "MM."
            | "Mr"
            | "Mr."
            | "MR"
            | "MR."
            | "Mme"
            | "Mme."
            | "MME"
            | "MME."
            | "Mmes"
            | "Mlle"
            | "Mlle."
            | "MLLE"
            | "MLLE."
            | "Monsieur"
            | "MONSIEUR"
            | "Madame"
            | "MADAME"
            | "Mademoiselle"
            | "MADEMOISELLE"
    )
}

/// Whether a civility stands before a name, in a value that is not the name of a way.
pub fn has_civility(text: &str) -> bool {
    // Every civility begins with a capital M: most values end here.
    if !text.as_bytes().contains(&b'M') {
        return false;
    }
    let mut words = text.split([' ', '\u{a0}', '(', ',', ';', ':', '/', '"']).filter(|word| !word.is_empty()).peekable();
    let mut found = false;
    while let Some(word) = words.next() {
        if is_civility(word) {
            found |= words.peek().is_some_and(|next| next.chars().next().is_some_and(char::is_uppercase) && !is_civility(next));
        } else if word.strip_prefix("M.").is_some_and(|name| name.len() > 2 && name.chars().next().is_some_and(char::is_uppercase)) {
            found = true;
        }
    }
    found && !names_a_way(text)
}

/// Whether a word of the value is a type of way, in any letter case.
fn names_a_way(text: &str) -> bool {
    plain(text).split('_').any(|word| WAYS.contains(&word))
}

/// Whether the whole value is a surname in capitals and a given name, in either order: `LE GOFF Annaïck`, `Jean-Yves MORVAN`.
pub fn is_full_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    // Two words to four: `LE GOFF Marie`; a longer value is a sentence or a title.
    if !(2..=4).contains(&words.len()) {
        return false;
    }
    let (first, last) = (words[0], words[words.len() - 1]);
    if is_capitals(first) && words[..words.len() - 1].iter().all(|word| is_capitals(word)) {
        return is_capitalised(last) && is_given_name(&plain(last));
    }
    is_capitalised(first) && words[1..].iter().all(|word| is_capitals(word)) && is_given_name(&plain(first))
}

fn is_capitals(word: &str) -> bool {
    word.chars().count() > 1 && word.chars().all(|c| c.is_uppercase() || matches!(c, '-' | '\'' | '’'))
}

fn is_capitalised(word: &str) -> bool {
    let mut signs = word.chars();
    signs.next().is_some_and(char::is_uppercase) && signs.next().is_some_and(char::is_lowercase)
}

/// Whether the plain name, or each half of a double one (`jean_yves`), is among the usual given names.
pub fn is_given_name(name: &str) -> bool {
    !name.is_empty() && name.split('_').all(|part| GIVEN_NAMES.binary_search(&part).is_ok())
}

/// Given names that most people in France bear, Brittany's among them; plain, in alphabetical order.
#[rustfmt::skip]
const GIVEN_NAMES: &[&str] = &[
    "adele", "adrien", "agathe", "agnes", "aicha", "alain", "alban", "albert", "alex", "alexandra", "alexandre", "alexis", "alice",
    "aline", "alix", "amandine", "amelie", "ana", "anais", "andre", "andree", "ange", "angele", "angelique", "anna", "annaick", "annaig",
    "anne", "annette", "annick", "annie", "anthony", "antoine", "antoinette", "antonin", "apolline", "ariane", "armand", "armelle",
    "arnaud", "arthur", "audrey", "augustin", "aurelie", "aurelien", "aurore", "axel", "aymeric", "baptiste", "barbara", "bastien",
    "beatrice", "benedicte", "benjamin", "benoit", "bernadette", "bernard", "berthe", "bertrand", "blandine", "bleuenn", "boris",
    "brendan", "briac", "brice", "briec", "brigitte", "bruno", "camille", "carine", "carole", "caroline", "catherine", "cecile", "cedric",
    "celestine", "celine", "chantal", "charles", "charline", "charlotte", "chloe", "christelle", "christian", "christiane", "christine",
    "christophe", "claire", "clara", "clarisse", "claude", "claudette", "claudine", "clemence", "clement", "clementine", "colette",
    "coline", "constance", "constant", "coralie", "corentin", "corinne", "cyril", "cyrille", "damien", "daniel", "daniele", "danielle",
    "david", "deborah", "delphine", "denis", "denise", "didier", "dominique", "dorothee", "edith", "edmond", "edouard", "elea",
    "eleonore", "eliane", "elisa", "elisabeth", "elise", "ella", "ellen", "elodie", "eloise", "elsa", "emile", "emilie", "emma",
    "emmanuel", "emmanuelle", "enora", "enzo", "eric", "erwan", "erwann", "estelle", "esther", "etienne", "eugene", "eva", "evelyne",
    "ewen", "fabien", "fabienne", "fabrice", "fanch", "fanny", "faustine", "felix", "fernand", "flavie", "florence", "florent", "florian",
    "florine", "france", "francis", "franck", "francois", "francoise", "frederic", "frederique", "gabin", "gabriel", "gabrielle", "gael",
    "gaelle", "gaetan", "gaston", "gauthier", "genevieve", "geoffrey", "georges", "gerald", "geraldine", "gerard", "germaine",
    "ghislaine", "gilbert", "gilberte", "gildas", "gilles", "gisele", "goulven", "guenael", "guillaume", "gurvan", "gustave", "guy",
    "gwenael", "gwenaelle", "gwendal", "gwendoline", "gwenn", "gwenola", "helene", "henri", "henriette", "herve", "hortense", "hubert",
    "hugo", "hugues", "ines", "irene", "iris", "isabelle", "ivan", "jacqueline", "jacques", "jade", "janine", "jean", "jeanine", "jeanne",
    "jeannine", "jerome", "jessica", "joan", "joel", "joelle", "johan", "johanna", "jonathan", "joseph", "josephine", "josette",
    "josiane", "josselin", "judith", "jules", "julia", "julie", "julien", "juliette", "justin", "justine", "karim", "karine", "katell",
    "kevin", "kilian", "killian", "lara", "laura", "laure", "laurence", "laurent", "laurie", "lea", "leane", "leila", "lena", "leo",
    "leon", "leonie", "leopold", "lilian", "liliane", "lily", "lina", "lionel", "lisa", "lise", "loic", "lola", "lorenzo", "lou",
    "louane", "louis", "louise", "louna", "luc", "lucas", "lucette", "lucie", "lucien", "lucienne", "ludovic", "lydia", "lydie",
    "madeleine", "mado", "mael", "maelle", "maelys", "maeva", "magali", "mahe", "maiwenn", "malika", "malo", "manon", "marc", "marcel",
    "marcelle", "margaux", "margot", "marguerite", "maria", "marianne", "marie", "marielle", "marin", "marina", "marine", "marion",
    "marius", "marjorie", "martial", "martin", "martine", "maryse", "maryvonne", "matheo", "mathieu", "mathilde", "mathis", "matthieu",
    "maud", "maurice", "max", "maxence", "maxime", "mehdi", "melanie", "melissa", "michel", "michele", "micheline", "mickael", "mireille",
    "mohamed", "monique", "morgan", "morgane", "muriel", "myriam", "nadege", "nadia", "nadine", "natacha", "nathalie", "nathan",
    "nicolas", "nicole", "nina", "noah", "noe", "noel", "noelle", "noemie", "nolan", "nolwenn", "norbert", "oceane", "odette", "odile",
    "olivia", "olivier", "ophelie", "oriane", "oscar", "padrig", "pascal", "pascale", "patrice", "patricia", "patrick", "paul", "paule",
    "paulette", "pauline", "perrine", "philippe", "pierre", "pierrette", "pierrick", "quentin", "rachel", "rachid", "raoul", "raphael",
    "raphaelle", "raymond", "raymonde", "regine", "regis", "remi", "remy", "renaud", "rene", "renee", "riwan", "robert", "robin", "roger",
    "roland", "romain", "romane", "romuald", "ronan", "rosalie", "rose", "roselyne", "roxane", "rozenn", "sabine", "sabrina", "sacha",
    "salome", "samia", "samir", "samuel", "sandra", "sandrine", "sara", "sarah", "sebastien", "serge", "severine", "simon", "simone",
    "sixtine", "soazic", "soazig", "sofia", "soizic", "solange", "solene", "sonia", "sophie", "stanislas", "stephane", "stephanie",
    "steven", "suzanne", "sylvain", "sylvette", "sylviane", "sylvie", "tanguy", "tatiana", "theo", "theophile", "therese", "thibault",
    "thibaut", "thierry", "thomas", "tiphaine", "titouan", "tom", "tristan", "tugdual", "valentin", "valentine", "valerie", "vanessa",
    "veronique", "victoire", "victor", "vincent", "violette", "virginie", "viviane", "wilfried", "william", "xavier", "yael", "yanis",
    "yann", "yannick", "yannig", "yasmine", "yoann", "yohan", "yolande", "youenn", "youssef", "yves", "yvette", "yvon", "yvonne", "zoe",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_are_in_order_so_that_they_are_found() {
        assert!(GIVEN_NAMES.is_sorted());
        assert!(is_given_name("katell") && is_given_name("jean_yves") && !is_given_name("annexe") && !is_given_name(""));
    }

    #[test]
    fn a_civility_before_a_name_is_found() {
        for text in ["M. Le Goff", "Mme MORVAN", "Voir Monsieur Tanguy", "(Mlle Quéré)", "M.Dupont"] {
            assert!(has_civility(text), "{text}");
        }
    }

    #[test]
    fn ways_named_after_persons_and_plain_words_are_no_civilities() {
        for text in
            ["rue Madame Curie", "Rue M. Dupont", "ALLÉE MONSIEUR VINCENT", "Madame", "M. le maire", "Bâtiment M Nord", "Mairie", ""]
        {
            assert!(!has_civility(text), "{text}");
        }
    }

    #[test]
    fn a_surname_in_capitals_beside_a_given_name_is_a_full_name() {
        for text in ["LEMOINE Maëlle", "LE GOFF Annaïck", "Jean-Yves MORVAN", "D'HERVÉ Soazig"] {
            assert!(is_full_name(text), "{text}");
        }
    }

    #[test]
    fn facilities_and_ways_are_no_full_names() {
        for text in ["EHPAD Bréal", "ZA Montfort", "MAIRIE Annexe", "Allée Alfred Sisley", "Jean Moulin", "RAS", "MORVAN", "JEAN MOULIN"]
        {
            assert!(!is_full_name(text), "{text}");
        }
    }
}

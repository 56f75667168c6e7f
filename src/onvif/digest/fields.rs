//! The grammar of `WWW-Authenticate` and `Authorization` (RFC 9110 11.2 to 11.6): schemes, each with
//! names and values, several in one line and in any arrangement. What does not fit is skipped.

/// One scheme with its parameters, names in lower case.
#[derive(Debug, Default)]
pub struct Scheme {
    pub name: String,
    fields: Vec<(String, String)>,
}

impl Scheme {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first value of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All schemes of one header line.
pub fn schemes(line: &str) -> Vec<Scheme> {
    let mut found: Vec<Scheme> = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let (word, after) = split_token(rest);
        if word.is_empty() {
            // Not a word: a stray sign is stepped over.
            let mut signs = rest.chars();
            if signs.next().is_none() {
                return found;
            }
            rest = signs.as_str();
            continue;
        }
        match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let (value, after) = split_value(value.trim_start());
                if let Some(scheme) = found.last_mut() {
                    scheme.fields.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            None => {
                found.push(Scheme { name: word.to_owned(), fields: Vec::new() });
                rest = after;
            }
        }
    }
}

fn split_token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '"')).unwrap_or(text.len());
    text.split_at(end)
}

/// A value with or without quotes, and what follows it.
fn split_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (value.to_owned(), after);
    };
    let mut value = String::new();
    let mut signs = quoted.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => break,
            '\\' => value.extend(signs.next()),
            other => value.push(other),
        }
    }
    (value, signs.as_str())
}

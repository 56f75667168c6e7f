//! The table `views`: arrangements of pictures, each its user's own. They go with their user.

use super::Store;
use super::shared::Value;
use crate::base::{Error, Result};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewRow {
    pub name: String,
    /// A JSON object as text.
    pub layout: String,
}

impl Store {
    /// All of a user, by name.
    pub fn views(&self, user: &str) -> Result<Vec<ViewRow>> {
        let query = r#"SELECT name, layout FROM views WHERE "user" = $1 ORDER BY name"#;
        let rows = self.ask(|sql| sql.query(query, &[Value::Text(user)]))?;
        rows.iter().map(|row| Ok(ViewRow { name: row.text(0)?, layout: row.text(1)? })).collect()
    }

    /// Adds one, or changes the one of its name. `Full` when the user has `most` others already.
    pub fn put_view(&self, user: &str, view: &ViewRow, most: usize) -> Result<()> {
        let (user, name, layout) = (Value::Text(user), Value::Text(&view.name), Value::Text(&view.layout));
        self.change(|sql| {
            let others =
                sql.query(r#"SELECT name FROM views WHERE "user" = $1 AND name <> $2"#, &[user, name])?.len();
            if others >= most {
                return Err(Error::full(format!("parameter name: there are {others} views already")));
            }
            sql.execute(
                r#"INSERT INTO views ("user", name, layout) VALUES ($1, $2, $3)
                   ON CONFLICT ("user", name) DO UPDATE SET layout = $3"#,
                &[user, name, layout],
            )?;
            Ok(())
        })
    }

    /// `NotFound` when the user has none of this name.
    pub fn delete_view(&self, user: &str, name: &str) -> Result<()> {
        let delete = r#"DELETE FROM views WHERE "user" = $1 AND name = $2"#;
        match self.change(|sql| sql.execute(delete, &[Value::Text(user), Value::Text(name)]))? {
            0 => Err(Error::not_found(format!("parameter name: there is no view {name:.64}"))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::User;
    use crate::store::shared::server::both;

    #[test]
    fn each_user_has_some_of_their_own_and_takes_them_along() {
        both(|store| {
            for name in ["adam", "eve"] {
                let (name, role) = (name.into(), "administrator".into());
                let user = User { name, role, password_hash: "x".into(), default_password: false };
                store.insert_user(&user, 9).unwrap();
            }
            let view = |name: &str, layout: &str| ViewRow { name: name.into(), layout: layout.into() };
            store.put_view("eve", &view("yard", "{}"), 2).unwrap();
            store.put_view("eve", &view("gate", "{}"), 2).unwrap();
            store.put_view("eve", &view("yard", r#"{"a":1}"#), 2).unwrap();
            store.put_view("adam", &view("yard", r#"{"b":1}"#), 2).unwrap();
            let full = store.put_view("eve", &view("hall", "{}"), 2).unwrap_err();
            assert_eq!(full.to_string(), "parameter name: there are 2 views already");
            assert_eq!(store.views("eve").unwrap(), [view("gate", "{}"), view("yard", r#"{"a":1}"#)]);
            store.delete_view("eve", "gate").unwrap();
            assert!(store.delete_view("eve", "gate").is_err());
            store.delete_user("eve").unwrap();
            assert_eq!(store.views("eve").unwrap(), []);
            assert_eq!(store.views("adam").unwrap(), [view("yard", r#"{"b":1}"#)]);
        });
    }
}

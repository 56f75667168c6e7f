//! What a user may do, coarsely.

/// The manual's security levels, least first, so that `role >= Role::Operator` reads as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Viewer,
    Operator,
    Administrator,
}

impl Role {
    /// The name on the wire and in the database (`strUserType`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Operator => "Operator",
            Self::Administrator => "Administrator",
        }
    }

    /// The reverse of [`Role::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Administrator].into_iter().find(|role| role.as_str() == name)
    }
}

//! Users, passwords, sessions, roles.

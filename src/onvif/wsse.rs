//! WS-UsernameToken with password digest, both ways (OASIS WSS UsernameToken Profile 1.0).

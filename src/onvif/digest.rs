//! HTTP Digest (RFC 7616 and 2069), both ways: answering a camera's challenges, and checking the
//! answers to ours.

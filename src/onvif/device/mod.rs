//! The device that we are for other people's software: SOAP requests in, answers out. No sockets: the
//! HTTP server hands requests in, and what is shown comes from a [`Site`].

//! Live fMP4 over WebSocket.

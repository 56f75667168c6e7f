//! HLS v1 (TS) and v2 (fMP4, low latency).

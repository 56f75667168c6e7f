//! Walks and converts NAL units: length-prefixed (MP4) and Annex B (TS).

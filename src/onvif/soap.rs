//! SOAP 1.2 envelopes and faults.

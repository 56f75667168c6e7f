//! The live time line of one viewer.

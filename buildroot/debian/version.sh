# shellcheck shell=bash
# Sourced: the version of what is built, from Cargo.toml and the commit. Expects to run in the project's folder.
VERSION=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
H5EDGE_BUILD=${H5EDGE_BUILD:-$(git rev-parse --short HEAD)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
RELEASE_NAME=$VERSION+$H5EDGE_BUILD
export VERSION H5EDGE_BUILD SOURCE_DATE_EPOCH RELEASE_NAME

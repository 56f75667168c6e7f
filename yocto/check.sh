#!/bin/sh
# Checks the layer and the kas files as far as they can be without a build: seconds, after the first run
# has made its Python environment in target/yocto-check. Given a folder, checks that copy of yocto/.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
yocto=${1:-$here}
venv=$top/target/yocto-check

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

failed=0
# Generated and not kept; the recipe names it.
python3 "$here/crates.py" "$top/Cargo.lock" "$yocto/meta-h5edge/recipes-app/h5edge/h5edge-crates.inc" || failed=1

# Not taken: a home page, files fetched from elsewhere and FILESEXTRAPATHS only in appends (this project's
# sources lie beside the layer), a package's files only added to, a source for the bundle (it has none).
find "$yocto/meta-h5edge" \( -name '*.bb' -o -name '*.bbappend' -o -name '*.conf' \) -print | sort |
    xargs "$venv/bin/oelint-adv" --release wrynose --jobs 1 --quiet --hide info \
        --constantmods="+$yocto/oelint-constants.json" \
        --suppress oelint.var.mandatoryvar.HOMEPAGE --suppress oelint.var.licenseremotefile \
        --suppress oelint.vars.fileextrapaths --suppress oelint.vars.outofcontext || failed=1

"$venv/bin/python" "$here/check.py" "$top" "$yocto" || failed=1

[ "$failed" = 0 ] && echo "yocto: all checks passed"
exit "$failed"

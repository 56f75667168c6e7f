# Facts of the project's checkout that recipes need: its version and its commit.

def h5edge_version(d):
    import re
    manifest = os.path.join(d.getVar('H5EDGE_ROOT'), 'Cargo.toml')
    with open(manifest, encoding='utf-8') as file:
        found = re.search(r'^version = "([0-9A-Za-z.+-]+)"$', file.read(), re.M)
    if not found:
        bb.fatal('%s: no version of the package' % manifest)
    return found.group(1)

def h5edge_commit(d):
    import subprocess
    command = ['git', '-C', d.getVar('H5EDGE_ROOT'), 'rev-parse', '--short=12', 'HEAD']
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'

H5EDGE_VARIANT = "${@oe.utils.conditional('RELEASE', '1', 'release', 'dev', d)}"

# shellcheck shell=bash
# Sourced by the scripts beside it: packages of another Debian suite or architecture, downloaded and unpacked without
# touching what is installed here. They come from where this machine's own apt gets its packages; no script names a mirror.

# mirror SUITE: the address from which apt on this machine takes SUITE (for instance bookworm-security).
mirror() {
    local uri
    uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v suite="$1" '$1 == suite && $2 == "main" { print $3; exit }')
    if [ -z "$uri" ]; then
        echo "apt's sources on this machine have no suite $1: add it to them first" >&2
        return 1
    fi
    echo "$uri"
}

# apt_root DIR ARCHITECTURE SUITE...: an apt of its own in DIR that knows the SUITEs and has nothing installed; sets apt_of.
apt_root() {
    local dir=$1 architecture=$2 suite uri
    shift 2
    mkdir -p "$dir"/{state/lists/partial,cache/archives/partial}
    : >"$dir/status"
    for suite in "$@"; do
        case $suite in
        *-security) uri=$(mirror bookworm-security) ;;
        *) uri=$(mirror bookworm) ;;
        esac || return
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
    done >"$dir/sources.list"
    apt_of=(-qq -o "Dir::State=$dir/state" -o "Dir::State::status=$dir/status" -o "Dir::Cache=$dir/cache"
        -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
        -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o APT::Sandbox::User=root
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o Debug::NoLocking=true)
    apt-get "${apt_of[@]}" update
}

# apt_fetch DIR PACKAGE...: downloads the PACKAGEs, and all they depend on, into DIR/cache/archives.
apt_fetch() {
    local dir=$1
    shift
    rm -f "$dir"/cache/archives/*.deb
    apt-get "${apt_of[@]}" --yes --download-only install "$@"
}

# unpack DIR DEB...: unpacks the DEBs into DIR, base-files first, whose links /bin, /lib and /sbin the others need.
unpack() {
    local dir=$1 deb
    shift
    mkdir -p "$dir"
    for deb in "$@"; do
        case $deb in */base-files_*) dpkg-deb --extract "$deb" "$dir" ;; esac
    done
    for deb in "$@"; do dpkg-deb --extract "$deb" "$dir"; done
}

# describe DIR DEB...: what the DEBs say of themselves: DIR/status, in the form of dpkg's own, and DIR/copyright/PACKAGE.
describe() {
    local dir=$1 deb name
    shift
    mkdir -p "$dir/copyright"
    for deb in "$@"; do
        dpkg-deb --field "$deb" | sed 's/^Package:.*/&\nStatus: install ok installed/'
        echo
        name=${deb##*/}
        dpkg-deb --fsys-tarfile "$deb" |
            tar -xO --wildcards './usr/share/doc/*/copyright' >"$dir/copyright/${name%%_*}" 2>/dev/null || true
    done >"$dir/status"
    # Of a few packages it is a link to another's.
    find "$dir/copyright" -empty -delete
}

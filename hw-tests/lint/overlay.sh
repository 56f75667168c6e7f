#!/usr/bin/env bash
# Checks rootfs-overlay/ without building an image, in seconds: overlay.sh [folder]
# Needs systemd, shellcheck and systemd-timesyncd's units as Debian 12 has them. Says every fault, then fails.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
overlay=${1:-$here/rootfs-overlay}
# Programs that our units start and the overlay does not bring: every image has to have them.
programs=(h5edge dropbear dropbearkey wpa_supplicant cat sleep)
# And those that our scripts start.
script_programs=(e2fsck mkfs.ext4 resize2fs sfdisk partx fw_setenv fw_printenv readlink cat sync systemctl)
# Keys newer than Debian 12's systemd; the images have 257 and more.
newer='RestartSteps|RestartMaxDelaySec'
# What systemd-analyze security may give h5edge.service at most; 10 is no sandbox at all.
exposure=25

faults=0
fault() {
	echo "overlay: $*" >&2
	faults=$((faults + 1))
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$overlay"
units=usr/lib/systemd/system

# Where merged-usr and merged-bin have links, an overlay would replace the link by a folder.
while read -r path; do fault "$path does not belong into an overlay"; done < <(
	find . -mindepth 1 -maxdepth 1 ! -name etc ! -name usr ! -name data
	find usr -mindepth 1 -maxdepth 1 ! -name lib ! -name libexec ! -name share
	find . \( -name .empty -o -name .gitkeep -o -name '*~' -o -name '*.orig' -o -name 'README*' \)
)
while read -r link; do
	target=$(readlink "$link")
	case $target in
		/dev/null | /run/* | ../*) ;;
		*) fault "$link -> $target: preset-all takes such a link away, or nothing is there" ;;
	esac
done < <(find . -type l)
# What copies a tree by the content of its files makes such a file of a link, and units that were off come on again.
while read -r file; do fault "$file holds nothing but a path: it was a link"; done < <(
	find . -type f -size -256c -exec grep -lxE '(/|\.\./)[^[:space:]]+' {} + | while read -r file; do
		[ "$(grep -c '' "$file")" != 1 ] || echo "$file"
	done
)
if [ ! -f etc/machine-id ] || [ -s etc/machine-id ]; then fault "etc/machine-id has to be there and empty"; fi

for script in usr/libexec/h5edge/*; do
	[ -x "$script" ] || fault "$script cannot be executed"
	shellcheck -s sh "$script" || fault "$script: shellcheck"
	while read -r word; do
		[[ " ${script_programs[*]} echo exit set exec " == *" $word "* ]] || fault "$script starts $word, which no image promises"
	done < <(sed -nE 's/^[[:space:]]*(exec )?([a-z][a-z0-9_.]+) .*/\2/p' "$script" | grep -vxE 'if|while|case|esac|then|else' || true)
done

while read -r uuid; do
	[[ $uuid =~ ^48354544-000([1-5])-4000-8000-00000000000([1-5])$ && ${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" ]] \
		|| fault "$uuid is no partition of ours"
done < <(grep -rhoE 'by-(partuuid/|partuuid\\x2d|x2dpartuuid\\x2d)?[^ ]*48354544[-\\x0-9a-f]+' . \
	| sed -E 's/.*(48354544)/\1/; s/\\x2d/-/g' | sort -u)

# What our units want is what the preset switches on.
for unit in "$units"/*.*; do
	[ -f "$unit" ] || continue
	name=${unit##*/}
	if grep -q '^\[Install\]' "$unit"; then
		grep -qx "enable $name" usr/lib/systemd/system-preset/50-h5edge.preset || fault "$name is not in the preset"
	fi
done
while read -r _ name; do
	[[ $name = systemd-* || $name = dbus* || -f $units/$name ]] || fault "the preset switches on $name, which is not here"
done < <(grep '^enable' usr/lib/systemd/system-preset/50-h5edge.preset)

# A root of stubs, the overlay and this machine's own systemd units: unknown keys, missing programs and
# ordering cycles.
root=$work/root
mkdir -p "$root"/{usr/bin,usr/lib/systemd,etc}
for link in bin sbin lib; do ln -s "usr/${link/sbin/bin}" "$root/$link"; done
ln -s bin "$root/usr/sbin"
cp -a /lib/systemd/system "$root/usr/lib/systemd/"
cp /usr/share/systemd/tmp.mount "$root/usr/lib/systemd/system/"
cp -a . "$root/"
for program in "${programs[@]}" kill; do install -m 755 /dev/null "$root/usr/bin/$program"; done
mapfile -t ours < <(cd "$units" && find . -maxdepth 1 -type f -printf '%f\n' | sed 's/@\./@x./')
# `verify` calls a bare name unknown unless the checking machine has the program too.
sed -i -E "s#^(Exec[A-Za-z]+=-?)($(IFS='|'; echo "${programs[*]}")) #\1/usr/bin/\2 #" \
	"$root/$units"/*.* "$root/$units"/*.d/*.conf "$root"/etc/systemd/system/*.service 2>/dev/null || true
mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/systemd/system/sysinit.target.wants" \
	"$root/etc/systemd/system/local-fs.target.wants" "$root/etc/systemd/system/sockets.target.wants"
for unit in "${ours[@]}"; do
	wanted=$(sed -n 's/^WantedBy=//p' "$root/$units/$unit" 2>/dev/null || true)
	[ -z "$wanted" ] || ln -s "/$units/$unit" "$root/etc/systemd/system/$wanted.wants/$unit"
done
# Without --recursive-errors=no, which would hide the cycles; so what is not about ours is left out.
while read -r line; do fault "systemd-analyze verify: ${line#"$root"/}"; done < <(
	cd "$root/$units"
	systemd-analyze verify --root="$root" --man=no "${ours[@]}" multi-user.target emergency.service 2>&1 \
		| { grep -E "$(IFS='|'; echo "${ours[*]}")|cycl" || true; } | { grep -vE "Unknown key '($newer)'" || true; }
)
while read -r name; do
	[[ " ${ours[*]} " == *" ${name/@./@x.} "* ]] || fault "a unit names $name, which is not here"
done < <(grep -rhoE 'h5edge[-a-z@]*\.(service|socket)' "$units" | sort -u)
while read -r program; do
	[[ -e $root/$program || " ${programs[*]} " == *" $program "* ]] || fault "a unit starts $program, which no image promises"
done < <(grep -rhE '^Exec[A-Za-z]+=.' "$units" etc/systemd/system | sed -E 's/^Exec[A-Za-z]+=-?([^ ]+).*/\1/' | sort -u)

systemd-analyze security --offline=true --root="$root" --threshold="$exposure" h5edge.service > "$work/security" 2>&1 \
	|| fault "h5edge.service: $(tail -1 "$work/security")"

# Nothing that has to stay secret, and no password that all boxes would share.
while read -r line; do fault "looks like a secret: $line"; done < <(
	grep -rnEi 'PRIVATE KEY|\$[0-9a-z]{1,2}\$[./0-9a-z]{8,}|ssh-(rsa|ed25519) AAAA|(psk|passw[a-z]*|secret|token) *= *[^ ]|12345' . || true
)

# The configuration, where a program is at hand to check it.
h5edge=${H5EDGE:-}
for built in "$here"/target/{release,debug}/h5edge; do [ -n "$h5edge" ] || [ ! -x "$built" ] || h5edge=$built; done
if [ -n "$h5edge" ]; then
	"$h5edge" check-config etc/h5edge/h5edge.toml > "$work/config" 2>&1 || fault "h5edge.toml: $(cat "$work/config")"
else
	echo "overlay: h5edge.toml NOT checked, there is no h5edge to do so"
fi

[ "$faults" = 0 ] || { echo "overlay: $faults faults" >&2; exit 1; }
echo "overlay: ok; $(tail -1 "$work/security" | sed 's/^[^A-Za-z]*//; s/ [^ ]*$//')"

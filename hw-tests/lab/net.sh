#!/usr/bin/env bash
# The network that the QEMU box is tested in, apart from the machine's own. It leads nowhere else.
#
#   lab/net.sh up     makes it, after removing what a killed run left
#   lab/net.sh down   ends what still runs in it, and removes it
#
#   namespace h5hw    the tests, QEMU, DHCP server and camera: br0 192.168.77.1/24 and fd77::1/64, tap0 for the box,
#                     and 192.168.78.1, which the box reaches through its router only
#   namespace h5far   another host on the same LAN: eth0 192.168.77.50/24 and fd77::50/64
set -euo pipefail
lab=h5hw
far=h5far

down() {
	local name pid pids
	for name in $far $lab; do
		[ -e "/run/netns/$name" ] || continue
		pids=$(ip netns pids "$name")
		for pid in $pids; do kill "$pid" 2>/dev/null || true; done
		for _ in $(seq 50); do
			[ -n "$(ip netns pids "$name")" ] || break
			sleep 0.1
		done
		for pid in $(ip netns pids "$name"); do kill -9 "$pid" 2>/dev/null || true; done
		ip netns del "$name"
	done
}

up() {
	down
	ip netns add $lab
	ip netns add $far
	local in_lab=(ip -n "$lab") in_far=(ip -n "$far")
	"${in_lab[@]}" link set lo up
	"${in_far[@]}" link set lo up
	"${in_lab[@]}" link add br0 address 52:54:00:48:35:fe type bridge mcast_snooping 0 stp_state 0 forward_delay 0
	"${in_lab[@]}" addr add 192.168.77.1/24 dev br0
	"${in_lab[@]}" addr add fd77::1/64 dev br0 nodad
	"${in_lab[@]}" link set br0 up
	ip netns exec $lab ip tuntap add dev tap0 mode tap
	"${in_lab[@]}" link set tap0 master br0 up
	"${in_lab[@]}" link add far0 type veth peer name eth0 netns $far
	"${in_lab[@]}" link set far0 master br0 up
	"${in_far[@]}" link set eth0 up
	"${in_far[@]}" addr add 192.168.77.50/24 dev eth0
	"${in_far[@]}" addr add fd77::50/64 dev eth0 nodad
	"${in_far[@]}" route add default via 192.168.77.1
	"${in_lab[@]}" addr add 192.168.78.1/32 dev lo
}

case ${1:-} in
up) up ;;
down) down ;;
*)
	echo "usage: $0 up|down" >&2
	exit 2
	;;
esac

# U-Boot script of every board with U-Boot: picks the slot, counts its attempt down, loads the kernel from it.
#
# The environment lies raw in the partition bootstate, twice: copy 1 at 0, copy 2 at 0x10000, each 0x4000 bytes, CRC first.
# Linux (fw_setenv, through RAUC) writes copy 1 only; here copy 2 is written first, then copy 1, so that a power cut leaves
# at least one whole, and a cut while Linux writes leaves copy 2: the state at this start.
# The boot partition may hold board.env: lines name=value with board_args (console and the like) and fdtfile.

test -n "${devtype}" || setenv devtype virtio
test -n "${devnum}" || setenv devnum 0
setexpr envaddr ${scriptaddr} + 0x100000
setenv state "BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT machine_id wipe"

setenv board_args
if load ${devtype} ${devnum}:1 ${envaddr} board.env; then
  env import -t ${envaddr} ${filesize} board_args fdtfile
fi

${devtype} dev ${devnum}
part start ${devtype} ${devnum} 4 copy1
setexpr copy2 ${copy1} + 0x80
setenv known
if ${devtype} read ${envaddr} ${copy1} 0x20; then
  if env import -c ${envaddr} 0x4000 ${state}; then setenv known 1; fi
fi
if test -z "${known}"; then
  echo "h5edge: copy 1 of the environment is broken, taking copy 2"
  if ${devtype} read ${envaddr} ${copy2} 0x20; then
    if env import -c ${envaddr} 0x4000 ${state}; then setenv known 1; fi
  fi
fi
test -n "${known}" || echo "h5edge: copy 2 is broken too, starting with A"
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3

setenv slot
for s in ${BOOT_ORDER}; do
  if test -n "${slot}"; then
    true
  elif test "${s}" = "A" -a ${BOOT_A_LEFT} -gt 0; then
    setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
    setenv slot A
    setenv number 2
  elif test "${s}" = "B" -a ${BOOT_B_LEFT} -gt 0; then
    setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
    setenv slot B
    setenv number 3
  fi
done
if test -z "${slot}"; then
  # Better to go on trying than to stand still: both slots get their attempts again.
  setenv BOOT_A_LEFT 3
  setenv BOOT_B_LEFT 3
fi

setenv bootargs "root=PARTUUID=48354544-000${number}-4000-8000-00000000000${number} ro rauc.slot=${slot} panic=5 quiet ${board_args}"
if test -n "${machine_id}"; then setenv bootargs "${bootargs} systemd.machine_id=${machine_id}"; fi
if test "${wipe}" = "1"; then setenv bootargs "${bootargs} h5edge.wipe=1"; fi
setenv wipe

env export -c -s 0x4000 ${envaddr} ${state}
${devtype} write ${envaddr} ${copy2} 0x20
${devtype} write ${envaddr} ${copy1} 0x20
if test -z "${slot}"; then
  echo "h5edge: no slot has an attempt left"
  reset
fi

echo "h5edge: starting slot ${slot} (order ${BOOT_ORDER}, left A ${BOOT_A_LEFT}, B ${BOOT_B_LEFT})"
setenv devicetree ${fdtcontroladdr}
if test -n "${fdtfile}"; then
  if load ${devtype} ${devnum}:${number} ${fdt_addr_r} /boot/${fdtfile}; then setenv devicetree ${fdt_addr_r}; fi
fi
setenv initrd -
if load ${devtype} ${devnum}:${number} ${kernel_addr_r} /boot/Image; then
  if test -e ${devtype} ${devnum}:${number} /boot/initrd.img; then
    load ${devtype} ${devnum}:${number} ${ramdisk_addr_r} /boot/initrd.img
    setenv initrd ${ramdisk_addr_r}:${filesize}
  fi
  booti ${kernel_addr_r} ${initrd} ${devicetree}
fi
echo "h5edge: slot ${slot} does not start"
reset

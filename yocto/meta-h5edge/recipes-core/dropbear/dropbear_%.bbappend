# SSH is off until a key is set; h5edge-ssh.service then starts dropbear itself.
SYSTEMD_AUTO_ENABLE:${PN}:h5edge-box = "disable"

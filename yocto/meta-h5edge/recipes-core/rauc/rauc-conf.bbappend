# The box's update settings are those of every builder: the project's one template, one board's
# compatible, /etc/rauc, and a keyring that is not in git.
FILESEXTRAPATHS:prepend:h5edge-box := "${H5EDGE_ROOT}/buildroot/ota:"

DEPENDS:append:h5edge-box = " openssl-native"

SRC_URI:h5edge-box = "file://system.conf.in"

PACKAGE_ARCH:h5edge-box = "${MACHINE_ARCH}"

do_install:h5edge-box() {
    if [ ! -s "${RAUC_KEYRING}" ]; then
        bbfatal "no keyring of the update at ${RAUC_KEYRING}: make the developer's, or set RAUC_KEYRING"
    fi
    if [ "${RELEASE}" = "1" ]; then
        openssl crl2pkcs7 -nocrl -certfile "${RAUC_KEYRING}" -certfile "${RAUC_CERT}" -out ${B}/certificates
        openssl pkcs7 -in ${B}/certificates -print_certs -noout > ${B}/names
        if grep -q 'CN *= *DEVELOPMENT' ${B}/names; then
            bbfatal "RELEASE=1, but RAUC_CERT or RAUC_KEYRING holds a development certificate"
        fi
    fi
    install -d ${D}${sysconfdir}/rauc
    sed -e 's|@BOARD@|${H5EDGE_BOARD}|' -e 's|@BOOTLOADER@|${H5EDGE_RAUC_BOOTLOADER}|' \
        ${UNPACKDIR}/system.conf.in > ${D}${sysconfdir}/rauc/system.conf
    install -m 0644 ${RAUC_KEYRING} ${D}${sysconfdir}/rauc/keyring.pem
}
do_install[file-checksums] += "${RAUC_KEYRING}:True ${RAUC_CERT}:True"

FILES:${PN}:append:h5edge-box = " ${sysconfdir}/rauc"

# shellcheck shell=bash
# Sourced by what signs: sets and exports RAUC_KEY, RAUC_CERT and RAUC_KEYRING (files) and VARIANT (dev or release).
#
# Given all three, they are taken, and VARIANT is release if the certificate is not a development one. Given none, a
# development key is made once in target/appliance/keys: whoever has this folder can sign updates for boxes with such an image.
# With RELEASE=1 a development certificate, in the keyring too, is an error. Expects to run in the project's folder.

h5edge_keys() {
    local dir=target/appliance/keys subject=/O=h5edge/CN=DEVELOPMENT
    if [ -z "${RAUC_KEY:-}${RAUC_CERT:-}${RAUC_KEYRING:-}" ]; then
        RAUC_KEY=$PWD/$dir/dev.key.pem RAUC_CERT=$PWD/$dir/dev.cert.pem RAUC_KEYRING=$PWD/$dir/dev.cert.pem
        if [ ! -e "$RAUC_CERT" ]; then
            mkdir -p "$dir"
            (umask 077 && openssl req -x509 -newkey rsa:3072 -nodes -days 7300 -subj "$subject" \
                -keyout "$RAUC_KEY" -out "$RAUC_CERT" 2>/dev/null) || return
            {
                echo "****************************************************************************"
                echo "A DEVELOPMENT KEY for updates was made in $dir."
                echo "Images built with it are marked VARIANT_ID=dev. Do not sell boxes with them."
                echo "****************************************************************************"
            } >&2
        fi
    fi
    local name
    for name in RAUC_KEY RAUC_CERT RAUC_KEYRING; do
        if [ ! -r "${!name:-}" ]; then
            echo "$name: '${!name:-}' cannot be read; give RAUC_KEY, RAUC_CERT and RAUC_KEYRING, or none of them" >&2
            return 1
        fi
    done
    # A keyring may hold several certificates.
    VARIANT=release
    if openssl crl2pkcs7 -nocrl -certfile "$RAUC_KEYRING" -certfile "$RAUC_CERT" |
        openssl pkcs7 -print_certs -noout | grep -q 'CN *= *DEVELOPMENT'; then
        VARIANT=dev
    fi
    if [ "${RELEASE:-}" = 1 ] && [ "$VARIANT" = dev ]; then
        echo "RELEASE=1, but a certificate in RAUC_CERT or RAUC_KEYRING is a development one" >&2
        return 1
    fi
    export RAUC_KEY RAUC_CERT RAUC_KEYRING VARIANT
}

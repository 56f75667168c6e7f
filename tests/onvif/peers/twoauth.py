"""A camera behind HTTP Digest that asks for it in the way that MODE names; standard library only.

    twoauth.py MODE [ADDRESS PORT [HOST PORT]]

User `admin`, password `pass`. Binds a free port of 127.0.0.1, or what is named, and prints the number of
the port; ends when its standard input does. It answers little itself; with a second HOST and PORT it is a
front, and hands on what was asked with the right password. Each request is logged to standard output as `ok` or `no`, with the algorithm and
the quality that the client chose.
"""

import hashlib
import http.client
import http.server
import os
import re
import sys
import threading

HASHES = {
    "MD5": lambda text: hashlib.md5(text).hexdigest(),
    "SHA-256": lambda text: hashlib.sha256(text).hexdigest(),
}
MD5 = 'Digest realm="cam", nonce="NONCE", qop="auth", algorithm=MD5'
SHA256 = 'Digest realm="cam", nonce="NONCE", qop="auth", algorithm=SHA-256'
BASIC = 'Basic realm="cam, the Digest one"'
MODES = {
    "md5": [MD5],
    "sha256": [SHA256],
    "basicfirst": [BASIC, MD5],
    "digestfirst": [MD5, BASIC],
    "sha256first": [SHA256, MD5],
    "md5first": [MD5, SHA256],
    "oneline": [f"{BASIC}, {MD5}"],
    "onelineturned": [f"{MD5}, {BASIC}"],
    "allinone": [f"{BASIC}, {MD5}, {SHA256}"],
    "noqop": ['Digest realm="cam", nonce="NONCE"'],
    "authint": ['Digest realm="cam", nonce="NONCE", qop="auth-int,auth", algorithm=MD5'],
    "onlyauthint": ['Digest realm="cam", nonce="NONCE", qop="auth-int", algorithm=SHA-256'],
    "session": ['Digest realm="cam", nonce="NONCE", qop="auth", algorithm=MD5-sess, opaque="a,b=c"'],
    "unquoted": ["Digest realm=cam,nonce=NONCE,qop=auth,algorithm=md5"],
    "unknown": ['Digest realm="cam", nonce="NONCE", qop="auth", algorithm=SHA-512-256', MD5],
}
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
ENVELOPE = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
    "<s:Body>%s</s:Body></s:Envelope>"
)
FAULT = (
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code>"
    '<s:Reason><s:Text xml:lang="en">not implemented</s:Text></s:Reason></s:Fault>'
)
ANSWERS = {
    "GetDeviceInformation": "<d:Manufacturer>M</d:Manufacturer><d:Model>TwoAuth</d:Model>"
    "<d:FirmwareVersion>1</d:FirmwareVersion><d:SerialNumber>1</d:SerialNumber>"
    "<d:HardwareId>1</d:HardwareId>",
    "GetServices": "",
    "GetCapabilities": '<d:Capabilities xmlns:t="http://www.onvif.org/ver10/schema"><t:Device><t:XAddr>'
    "http://127.0.0.1:%d/onvif/device_service</t:XAddr></t:Device></d:Capabilities>",
}


def expected(fields, method, body):
    """The response that a right password gives, or None for an unknown algorithm."""
    name = fields.get("algorithm", "MD5").upper()
    digest = HASHES.get(name.removesuffix("-SESS"))
    if digest is None:
        return None

    def joined(*parts):
        return digest(":".join(parts).encode())

    secret = joined("admin", "cam", "pass")
    if name.endswith("-SESS"):
        secret = joined(secret, fields["nonce"], fields["cnonce"])
    quality = fields.get("qop")
    asked = [method, fields["uri"]] + ([digest(body)] if quality == "auth-int" else [])
    counted = [fields["nc"], fields["cnonce"], quality] if quality else []
    return joined(secret, fields["nonce"], *counted, joined(*asked))


class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    nonces = set()

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        fields = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', rest)}
        right = False
        if scheme == "Digest":
            # A nonce is good for once.
            fresh = fields.get("nonce") in Camera.nonces
            Camera.nonces.discard(fields.get("nonce"))
            same = fields.get("uri") == self.path and fields.get("username") == "admin"
            right = fresh and same and fields.get("response") == expected(fields, "POST", body)
            print("ok" if right else "no", fields.get("algorithm"), fields.get("qop"), flush=True)
        if right:
            self.answer(body.decode())
        else:
            self.challenge()

    def challenge(self):
        self.send_response(401)
        for line in MODES[sys.argv[1]]:
            nonce = os.urandom(8).hex()
            Camera.nonces.add(nonce)
            self.send_header("WWW-Authenticate", line.replace("NONCE", nonce))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, body):
        if BEHIND:
            return self.hand_on(body)
        found = re.search(r"Body[^>]*>\s*<(?:\w+:)?(\w+)", body)
        name = found.group(1) if found else ""
        inner = ANSWERS.get(name)
        if inner is not None:
            inner = inner.replace("%d", str(self.server.server_port))
            inner = f'<d:{name}Response xmlns:d="{DEVICE}">{inner}</d:{name}Response>'
        self.reply(200, (ENVELOPE % (FAULT if inner is None else inner)).encode())

    def hand_on(self, body):
        behind = http.client.HTTPConnection(*BEHIND, timeout=10)
        kind = {"Content-Type": self.headers.get("Content-Type", "")}
        behind.request("POST", self.path, body.encode(), kind)
        answer = behind.getresponse()
        self.reply(answer.status, answer.read())
        behind.close()

    def reply(self, status, document):
        self.send_response(status)
        self.send_header("Content-Type", "application/soap+xml")
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)


HERE = (sys.argv[2], int(sys.argv[3])) if len(sys.argv) > 3 else ("127.0.0.1", 0)
BEHIND = (sys.argv[4], int(sys.argv[5])) if len(sys.argv) > 5 else None
server = http.server.ThreadingHTTPServer(HERE, Camera)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()

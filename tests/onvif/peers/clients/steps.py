"""What the Python clients share: their arguments, and the report of what they did.

Each script is called with HOST PORT USER PASSWORD OWN, the last being our own address on the network of
the device, and prints one line of JSON: for each step what it found, or {"error": "..."}.
"""

import json
import sys


class Steps:
    def __init__(self):
        self.host, port, self.user, self.password, self.own = sys.argv[1:6]
        self.port = int(port)
        self.found = {}

    def run(self, name, work):
        try:
            self.found[name] = work()
        except Exception as error:  # whatever it is, it is the finding
            self.found[name] = failure(error)

    async def wait(self, name, work):
        try:
            self.found[name] = await work()
        except Exception as error:
            self.found[name] = failure(error)

    def report(self):
        print(json.dumps(self.found))


def failure(error):
    return {"error": f"{type(error).__name__}: {error}"[:300]}

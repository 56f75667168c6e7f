// What the Node clients share; as steps.py says. NODE_PATH leads to what they need.
'use strict';

const [host, port, user, password] = process.argv.slice(2);
const found = {};

/** Runs one step; what it finds, or its error, goes to the report. */
async function step(name, work) {
  try {
    found[name] = await work();
  } catch (error) {
    found[name] = { error: String(error).slice(0, 300) };
  }
}

function report() {
  // Its sockets may still be open.
  process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
}

module.exports = { host, port: Number(port), user, password, step, report };

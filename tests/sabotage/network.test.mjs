// A port is open that nobody declared: by a role that was taken over, or to the outside; the page says so.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import {test} from 'node:test';
import {turnsRed} from '../lib/sabotage.mjs';
import {run, Stack, until} from '../lib/stack.mjs';

const root = process.getuid() === 0;
const OPENS = 'require("net").createServer().listen(0, process.argv[1]).on("listening", () => console.log("open"))';

// A program that listens on that address, as that user, until it is ended.
async function open(address, user) {
  const options = user ? {uid: user} : {};
  const child = spawn(process.execPath, ['-e', OPENS, address], {stdio: ['ignore', 'pipe', 'inherit'], ...options});
  let said = '';
  child.stdout.on('data', data => { said += data; });
  await until(`a port on ${address}`, () => said.includes('open'));
  return () => new Promise(resolve => { child.on('close', resolve); child.kill('SIGKILL'); });
}

const uidOf = async name => Number((await run('id', ['-u', name])).stdout);

// What this machine has open besides, as its operator would declare it.
function openAlready() {
  const ports = new Set();
  for (const protocol of ['tcp', 'udp']) {
    for (const file of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].filter(name => fs.existsSync(name))) {
      for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(1).map(text => text.trim().split(/\s+/))) {
        const listens = protocol === 'tcp' ? line[3] === '0A' : line[3] === '07';
        if (listens) ports.add(`${protocol} ${parseInt(line[1].split(':')[1], 16)}`);
      }
    }
  }
  return [...ports].slice(0, 60);
}

const config = address => port => `host: localhost\ngate:\n  listen: ${port}\n  address: "${address}"\nnetwork:\n` +
  `  declared_ports: [${openAlready().map(one => `"${one} the tests: open before"`)}]\n`;

for (const {what, gate, at, user} of [
  {what: 'opened by a role, even for this machine alone', gate: '127.0.0.1', at: '127.0.0.1', user: 'rempart-core'},
  {what: 'opened to the outside by anybody', gate: '0.0.0.0', at: '0.0.0.0'},
]) {
  /*= S37 type=test */
  test(`an undeclared port, ${what}, turns S37 red`, {skip: !root && 'only as root have the roles users of their own'}, async () => {
    const stack = await Stack.start({app: null, config: config(gate)});
    let close;
    try {
      await turnsRed(stack, {
        promise: 'firewalls', probe: 'network.open_ports',
        sabotage: async () => { close = await open(at, user && await uidOf(user)); },
        mend: () => close(),
      });
    } finally {
      await stack.stop();
    }
  });
}

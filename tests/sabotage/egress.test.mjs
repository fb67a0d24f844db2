// The one door out is exchanged for one that lets anybody out anywhere, and a role's program for one that sends something by
// itself and says that it could not: S71's part turns red, and green once the good ones are back.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = process.getuid() === 0;
const skip = !root && 'only as root is every role fenced by address, so that the part is not met';
// An installation of its own: programs that others run are left alone.
const built = path.resolve(process.env.REMPART_BIN || fileURLToPath(new URL('../../build/bin', import.meta.url)));
const folder = fs.mkdtempSync(path.join(path.dirname(built), 'bin-egress-')); // beside it, where pages and promises are found
for (const name of fs.readdirSync(built)) fs.copyFileSync(path.join(built, name), path.join(folder, name));
fs.chmodSync(folder, 0o755);
process.env.REMPART_BIN = folder;
const {crash, turnsRed} = await import('../lib/sabotage.mjs');
const {Stack, freePort, until} = await import('../lib/stack.mjs');

// Says what the supervisor waits for, and connects whoever asks to wherever they like, in no walls.
const OPEN_DOOR = `#!${process.execPath}
const fs = require('node:fs');
const net = require('node:net');
fs.rmSync('run/dial.sock', {force: true});
net.createServer(near => {
  near.on('error', () => {});
  near.once('data', () => {
    near.write(Buffer.from([5, 0]));
    near.once('data', asked => {
      const far = net.connect(asked.readUInt16BE(asked.length - 2), '127.0.0.1', () => {
        near.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        near.pipe(far).pipe(near);
      });
      far.on('error', () => near.destroy());
    });
  });
}).listen('run/dial.sock', () => {
  fs.chmodSync('run/dial.sock', 0o777);
  fs.writeSync(3, 'ready\\n{"landlock_abi":3,"network_fenced":false,"own_user":true,"seccomp":true}\\n');
  fs.closeSync(3);
});
`;

// Only as a canary is it started anew.
const TALKATIVE = `#!${process.execPath}
const net = require('node:net');
const [port, , , , token] = process.argv[process.argv.indexOf('--canary') + 1].split(',');
const socket = net.connect(Number(port), '127.0.0.1', () => socket.end(Buffer.from(token, 'hex'), () => process.exit(0)));
`;

let stack;
before(async () => {
  if (!root) return;
  const mail = await freePort();
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\nsmtp:\n  url: smtp://127.0.0.1:${mail}\n`});
});
after(async () => {
  await stack?.stop();
  fs.rmSync(folder, {recursive: true, force: true});
});

const exchange = (name, text) => {
  const program = path.join(folder, name);
  fs.renameSync(program, `${program}.good`);
  fs.writeFileSync(program, text, {mode: 0o755});
};
const back = name => fs.renameSync(path.join(folder, `${name}.good`), path.join(folder, name));

/*= S71 type=test */
test('a door that lets anybody out anywhere turns S71’s part red', {skip}, async () => {
  await turnsRed(stack, {
    promise: 'no-sharing', probe: 'tenant.egress_blocked',
    sabotage: async () => {
      exchange('rempart-dial', OPEN_DOOR);
      await crash(stack, 'dial');
    },
    mend: async () => {
      back('rempart-dial');
      fs.rmSync(stack.file('run/dial.sock')); // root's, and in run/ only an owner removes
      await crash(stack, 'dial');
    },
  });
});

test('what dial refused is on record, by role and place', {skip}, async () => {
  const refused = await until('the event', async () => {
    const {stdout} = await stack.rempart('ledger', 'tail', 'operator', '-n', '300', '--json');
    return stdout.split('\n').filter(line => line.includes('"dial.refused"')).map(line => JSON.parse(line).entry.unmapped)[0];
  });
  assert.match(refused.role, /^(courier|acme|a role|a stranger)$/);
  assert.equal(refused.host, '127.0.0.1'); // the canary's, S71
  assert.ok(refused.port > 0 && refused.times >= 1);
});

/*= S71 type=test */
test('what arrives counts, whatever the one who sent it says', {skip}, async () => {
  await turnsRed(stack, {
    promise: 'no-sharing', probe: 'tenant.egress_blocked',
    sabotage: async () => exchange('rempart-hunt', TALKATIVE),
    mend: async () => back('rempart-hunt'),
  });
});

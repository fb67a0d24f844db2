// suite.mjs SECONDS [SEED] — the whole suite under kill -9 and stopped roles, while two organisations write.
//
// Round after round, at a moment drawn from the seed: one role is killed, or stands still for a while, or all of them
// are killed at once as by a power switch and start again. In the end each acknowledged note must stand once, nobody
// may read another's, and the log must verify. Loopback only; ends what it started.
import assert from 'node:assert/strict';
import {sleep, Stack, until} from '../lib/stack.mjs';
import {Writer} from '../lib/writer.mjs';

const seconds = Number(process.argv[2] ?? 60);
let state = Number(process.argv[3] ?? Math.floor(Date.now() / 1000)) >>> 0;
if (!(seconds > 0) || !Number.isFinite(state)) {
  console.error('usage: node tests/torture/suite.mjs SECONDS [SEED]');
  process.exit(2);
}
console.log(`suite torture: seed ${state}, ${seconds} s`);
const chance = below => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % below;
};
const ROLES = ['core', 'kms', 'ledger', 'gate', 'probe', 'hunt', 'courier'];

const stack = await Stack.start();
const counts = {};
let writers = [];
const allReady = () => until('every role', async () =>
  (await stack.status()).roles.every(role => ['ready', 'idle'].includes(role.state)), {seconds: 60});
const writing = async () => {
  const before = writers.map(({kept}) => kept.length);
  await until('both write again', () => writers.every(({kept}, i) => kept.length > before[i]), {seconds: 60});
};

const acts = {
  'kill -9 of one role': async () => process.kill(await stack.pid(ROLES[chance(ROLES.length)]), 'SIGKILL'),
  'kill -9 of two roles': async () => {
    for (const pid of new Set([await stack.pid(ROLES[chance(3)]), await stack.pid(ROLES[chance(ROLES.length)])])) process.kill(pid, 'SIGKILL');
  },
  'one role stands still': async () => {
    const pid = await stack.pid(ROLES[chance(4)]);
    process.kill(pid, 'SIGSTOP');
    await sleep(200 + chance(1500));
    process.kill(pid, 'SIGCONT');
  },
  'kill -9 of everything': async () => {
    stack.kill(); // the supervisor; each role ends with its parent
    await stack.ended;
    stack.exitCode = undefined;
    await stack.up();
  },
};

let failed;
try {
  const first = await stack.firstAdministrator();
  const tenant = (await stack.rempart('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
  const invited = await stack.rempart('person', 'invite', 'lea@example.com', '--tenant', tenant);
  writers = [new Writer(first, 'Main'), new Writer(await stack.enrol(invited.stdout.trim()), 'Martin')];
  for (const writer of writers) writer.done = writer.run();
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await writing();
    await sleep(chance(1200));
    const names = Object.keys(acts), name = names[chance(names.length)];
    counts[name] = (counts[name] ?? 0) + 1;
    await acts[name]();
    await allReady();
  }
  await writing();
  for (const writer of writers) writer.running = false;
  await Promise.all(writers.map(({done}) => done));
  for (const writer of writers) {
    const all = await writer.all();
    for (const text of writer.kept) assert.equal(all.filter(one => one === text).length, 1, text);
    assert.deepEqual(all.filter(text => !text.startsWith(writer.name)), []);
  }
  const verified = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
} catch (error) {
  failed = error;
} finally {
  for (const writer of writers) writer.running = false;
  await Promise.all(writers.map(({done}) => done));
  await stack.stop();
}
const what = Object.entries(counts).map(([name, n]) => `${n} × ${name}`).join(', ');
if (failed) {
  console.log(`not ok - suite: ${what}: ${failed.stack}\n${stack.output.split('\n').slice(-20).join('\n')}`);
  process.exit(1);
}
console.log(`ok - suite: ${what}; ${writers.map(({kept}) => kept.length).join(' and ')} acknowledged notes stand, the log verifies`);

// The supervisor itself: a new configuration without a stop, and an end that leaves nobody behind.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {Stack, until, run} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: 'none'}); });
after(() => stack?.stop());

const supervisor = async () => (await stack.status()).pid;
const reload = async change => {
  const text = fs.readFileSync(stack.file('rempart.yaml'), 'utf8');
  fs.writeFileSync(stack.file('rempart.yaml'), change(text));
  process.kill(await supervisor(), 'SIGHUP');
  return text;
};

// Every process of this user whose working directory is the state folder: the roles, and nginx.
function ours() {
  const state = fs.realpathSync(stack.state);
  return fs.readdirSync('/proc').filter(name => /^[0-9]+$/.test(name)).filter(pid => {
    try { return fs.readlinkSync(`/proc/${pid}/cwd`) === state; } catch { return false; }
  });
}

test('a bad configuration at reload is refused in words, and an event; all stays as it was', async () => {
  const gate = await stack.pid('gate'), core = await stack.pid('core');
  const text = await reload(text => `${text}hots: nowhere\n`);
  await until('the refusal', () => /unknown key "hots".*did you mean "host"/.test(stack.output));
  await until('the event', async () =>
    (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout.includes('config.refused'));
  assert.equal(await stack.pid('gate'), gate);
  assert.equal(await stack.pid('core'), core);
  fs.writeFileSync(stack.file('rempart.yaml'), text);
});

test('a good one is taken over: core begins anew, nginx only reads', async () => {
  const gate = await stack.pid('gate'), core = await stack.pid('core');
  await reload(text => `${text}page:\n  operator: Boulangerie Martin\n`);
  await until('the new name on the page', async () =>
    (await stack.client().get('/trust.json')).json().operator === 'Boulangerie Martin', {seconds: 20});
  assert.equal(await stack.pid('gate'), gate, 'nginx keeps its process');
  assert.notEqual(await stack.pid('core'), core);
});

/*= S105 type=test */
test('the probe speaks to this machine alone', {skip: process.getuid() !== 0 && 'without root there is no fence'}, async t => {
  const probe = await until('the probe', async () => {
    const one = (await stack.status()).roles.find(({name}) => name === 'probe');
    return one.state === 'ready' && one;
  });
  if (!probe.isolation.network_fenced) { t.skip('this kernel gives no fence'); return; }
  const script = `const socket = require('node:dgram').createSocket('udp4');
    socket.send('x', 9, process.argv[1], error => { console.log(error?.code ?? 'sent'); socket.close(); });`;
  const send = async address => (await run('setpriv', ['--reuid', 'rempart-probe', '--regid', 'rempart', '--clear-groups',
    process.execPath, '-e', script, address])).stdout.trim();
  assert.match(await send('203.0.113.9'), /EPERM|ENETUNREACH/);
  assert.equal(await send('127.0.0.1'), 'sent');
});

test('a supervisor that is killed takes every process with it, nginx\'s workers too', async () => {
  assert.ok(ours().length >= 8, `roles, master, worker and supervisor; found ${ours().length}`);
  process.kill(await supervisor(), 'SIGKILL');
  await until('nobody left', () => ours().length === 0, {seconds: 10});
  await stack.ended;
  await stack.down();
  await stack.up();
  assert.equal((await stack.client().get('/trust')).status, 200);
});

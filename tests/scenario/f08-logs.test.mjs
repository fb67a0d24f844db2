// The log: JSON that a collector reads, in a file that logrotate takes away while the roles go on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import {after, before, test} from 'node:test';
import path from 'node:path';
import {Stack, bin, root, run, until} from '../lib/stack.mjs';

let stack;
const file = (...more) => stack.file('rempart.log') + more.join('');
const objects = text => text.split('\n').slice(0, -1);
const lines = name => objects(fs.readFileSync(name, 'utf8'));
const config = state => port => `host: localhost\ngate:\n  listen: ${port}\nlog:\n  format: json\n  file: ${state}/rempart.log\n` +
  'apps:\n  - name: gone\n    upstream: http://127.0.0.1:9\n    sign_in: none\n'; // nobody listens there

before(async () => {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-'));
  stack = await Stack.start({app: null, state, config: config(state)});
});
after(() => stack?.stop());

// The gate has a line or two for each request that finds no application.
const ask = number => stack.client().get(`/?number=n${number}n`);
const count = (name, number) => lines(name).filter(line => line.includes(`n${number}n`)).length;

test('every line of every role is an object of the same members, and the terminal has "ready" alone', async () => {
  await ask(0);
  await until('the gate\'s line', () => lines(file()).some(line => JSON.parse(line).role === 'gate'));
  const all = lines(file()).map(line => JSON.parse(line));
  for (const line of all) {
    assert.deepEqual(Object.keys(line), ['level', 'message', 'pid', 'role', 'time']);
    assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Number.isInteger(line.pid) && line.pid > 1);
  }
  const roles = new Set(all.map(({role}) => role));
  for (const role of ['supervisor', 'kms', 'core', 'gate']) assert.ok(roles.has(role), `${role} of ${[...roles]}`);
  assert.ok(all.some(({role, message}) => role === 'supervisor' && /^core +ready/.test(message)));
  assert.equal(stack.output, 'ready\n');
  // A link that makes its reader the administrator is in no log that others collect.
  assert.ok(all.some(({message}) => /first administrator: the link is in run\/first-admin-link/.test(message)));
  assert.doesNotMatch(fs.readFileSync(file(), 'utf8'), /token=/);
});

test('logrotate takes the file away under load: no line is lost, none stands twice', async () => {
  const rules = path.join(stack.state, 'rotate.conf');
  fs.writeFileSync(rules, fs.readFileSync(path.join(root, 'conf/logrotate/rempart'), 'utf8')
    .replaceAll('/var/log/rempart/rempart.log', file()).replaceAll('/var/lib/rempart', stack.state)
    .replaceAll('/usr/bin/rempart', path.join(bin, 'rempart')).replace('root adm', ''));
  fs.chmodSync(rules, 0o644);
  const core = await stack.pid('core');
  let sent = 0, over = false;
  const visitor = (async () => { while (!over) await ask(1_000_000 + sent++); })();
  for (let turn = 1; turn <= 2; turn++) {
    const before = sent;
    await until('some lines', () => sent > before + 5);
    const rotated = await run('/usr/sbin/logrotate', ['-f', '-s', `${stack.state}/rotate.state`, rules]);
    assert.equal(rotated.code, 0, rotated.stderr);
    await until('a line in the new file', () => count(file(), 1_000_000 + sent - 2));
  }
  over = true;
  await visitor;
  await until('the last line', () => count(file(), 1_000_000 + sent - 1));
  const whole = `${(await run('gzip', ['-dc', file('.2.gz')])).stdout}${fs.readFileSync(file('.1'), 'utf8')}${fs.readFileSync(file(), 'utf8')}`;
  const all = objects(whole).map(line => JSON.parse(line).message), about = all.filter(message => /n1\d{6}n/.test(message));
  for (let i = 0; i < sent; i++) assert.ok(about.some(message => message.includes(`n${1_000_000 + i}n`)), `line ${i} of ${sent}`);
  assert.equal(new Set(about).size, about.length, 'each names its connection');
  assert.equal(await stack.pid('core'), core, 'nothing changed for core');
});

test('a file that cannot be opened: at a reload the old one stays, at a start it is a refusal', async () => {
  const yaml = stack.file('rempart.yaml'), good = fs.readFileSync(yaml, 'utf8');
  fs.writeFileSync(yaml, good.replace('rempart.log', 'nowhere/rempart.log'));
  assert.equal((await stack.rempart('reload')).code, 0);
  await until('the complaint', () => lines(file()).some(line => /log\.file: .*nowhere/.test(line)));
  fs.writeFileSync(yaml, good.replace('json', 'text'));
  assert.match((await stack.rempart('reload')).stdout, /^log\.format: changes at the next start only$/m);
  await stack.down();
  fs.writeFileSync(yaml, good.replace('rempart.log', 'nowhere/rempart.log'));
  await stack.up({expectReady: false});
  assert.equal(await stack.ended, 2);
  assert.match(stack.output, /log\.file: .*nowhere\/rempart\.log/);
  stack.exitCode = undefined;
  fs.writeFileSync(yaml, good);
  await stack.up();
});

test('a start that ends later, when the lines go to the file already, names that file where it was asked for', async () => {
  await stack.down();
  const folder = stack.file('ledger/journal'), journal = path.join(folder, fs.readdirSync(folder).filter(name => name.endsWith('.log')).sort()[0]);
  const whole = fs.readFileSync(journal), altered = Buffer.from(whole);
  altered[40] ^= 1;
  fs.writeFileSync(journal, altered);
  await stack.up({expectReady: false});
  assert.equal(await stack.ended, 2);
  assert.ok(stack.output.endsWith(`the reason is in ${file()}\n`), stack.output);
  assert.match(lines(file()).join('\n'), /data altered: ledger\/journal/);
  stack.exitCode = undefined;
  fs.writeFileSync(journal, whole);
  await stack.up();
});

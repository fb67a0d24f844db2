// A new configuration: by `rempart reload`, without cutting anybody; refused, with line and column and on
// record, also when it was a start that was refused; and what takes a restart is named.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {canaryPerson} from '../lib/canary.mjs';
import {askCore} from '../lib/core.mjs';
import {sql, tenantFile} from '../lib/sabotage.mjs';
import {Stack, bin, run, sleep, until} from '../lib/stack.mjs';
import {Writer} from '../lib/writer.mjs';

let stack, good, person, canary;
const config = () => stack.file('rempart.yaml');
const events = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;

before(async () => {
  stack = await Stack.start();
  person = await stack.firstAdministrator();
  canary = await canaryPerson(stack, 0); // now: probes that begin anew use the same codes
  good = fs.readFileSync(config(), 'utf8');
});
after(() => stack?.stop());

// Reads without a pause while the configuration changes; the statuses that were seen.
async function whileReading(change) {
  const statuses = [];
  let running = true;
  const reader = (async () => {
    while (running) {
      statuses.push((await person.get('/', {timeout: 8000})).status);
      await sleep(20);
    }
  })();
  try { await change(); } finally { running = false; }
  await reader;
  return {count: statuses.length, kinds: [...new Set(statuses)]};
}
async function reloaded(text) {
  fs.writeFileSync(config(), text);
  const {code, stdout, stderr} = await stack.rempart('reload');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /rempart\.yaml: read again and applied\n$/);
}

test('what concerns the gate alone is taken over while somebody reads: no answer is missing', async () => {
  const gate = await stack.pid('gate'), core = await stack.pid('core');
  const {count, kinds} = await whileReading(async () => {
    await reloaded(good.replace('gate:\n', 'gate:\n  body_max_kib: 64\n'));
    await until('the smaller limit', async () => (await person.post('/', {text: 'x'.repeat(100_000)}, {follow: false})).status === 413);
  });
  assert.deepEqual(kinds, [200], `${count} answers`);
  assert.deepEqual([await stack.pid('gate'), await stack.pid('core')], [gate, core]);
});

// Asks without a pause until `over`; each answer but 200, and each that did not come.
async function asking(ask, over, count = 0) {
  const bad = [];
  while (!over.over) {
    const status = await ask().then(answer => answer.status, error => error.message);
    count++;
    if (status !== 200) bad.push(status);
    await sleep(5);
  }
  return {bad, count};
}

test('what core reads makes core begin anew, five times while people read and write: every answer is a 200', async () => {
  const over = {over: false}, writer = new Writer(person, 'Main'), cores = new Set([await stack.pid('core')]);
  const write = async () => {
    const before = writer.kept.length;
    await writer.write();
    return {status: writer.kept.length === before + 1 ? 200 : 'a note that was not taken'};
  };
  const people = [
    asking(() => stack.client().get('/trust.json', {timeout: 20_000}), over), // core alone answers
    asking(() => person.get('/', {timeout: 20_000}), over),                    // a session and an assertion
    asking(write, over),
  ];
  for (let i = 1; i <= 5; i++) {
    await reloaded(`${good}page:\n  operator: Boulangerie Martin ${i}\n`);
    await until('the new name', async () => (await stack.client().get('/trust.json')).json().operator === `Boulangerie Martin ${i}`);
    cores.add(await stack.pid('core'));
  }
  over.over = true;
  for (const {bad, count} of await Promise.all(people)) assert.deepEqual(bad, [], `of ${count}`);
  assert.equal(cores.size, 6, 'each reload had a core of its own');
  const all = await writer.all();
  for (const text of writer.kept) assert.equal(all.filter(one => one === text).length, 1, text);
  assert.ok(writer.kept.length >= 5, `${writer.kept.length} notes`);
});

// What passes through core in pieces may take longer than any reload.
test('an upload that is on its way goes on in the old core, while people sign in at the new one', async () => {
  const core = await stack.pid('core'), {api} = canary;
  const bytes = crypto.randomBytes(900_000);
  let body;
  const sent = api('POST', 'files/docs?name=x', request => { body = request; request.write(bytes.subarray(0, 600_000)); },
    {'content-length': bytes.length});
  await sleep(100); // its beginning has reached core, or is on its way there: either must do
  await reloaded(`${good}page:\n  operator: Boulangerie Martin\n`);
  assert.notEqual(await stack.pid('core'), core);
  assert.ok(fs.existsSync(`/proc/${core}`), 'the old one waits for the rest');
  const again = stack.client();
  Object.assign(again, {email: person.email, password: person.password, seed: person.seed, lastStep: person.lastStep});
  await again.signIn();
  assert.equal((await again.get('/')).status, 200);
  body.end(bytes.subarray(600_000));
  const made = await sent;
  assert.equal(made.status, 201, String(made.bytes));
  assert.ok((await api('GET', `files/docs/${made.json.id}`)).bytes.equals(bytes));
  await until('the old one is gone', () => !fs.existsSync(`/proc/${core}`));
});

test('a backup that is being made keeps the outboxes through a reload', async () => {
  const {api} = canary, {people} = JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8'));
  const waiting = async () => Number(await sql(tenantFile(stack, people[0].tenant), 'SELECT count(*) FROM outbox'));
  const backup = step => askCore(stack, 'POST', `backup/${step}`, {});
  await until('the outboxes are kept', async () => (await backup('hold')).held);
  assert.equal((await api('POST', 'spaces/held', {held: true})).status, 201);
  assert.ok(await waiting() > 0);
  await reloaded(`${good}page:\n  operator: While a backup runs\n`);
  for (let i = 0; i < 15; i++, await sleep(100)) assert.ok(await waiting() > 0, 'what a backup is to copy is still there');
  await backup('end');
  await until('the outbox is emptied', async () => await waiting() === 0);
  await reloaded(`${good}page:\n  operator: Boulangerie Martin\n`);
});

test('a bad one is refused with line and column, goes on record, and changes nothing', async () => {
  fs.writeFileSync(config(), `${good}page:\n  operator: Someone Else\nhots: nowhere\n`);
  const {code, stderr} = await stack.rempart('reload');
  assert.equal(code, 2);
  const line = good.split('\n').length + 2;
  assert.match(stderr, new RegExp(`line ${line}, column 1.*unknown key "hots"`));
  assert.match(stderr, /the running configuration stays/);
  await until('the event', async () => new RegExp(`"config.refused".*"line":${line}|"line":${line}.*config.refused`).test(await events()));
  assert.equal((await stack.client().get('/trust.json')).json().operator, 'Boulangerie Martin');
  const json = await stack.rempart('reload', '--json');
  assert.equal(json.code, 2);
  assert.deepEqual([JSON.parse(json.stdout).result, JSON.parse(json.stdout).line], ['refused', line]);
});

// The file parses; what it names is no list of leaked passwords, and core would refuse its start.
test('one with which core would not start is refused before core leaves, and core starts again with the one in force', async () => {
  fs.writeFileSync(stack.file('leaked.txt'), 'no hash at all\n');
  fs.writeFileSync(config(), `${good}sign_in:\n  breached_list: ${stack.file('leaked.txt')}\n`);
  const core = await stack.pid('core'), since = (await events()).length;
  const {count, kinds} = await whileReading(async () => {
    const {code, stderr} = await stack.rempart('reload');
    assert.equal(code, 2);
    assert.match(stderr, /core would not start with it: sign_in\.breached_list: .*byte 0/);
  });
  assert.deepEqual(kinds, [200], `${count} answers`);
  assert.equal(await stack.pid('core'), core);
  await until('the event', async () => /config\.refused.*core would not start/.test((await events()).slice(since)));
  process.kill(core, 'SIGKILL'); // the operator's file still is the bad one
  await until('another core', async () => await stack.pid('core') !== core && (await stack.client().get('/trust.json')).status === 200);
  await reloaded(good);
});

test('another database is refused, in both languages: what the old one holds would not be in it', async () => {
  const other = `store: "postgresql://rempart@/rempart?host=${stack.state}"\n`;
  fs.writeFileSync(config(), other + good.replace(/^store: .*\n/m, ''));
  const core = await stack.pid('core');
  const english = await stack.rempart('reload');
  assert.deepEqual([english.code, /store: another database takes a stop, a copy/.test(english.stderr)], [2, true], english.stderr);
  const french = await run(path.join(bin, 'rempart'), ['reload'], {env: {...process.env, LANG: 'fr_FR.UTF-8', REMPART_STATE: stack.state}});
  assert.match(french.stderr, /store\u00a0: changer de base de données demande un arrêt, une copie/);
  assert.equal(await stack.pid('core'), core);
  const {stdout} = await stack.rempart('check', '--config', config());
  assert.match(stdout, /^warning: store: .*\/\.s\.PGSQL\.5432: not found$/m);
  await reloaded(good);
});

test('what takes a restart is named, until it is restarted', async () => {
  fs.writeFileSync(config(), `${good}ledger:\n  disk_free_percent: 3\n`);
  for (let i = 0; i < 2; i++) {
    const {code, stdout} = await stack.rempart('reload');
    assert.equal(code, 0);
    assert.match(stdout, /^ledger\.disk_free_percent: changes at the next start only$/m);
  }
  fs.writeFileSync(config(), good);
  assert.doesNotMatch((await stack.rempart('reload')).stdout, /next start only/);
});

test('a start that was refused is on record after the next one that was not', async () => {
  await stack.down();
  fs.writeFileSync(config(), `${good}sign_in:\n  idle_minutes: never\n`);
  await stack.up({expectReady: false});
  assert.equal(await stack.ended, 2);
  assert.match(stack.log, /idle_minutes/);
  stack.exitCode = undefined;
  fs.writeFileSync(config(), good);
  await stack.up();
  await until('the event', async () => /config\.refused/.test(await events()) && /idle_minutes/.test(await events()));
  assert.ok(!fs.existsSync(stack.file('config.refused')));
  await stack.down();
  const other = net.createServer().listen(stack.port, '127.0.0.1');
  await new Promise(resolve => other.once('listening', resolve));
  await stack.up({expectReady: false});
  assert.equal(await stack.ended, 2);
  assert.match(stack.log, /is busy: another program listens there\. Stop it, or set gate\.listen in /);
  await new Promise(resolve => other.close(resolve));
  stack.exitCode = undefined;
  await stack.up();
  await until('the event of the port', async () => /config\.refused.*is busy/.test(await events()));
  const before = (await events()).split('idle_minutes').length;
  await stack.down();
  await stack.up();
  await sleep(1000);
  assert.ok((await events()).split('idle_minutes').length <= before, 'told once');
});

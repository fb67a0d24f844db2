// One encrypted copy of everything, made while people write; the machine is wrecked; everything is
// there again. And what must not go unnoticed: an altered byte, a wrong key, a newer state.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, bin, run, until} from '../lib/stack.mjs';
import {Writer} from '../lib/writer.mjs';

let stack, folder, file, sheet, writers, kept, fileId;
const plan = crypto.randomBytes(300_000);

const backup = (args, options) => run(path.join(bin, 'rempart'), ['backup', ...args], {env: {...stack.env, LANG: 'C.UTF-8'}, ...options});
const entries = tree => fs.readdirSync(stack.file('ledger', tree, 'tile/entries'), {recursive: true, withFileTypes: true})
  .filter(one => one.isFile()).map(one => fs.readFileSync(path.join(one.path, one.name), 'latin1')).join('');

// The canary's application and person keep a file: what a tenant's .files folder holds comes along.
async function canaryApi(method, target, body) {
  const {app_token: token, people} = JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8'));
  const {email, password, seed} = people[0];
  const client = stack.client();
  // A code counts once, and the probe signs the same person in: then the next one is tried.
  const assertion = await until('the canary signed in', async () => {
    await client.signIn({email, password, seed});
    return (await client.get('/.rempart/canary/', {headers: {accept: 'application/json'}})).json().assertion;
  }, {seconds: 100, every: 1000});
  return client.request(method, `/.rempart/api/v1/${target}`, {body, headers: {accept: 'application/json', authorization: `Bearer ${token}`,
    'rempart-assertion': assertion, ...(body && {'content-type': 'application/octet-stream', 'content-length': body.length})}});
}

async function restored(...args) {
  await stack.down();
  return backup(['restore', file, '--state', stack.state, ...args], {input: `${sheet}\n`});
}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-backups-'));
  stack = await Stack.start();
  const first = await stack.firstAdministrator();
  const tenant = (await stack.rempart('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
  const invited = await stack.rempart('person', 'invite', 'lea@example.com', '--tenant', tenant, '--role', 'admin');
  const made = await canaryApi('POST', 'files/plans?name=plan.pdf&label=personal', plan);
  assert.equal(made.status, 201, made.text);
  fileId = made.json().id;
  writers = [new Writer(first, 'Main'), new Writer(await stack.enrol(invited.stdout.trim()), 'Martin')];
  for (const writer of writers) writer.done = writer.run();
  await until('both writing', () => writers.every(({kept: all}) => all.length >= 3));
});
after(async () => {
  for (const writer of writers ?? []) writer.running = false;
  await Promise.all((writers ?? []).map(({done}) => done));
  await stack?.stop();
  const parent = path.dirname(stack.state);
  for (const name of fs.readdirSync(parent)) {
    if (name.startsWith(`${path.basename(stack.state)}.`)) fs.rmSync(path.join(parent, name), {recursive: true});
  }
  fs.rmSync(folder, {recursive: true, force: true});
});

test('a backup that nothing would open elsewhere is refused, and leaves no file', async () => {
  const refused = await stack.rempart('backup', 'run', folder);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /rempart keys recovery/);
  assert.deepEqual(fs.readdirSync(folder), []);
  await until('backup.failed', () => entries('operator').includes('backup.failed'));
  const printed = await stack.rempart('keys', 'recovery');
  sheet = /^ {2}([A-Z2-7-]{44})$/m.exec(printed.stdout)[1];
});

/*= S130 type=test */
test('a backup is made while people write, and nobody waits for it', async () => {
  for (const writer of writers) Object.assign(writer, {longestGap: 0, lastGood: Date.now()});
  kept = writers.map(({kept: all}) => all.length); // all of these must be in it
  const done = await stack.rempart('backup', 'run', folder, '--json');
  assert.equal(done.code, 0, done.stderr);
  const said = JSON.parse(done.stdout);
  file = said.file;
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(fs.statSync(file).size, said.bytes);
  const since = writers.map(({kept: all}) => all.length);
  await until('both writing on', () => writers.every(({kept: all}, i) => all.length >= since[i] + 5));
  const gap = Math.max(...writers.map(({longestGap}) => longestGap));
  console.log(`# ${said.databases} databases, ${said.bytes} bytes in ${said.duration_ms} ms; nobody waited longer than ${gap} ms`);
  assert.ok(gap < 2000);
  await until('backup.made', () => entries('operator').includes('backup.made'));
  const raw = fs.readFileSync(file, 'latin1');
  for (const secret of ['writes 1.', 'lea@example.com', 'record.created', 'sqlite']) assert.ok(!raw.toLowerCase().includes(secret.toLowerCase()), secret);
});

/*= S131 type=test */
test('opened, it is a tar.gz that tar reads', async () => {
  const {code, stdout, stderr} = await run('sh', ['-c', '"$0" backup open "$1" --state "$2" | tar -tz', path.join(bin, 'rempart'), file, stack.state]);
  assert.equal(code, 0, stderr);
  for (const name of ['ledger/operator/checkpoint', 'db/system.db', 'kms/keyring', 'rempart.yaml']) assert.match(stdout, new RegExp(`^${name}$`, 'm'));
  assert.ok(!/\.db-(wal|shm)/.test(stdout));
  assert.equal(stdout.trimEnd().split('\n').at(-1), 'backup.json');
});

/*= S138 type=test */
test('list and verify read it; a byte altered, missing, moved or added is named', async () => {
  assert.match((await stack.rempart('backup', 'list', folder)).stdout, /recovery sheet/);
  assert.equal((await stack.rempart('backup', 'verify', folder)).code, 0);
  const good = fs.readFileSync(file);
  const bad = path.join(folder, 'bad.backup');
  const headLength = 21 + good.readUInt32BE(17);
  const alter = at => { const copy = Buffer.from(good); copy[at] ^= 1; return copy; };
  for (const [what, bytes] of [
    ['magic', alter(3)], ['head', alter(40)], ['wrapped key', alter(headLength - 20)], ['length', alter(headLength)],
    ['last', alter(headLength + 4)], ['chunk', alter(headLength + 5000)], ['end', alter(good.length - 1)],
    ['cut', good.subarray(0, good.length - 1)], ['half', good.subarray(0, good.length >> 1)],
    ['no chunks', good.subarray(0, headLength)], ['added', Buffer.concat([good, Buffer.from('x')])],
  ]) {
    fs.writeFileSync(bad, bytes);
    const {code, stderr} = await stack.rempart('backup', 'verify', bad);
    assert.notEqual(code, 0, what);
    assert.match(stderr, /bad\.backup|key/, what);
  }
  fs.rmSync(bad);
});

test('over a running installation nothing is restored, nor with a wrong code', async () => {
  const running = await backup(['restore', file, '--state', stack.state], {input: `${sheet}\n`});
  assert.notEqual(running.code, 0);
  assert.match(running.stderr, /stop it first/);
  const wrong = await backup(['restore', file, '--state', path.join(folder, 'elsewhere')], {input: 'a passphrase that is wrong\n'});
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /neither the code of the recovery sheet .* nor the passphrase/);
  assert.deepEqual(fs.readdirSync(folder).filter(name => !name.endsWith('.tenants')), [path.basename(file)]);
});

/*= S133 type=test */
test('the machine is wrecked: databases, log and keys gone; the sheet brings all of it back', async () => {
  for (const writer of writers) writer.running = false;
  await Promise.all(writers.map(({done}) => done));
  await stack.down();
  for (const name of ['db', 'tenants', 'kms', 'ledger', 'gate']) fs.rmSync(stack.file(name), {recursive: true});
  const done = await restored();
  assert.equal(done.code, 0, done.stderr);
  assert.ok(!fs.existsSync(stack.file('backup.json')));
  const verified = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  await stack.up();
  await stack.startNotes();
  for (const [i, writer] of writers.entries()) {
    await writer.person.signIn();
    const all = await writer.all();
    for (const text of writer.kept.slice(0, kept[i])) assert.ok(all.includes(text), text);
    assert.equal(new Set(all).size, all.length);
    await writer.write();
    assert.ok((await writer.all()).includes(`${writer.name} writes ${writer.number}.`));
  }
  assert.ok((await canaryApi('GET', `files/plans/${fileId}`)).body.equals(plan), 'the file comes back byte for byte');
  await until('backup.restored', () => entries('operator').includes('backup.restored'));
  await until('the log goes on', async () => (await stack.rempart('verify', stack.file('ledger'))).code === 0);
  assert.ok(!entries('operator').includes('stream.diverged'));
  assert.match(stack.log, /^ready$/m);
});

test('over a newer state it is refused, with what to do', async () => {
  const refused = await restored();
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /newer.*--keep-ledger.*--force-older/);
  assert.ok(!fs.existsSync(`${stack.state}.restoring`));
});

test('older databases beside the newer log: refused by the log until somebody says rebase', async () => {
  const sizeBefore = fs.readFileSync(stack.file('ledger/operator/checkpoint'), 'utf8').split('\n')[1];
  const done = await restored('--keep-ledger');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /rempart ledger rebase/);
  await stack.up();
  await stack.startNotes();
  assert.ok(Number(fs.readFileSync(stack.file('ledger/operator/checkpoint'), 'utf8').split('\n')[1]) >= Number(sizeBefore));
  await until('stream.diverged', () => entries('operator').includes('stream.diverged'), {seconds: 20});
  assert.equal((await stack.rempart('ledger', 'rebase')).code, 0);
  await until('stream.rebased', () => entries('operator').includes('stream.rebased'), {seconds: 20});
  await writers[0].person.signIn();
  await until('writing', async () => { const n = writers[0].kept.length; await writers[0].write(); return writers[0].kept.length > n; });
  await until('a log that verifies', async () => (await stack.rempart('verify', stack.file('ledger'))).code === 0);
});

test('all of it older, when told so: the former folder stays beside it', async () => {
  const done = await restored('--force-older');
  assert.equal(done.code, 0, done.stderr);
  const former = /the former folder: (.*)$/m.exec(done.stdout)[1];
  assert.ok(fs.existsSync(path.join(former, 'db/system.db')));
  await stack.up();
  await until('backup.restored', () => entries('operator').includes('older than what was there'));
});

test('on an empty machine, with a passphrase of the backup\'s own', async () => {
  const words = path.join(folder, 'words');
  fs.writeFileSync(words, 'seven words that nobody guesses at all\n', {mode: 0o600});
  const made = await stack.rempart('backup', 'run', folder, '--passphrase-file', words, '--json');
  assert.equal(made.code, 0, made.stderr);
  const empty = path.join(folder, 'empty');
  const done = await backup(['restore', JSON.parse(made.stdout).file, '--state', empty, '--passphrase-file', words]);
  assert.equal(done.code, 0, done.stderr);
  const verified = await run(path.join(bin, 'rempart'), ['verify', path.join(empty, 'ledger')]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  const modes = name => fs.statSync(path.join(empty, name)).mode & 0o777;
  assert.deepEqual([modes('kms/keyring'), modes('db/system.db')], [0o600, 0o640]);
});

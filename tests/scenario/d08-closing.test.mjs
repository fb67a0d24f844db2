// An organisation leaves: asked for, taken back, carried out; what is left of it, and what is left in a
// backup from before.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {crash, sql} from '../lib/sabotage.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';
import {Writer} from '../lib/writer.mjs';

let stack, folder, sheet, first, martin, lea, main, patient;

const close = (...args) => stack.rempart('tenant', 'close', ...args);
const tenants = async () => JSON.parse((await stack.rempart('tenant', 'list', '--json')).stdout).tenants;
const find = async id => (await tenants()).find(one => one.id === id);
const entries = tree => fs.readdirSync(stack.file('ledger', tree, 'tile/entries'), {recursive: true, withFileTypes: true})
  .filter(one => one.isFile()).map(one => fs.readFileSync(path.join(one.path, one.name), 'latin1')).join('');
const below = name => fs.readdirSync(stack.file(name), {recursive: true}).map(String);
const isIn = async person => {
  const page = await person.get('/');
  return page.status === 200 && page.text.includes('name="text"');
};

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-closing-'));
  stack = await Stack.start();
  first = await stack.firstAdministrator();
  martin = (await stack.rempart('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
  const invited = await stack.rempart('person', 'invite', 'lea@example.com', '--tenant', martin, '--role', 'admin');
  lea = new Writer(await stack.enrol(invited.stdout.trim()), 'Martin');
  main = new Writer(first, 'Main');
  for (const writer of [lea, main]) {
    await until(`${writer.name} wrote`, async () => { await writer.write(); return writer.kept.length >= 1; });
  }
  const printed = await stack.rempart('keys', 'recovery');
  sheet = /^ {2}([A-Z2-7-]{44})$/m.exec(printed.stdout)[1];
  const made = await stack.rempart('backup', 'run', folder, '--json');
  assert.equal(made.code, 0, made.stderr);
});
after(async () => {
  await stack?.stop();
  const parent = path.dirname(stack.state);
  for (const name of fs.readdirSync(parent)) {
    if (name.startsWith(`${path.basename(stack.state)}.`)) fs.rmSync(path.join(parent, name), {recursive: true});
  }
  fs.rmSync(folder, {recursive: true, force: true});
});

test('it is not closed by mistake: not without its name, not the operators’ own, not one that is unknown', async () => {
  for (const [args, code, words] of [
    [['Boulangerie Martin'], 2, /--confirm NAME/],
    [['Boulangerie Martin', '--confirm', 'boulangerie martin'], 2, /nothing was changed/],
    [['Boulangerie Martin', '--confirm', 'Boulangerie Martin', '--days', '181'], 2, /0 to 180/],
    [['main', '--confirm', 'main'], 2, /operate the installation/],
    [['Boulangerie Durand', '--confirm', 'Boulangerie Durand'], 2, /rempart tenant list/],
  ]) {
    const refused = await close(...args);
    assert.equal(refused.code, code, refused.stdout + refused.stderr);
    assert.match(refused.stderr, words);
  }
  assert.equal((await find(martin)).state, undefined);
});

test('until its day comes all goes on, and it is taken back', async () => {
  const asked = await close('Boulangerie Martin', '--confirm', 'Boulangerie Martin');
  assert.equal(asked.code, 0, asked.stderr);
  const {state, closes_at: at} = await find(martin);
  assert.equal(state, 'closing');
  assert.ok(Math.abs(Date.parse(at) - Date.now() - 30 * 24 * 3600 * 1000) < 3600 * 1000, at);
  assert.ok(await isIn(lea.person));
  assert.equal((await close(martin, '--confirm', 'Boulangerie Martin')).code, 2, 'it is closing already');
  assert.equal((await stack.rempart('tenant', 'reopen', martin)).code, 0);
  assert.equal((await find(martin)).state, undefined);
  assert.equal((await stack.rempart('tenant', 'reopen', martin)).code, 2, 'there is nothing to take back');
  await until('both on record', () => entries('operator').includes('tenant.reopened') && entries('operator').includes('tenant.closing'));
});

test('a clock that leapt ends nobody’s days of grace', async () => {
  const file = stack.file('db/system.db'), month = 31 * 86400e3;
  patient = (await stack.rempart('tenant', 'create', 'Patient')).stdout.trim();
  const hasty = (await stack.rempart('tenant', 'create', 'Hasty')).stdout.trim();
  assert.equal((await close('Patient', '--confirm', 'Patient')).code, 0);
  // A month in a second, for what core remembers and for the one that waits.
  await until('a first look', async () => await sql(file, 'SELECT count(*) FROM clock_trust') === '1');
  await sql(file, `UPDATE clock_trust SET seen_ms = seen_ms - ${month}`);
  await sql(file, `UPDATE tenant_closing SET asked_ms = asked_ms - ${month}, due_ms = due_ms - ${month} WHERE tenant = x'${patient}'`);
  // Who is closed at once hangs on no clock; the same round looked at the other one first.
  assert.equal((await close('Hasty', '--confirm', 'Hasty', '--days', '0')).code, 0);
  await until('out of the directory', async () => !(await find(hasty)), {seconds: 60});
  assert.ok(await find(patient));
  assert.equal(await sql(file, `SELECT ended_ms FROM tenant_closing WHERE tenant = x'${patient}'`), '0');
  const today = new Date().toLocaleDateString('sv-SE', {timeZone: 'Europe/Paris'});
  assert.equal((await stack.rempart('register', 'retention', '--confirm', today)).code, 0);
});

/*= S90 type=test */
test('closed: sessions end, the key goes, then the files; its log stays and says so', async () => {
  assert.equal((await close(martin, '--confirm', 'Boulangerie Martin', '--days', '0')).code, 0);
  await until('out of the directory', async () => !(await find(martin)), {seconds: 60});
  await until('and whose clock is right again', async () => !(await find(patient)), {seconds: 60});
  assert.ok(!(await isIn(lea.person)), 'the session has ended');
  for (const place of ['tenants', 'kms']) assert.deepEqual(below(place).filter(name => name.includes(martin)), [], place);
  await until('on record', () => ['tenant.closed', 'key.destroyed', 'tenant.removed'].every(code => entries('operator').includes(code)));
  const own = `tenants/${martin.slice(0, 2)}/${martin}`;
  const tree = fs.existsSync(stack.file('ledger', own)) ? own : below('ledger').find(name => name.endsWith(`${martin}`) || name.endsWith(`${martin}/checkpoint`)).replace(/\/checkpoint$/, '');
  await until('its own log says so', () => entries(tree).includes('tenant.closed'), {seconds: 40});
  assert.equal((await stack.rempart('verify', stack.file('ledger'))).code, 0);
  assert.ok(await isIn(main.person), 'nobody else is touched');
});

// An organisation with somebody in it; its id, and the person signed in.
async function organisation(name, email) {
  const id = (await stack.rempart('tenant', 'create', name)).stdout.trim();
  const invited = await stack.rempart('person', 'invite', email, '--tenant', id, '--role', 'admin');
  const person = await stack.enrol(invited.stdout.trim());
  assert.ok(await isIn(person));
  return {id, name, person};
}
const goneWithItsFiles = async ({id}) => {
  await until('out of the directory', async () => !(await find(id)), {seconds: 60});
  for (const place of ['tenants', 'kms']) assert.deepEqual(below(place).filter(name => name.includes(id)), [], place);
};

test('with the key service sealed its people are out at once; the key goes when the service is open again', async () => {
  const durand = await organisation('Librairie Durand', 'luc@example.com');
  const key = stack.file('kms/unseal.key');
  fs.renameSync(key, `${key}.away`);
  await crash(stack, 'kms');
  const asked = await close(durand.id, '--confirm', durand.name, '--days', '0');
  assert.equal(asked.code, 0, asked.stderr);
  await until('nobody of it is in', async () => !(await isIn(durand.person)), {seconds: 40});
  assert.ok(await find(durand.id), 'it is not over');
  assert.ok(below('kms').some(name => name.includes(durand.id)), 'its key is still there');
  fs.renameSync(`${key}.away`, key);
  await crash(stack, 'kms');
  await goneWithItsFiles(durand);
  await until('the others go on', () => isIn(main.person), {seconds: 20});
});

test('with the ledger down its files wait until its log has the last event', async () => {
  const petit = await organisation('Garage Petit', 'eva@example.com');
  const ledger = await stack.pid('ledger');
  // Once core has noticed, it takes no such request any more: then all is well again, and once more.
  await until('asked for in time', async () => {
    process.kill(ledger, 'SIGSTOP');
    if ((await close(petit.id, '--confirm', petit.name, '--days', '0')).code === 0) return true;
    process.kill(ledger, 'SIGCONT');
    return false;
  }, {seconds: 60, every: 3000});
  try {
    await until('nobody of it is in', async () => !(await isIn(petit.person)), {seconds: 40});
    assert.ok(below('tenants').some(name => name.includes(petit.id)), 'its files are still there');
  } finally {
    process.kill(ledger, 'SIGCONT');
  }
  await goneWithItsFiles(petit);
  await until('its own log says so', () => {
    const checkpoint = below('ledger').find(name => name.endsWith(`${petit.id}/checkpoint`));
    return checkpoint && entries(checkpoint.replace(/\/checkpoint$/, '')).includes('tenant.closed');
  }, {seconds: 40});
  assert.equal((await stack.rempart('verify', stack.file('ledger'))).code, 0);
});

/*= S91 type=test */
test('a backup from before, put back: everything of the others, nothing that could be read of this one', async () => {
  const archive = fs.readdirSync(folder).find(name => name.endsWith('.backup'));
  const again = await stack.rempart('backup', 'run', folder);
  assert.equal(again.code, 0, again.stderr);
  await stack.down();
  const done = await run(path.join(bin, 'rempart'), ['backup', 'restore', path.join(folder, archive), '--state', stack.state, '--force-older'],
    {input: `${sheet}\n`, env: {...stack.env, LANG: 'C.UTF-8'}});
  assert.equal(done.code, 0, done.stderr);
  await stack.up();
  await stack.startNotes();
  assert.ok(await find(martin), 'the directory is that of the day of the backup');
  const refused = await stack.rempart('tenant', 'export', martin, path.join(folder, 'martin.tar.gz'));
  assert.notEqual(refused.code, 0);
  assert.ok(!fs.existsSync(path.join(folder, 'martin.tar.gz')));
  await main.person.signIn();
  assert.ok((await main.all()).includes(main.kept[0]));
  assert.equal((await close(martin, '--confirm', 'Boulangerie Martin', '--days', '0')).code, 0);
  await until('gone again', async () => !(await find(martin)), {seconds: 60});
});

test('without the file beside it a backup is neither good nor restored, and says what is missing', async () => {
  const archive = fs.readdirSync(folder).find(name => name.endsWith('.backup'));
  const alone = path.join(folder, 'alone');
  fs.mkdirSync(alone);
  fs.copyFileSync(path.join(folder, archive), path.join(alone, archive));
  const target = path.join(alone, 'state');
  const restore = () => run(path.join(bin, 'rempart'), ['backup', 'restore', path.join(alone, archive), '--state', target], {input: `${sheet}\n`, env: {...stack.env, LANG: 'C.UTF-8'}});
  const verify = () => stack.rempart('backup', 'verify', path.join(alone, archive), '--json');
  const incomplete = await verify();
  assert.notEqual(incomplete.code, 0);
  assert.match(incomplete.stderr, /\.tenants: this file/);
  const refused = await restore();
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /\.tenants: this file/);
  const beside = fs.readdirSync(folder).find(name => name.endsWith('.tenants'));
  const good = fs.readFileSync(path.join(folder, beside));
  for (const bad of [good.subarray(0, 700), good.subarray(0, good.length - 512), Buffer.concat([good, Buffer.alloc(1)]), Buffer.from(good.toString('latin1').replace('kms/tenants/', 'kms/../../ee/'), 'latin1')]) {
    fs.writeFileSync(path.join(alone, beside), bad);
    assert.notEqual((await verify()).code, 0);
    const broken = await restore();
    assert.notEqual(broken.code, 0, broken.stderr);
    assert.ok(!fs.existsSync(target));
  }
  fs.writeFileSync(path.join(alone, beside), good);
  const whole = await verify();
  assert.equal(whole.code, 0, whole.stderr);
  assert.ok(JSON.parse(whole.stdout).tenant_keys > 0);
  const done = await restore();
  assert.equal(done.code, 0, done.stderr);
});

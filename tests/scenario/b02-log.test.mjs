// The log on a bad day: a flipped byte is found and named, a torn last write is cut off, kill -9 loses nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {crash} from '../lib/sabotage.mjs';
import {Stack, bin, run, sleep, until} from '../lib/stack.mjs';

let stack, person;
before(async () => {
  stack = await Stack.start();
  person = await stack.firstAdministrator();
});
after(() => stack?.stop());

const operatorLog = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;

const write = async text => {
  const page = await person.get('/');
  assert.equal(page.status, 200, page.text);
  const done = await person.submit(page, {text});
  assert.equal(done.status, 200, done.text);
};

test('verify accepts the living log', async () => {
  await write('one');
  await sleep(1500);
  const {code, stdout, stderr} = await stack.rempart('verify', stack.file('ledger'), '--json');
  assert.equal(code, 0, stdout + stderr);
  const report = JSON.parse(stdout);
  assert.ok(report.trees >= 3 && report.entries > 10, stdout);
});

test('verify works over HTTPS, as anybody would', async () => {
  const {code, stdout, stderr} = await stack.rempart('verify', `${stack.origin}/.rempart/log/public`, '--ca', stack.file('gate/tls/ca.pem'));
  assert.equal(code, 0, stdout + stderr);
});

/* acknowledged writes survive the end of any role */
for (const role of ['ledger', 'kms', 'core', 'gate', 'probe', 'hunt']) {
  test(`kill -9 of ${role}: back by itself, nothing acknowledged is lost`, async () => {
    await write(`before ${role}`);
    await crash(stack, role);
    await until('the application again', async () => (await person.get('/')).status === 200, {seconds: 20, every: 200});
    await write(`after ${role}`);
    const list = (await person.get('/')).text;
    assert.ok(list.includes(`before ${role}`) && list.includes(`after ${role}`));
  });
}

test('the end of each of them is an event', async () => {
  await until('six events', async () => {
    const lines = (await operatorLog()).split('\n').filter(line => /role\.stopped.*signal 9/.test(line));
    return ['ledger', 'kms', 'core', 'gate', 'probe', 'hunt'].every(role => lines.some(line => line.includes(`"name":"${role}"`)));
  });
});

test('the tenant\'s log holds every change, gapless, and equals the table', async () => {
  await until('the log caught up', async () => {
    const {entries} = (await person.get('/.rempart/api/v1/audit?newest=1&limit=200')).json();
    return entries.filter(entry => JSON.stringify(entry).includes('record.created')).length === 13;
  }, {seconds: 15});
  const {code, stdout} = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(code, 0, stdout);
});

test('a torn last write of the journal is cut off, said, and the suite starts', async () => {
  await stack.down();
  const folder = stack.file('ledger/journal');
  const last = fs.readdirSync(folder).sort().at(-1);
  fs.appendFileSync(path.join(folder, last), Buffer.from([0, 0, 1, 44, 1, 2, 3]));
  await stack.up();
  await stack.startNotes();
  await until('the repair in the operator\'s log', async () => (await operatorLog()).includes('journal.repaired'), {seconds: 10});
});

test('one flipped byte anywhere is found and its file named', async () => {
  await sleep(1500);
  await stack.down();
  const files = [];
  const walk = folder => fs.readdirSync(folder, {withFileTypes: true}).forEach(entry => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) walk(file);
    else files.push(file);
  });
  for (const folder of fs.readdirSync(stack.file('ledger'))) {
    if (['public', 'operator'].includes(folder) || /^[0-9a-f]{32}$/.test(folder)) walk(stack.file('ledger', folder));
  }
  const good = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(good.code, 0, good.stdout);
  assert.ok(files.length > 10);
  for (const file of files) {
    const before = fs.readFileSync(file);
    for (const at of new Set([0, before.length >> 1, before.length - 1])) {
      const bad = Buffer.from(before);
      bad[at] ^= 1;
      fs.writeFileSync(file, bad);
      const {code, stdout} = await stack.rempart('verify', stack.file('ledger'), '--json');
      fs.writeFileSync(file, before);
      assert.equal(code, 1, `byte ${at} of ${file} was not missed`);
      assert.equal(JSON.parse(stdout).verified, false);
    }
  }
});

test('what is wrong with a log is told in French, too', async () => {
  const checkpoint = stack.file('ledger/operator/checkpoint');
  const good = fs.readFileSync(checkpoint), bad = Buffer.from(good);
  bad[bad.length - 10] ^= 1;
  fs.writeFileSync(checkpoint, bad);
  const {code, stdout} = await run(path.join(bin, 'rempart'), ['verify', stack.file('ledger')], {env: {...stack.env, LANG: 'fr_FR.UTF-8'}});
  fs.writeFileSync(checkpoint, good);
  assert.equal(code, 1);
  assert.equal(stdout, 'ALTÉRÉ\u00a0: operator/checkpoint, octet 0\u00a0: pas signé par la clé de vkey\n');
});

test('a log that was altered is refused at the start, with file and byte; mended, it goes on and says so', async () => {
  const folder = stack.file('ledger/journal');
  const segment = path.join(folder, fs.readdirSync(folder).sort()[0]);
  const good = fs.readFileSync(segment), bad = Buffer.from(good);
  bad[good.length >> 1] ^= 1;
  fs.writeFileSync(segment, bad);
  await stack.up({expectReady: false});
  assert.equal(await stack.ended, 2);
  assert.match(stack.output, /data altered: ledger\/journal\/[0-9a-f]{16}\.log: altered at byte \d+/);
  assert.deepEqual(fs.readFileSync(segment), bad, 'nothing was cut off: it is a case for the backup');
  fs.writeFileSync(segment, good);
  stack.exitCode = undefined;
  await stack.up();
  await until('the event', async () => /store\.refused.*altered at byte/.test(await operatorLog()));
});

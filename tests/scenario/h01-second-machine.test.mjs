// The key service on a machine of its own: a cable between the two, and all that can happen to it.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Machines, fingerprint, why} from '../lib/machines.mjs';
import {crash} from '../lib/sabotage.mjs';
import {bin, run, until} from '../lib/stack.mjs';

let machines, keys, data, person;
before(async () => {
  machines = await Machines.start();
  ({keys, data} = machines ?? {});
});
after(() => machines?.stop());

const it = (what, body) => test(what, async t => machines ? body(t) : t.skip(why));

const events = async kind => {
  const {stdout} = await data.rempart('ledger', 'tail', 'operator', '-n', '400', '--json');
  return stdout.trim().split('\n').filter(line => line.includes(`"${kind}"`));
};
const metric = async name => (await (await fetch(`http://127.0.0.1:${machines.metricsPort}/metrics`)).text()).match(new RegExp(`^${name} (.*)$`, 'm'))?.[1];
const write = async text => {
  const page = await person.get('/');
  return page.status === 200 ? (await person.submit(page, {text})).status : page.status;
};

it('a person signs in and writes a note with a key lent by the other machine', async () => {
  await until('the first administrator’s link', () => fs.existsSync(data.file('run/first-admin-link')), {seconds: 30});
  person = await data.firstAdministrator();
  assert.equal(await write('written with a key from elsewhere'), 200);
  assert.match((await person.get('/')).text, /written with a key from elsewhere/);
  assert.ok(!fs.existsSync(data.file('kms')), 'the machine of the data has no folder of keys');
  assert.ok((await events('key.leased')).length > 0, 'each lease stands in the log of the other machine');
  assert.ok((await events('link.up')).some(line => line.includes('"keys"')) && (await events('link.up')).some(line => line.includes('"data"')));
});

it('both machines say who the other is, and what is asked on which', async () => {
  for (const [stack, name] of [[data, 'keys'], [keys, 'data']]) {
    const {code, stdout} = await stack.rempart('status');
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`machine ${name}, .*\\n  asked +up since .*\\n  asks +up since`));
  }
  const rotated = await data.rempart('keys', 'rotate'), listed = await keys.rempart('tenant', 'list');
  assert.equal(rotated.code, 2);
  assert.match(rotated.stderr, /machine "keys"/);
  assert.equal(listed.code, 3);
  assert.match(listed.stderr, /machine "data"/);
  assert.equal((await keys.rempart('keys', 'status')).code, 0);
});

it('a cable that is pulled is a key service that is down, and comes back by itself', async () => {
  machines.cable('down');
  await until('the other machine missed', () => !machines.link(data).asks.up && !machines.link(keys).asks.up, {seconds: 12});
  assert.equal(await metric('rempart_link_up{machine="keys"}'), '0');
  await crash(data, 'core'); // and with it the keys that it still had
  await until('503 without a key', async () => (await person.get('/')).status === 503, {seconds: 10});
  machines.cable('up');
  await until('a note again', async () => await write('after the cable') === 200, {seconds: 20});
  assert.equal(await metric('rempart_link_up{machine="keys"}'), '1');
  assert.ok((await events('link.down')).length > 0);
});

it('a link that is killed is back by itself, on either machine', async () => {
  for (const stack of [data, keys]) {
    await crash(stack, 'link');
    await machines.meet();
    await until('a note', async () => await write(`after ${stack === data ? 'one' : 'the other'}`) === 200, {seconds: 20});
  }
});

it('strangers who hold the port do not keep the other machine out', async () => {
  const strangers = Array.from({length: 40}, () => net.connect(7443, machines.there).on('error', () => {}));
  await until('strangers', () => strangers.some(one => !one.connecting));
  strangers[0].write('GET / HTTP/1.1\r\n\r\n');
  await crash(data, 'link');
  await machines.meet();
  assert.equal(await write('between strangers'), 200);
  for (const one of strangers) one.destroy();
});

it('a machine with another key is let in nowhere, and is on record', async () => {
  const key = path.join(machines.folder, 'stranger.key'), cert = path.join(machines.folder, 'stranger.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=data', '-keyout', key, '-out', cert], {stdio: 'ignore'});
  const {stderr, stdout} = await run('openssl', ['s_client', '-connect', `${machines.there}:7443`, '-tls1_3', '-cert', cert, '-key', key, '-ign_eof'], {seconds: 10});
  assert.match(stdout + stderr, /alert/);
  const [event] = await until('link.refused', async () => {
    const found = await events('link.refused');
    return found.length && found;
  });
  assert.match(event, /"machine":"unknown"/);
  assert.match(event, /its key is not the one/);
});

it('each machine backs up its part, and both parts bring back the whole', async () => {
  const folder = name => path.join(machines.folder, name), passphrase = folder('passphrase');
  fs.writeFileSync(passphrase, 'a long line that opens the backups\n');
  const by = {data: ['--passphrase-file', passphrase], keys: []}, files = {};
  const refused = await data.rempart('backup', 'run', folder('data'));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /on another machine: give --passphrase-file/);
  assert.equal((await keys.rempart('keys', 'recovery')).code, 0);
  for (const [name, stack] of [['data', data], ['keys', keys]]) {
    const made = await stack.rempart('backup', 'run', folder(name), ...by[name]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(/the keys are not in it: now run .* on the machine "keys"/.test(made.stdout), name === 'data');
    files[name] = made.stdout.split('\n')[0];
  }
  assert.equal((await keys.rempart('backup', 'verify', folder('keys'))).code, 0);
  assert.ok(fs.readdirSync(folder('keys')).some(name => name.endsWith('.tenants')));
  assert.deepEqual(fs.readdirSync(folder('data')).filter(name => !name.endsWith('.backup')), []);
  const {stdout: members} = await run('sh', ['-c', '"$0" backup open "$1" --passphrase-file "$2" | tar -tz', path.join(bin, 'rempart'), files.data, passphrase]);
  assert.match(members, /^db\/system\.db$/m);
  assert.doesNotMatch(members, /kms|unseal/);

  await Promise.all([keys.down(), data.down()]);
  for (const [name, stack] of [['data', data], ['keys', keys]]) {
    const restored = await stack.rempart('backup', 'restore', files[name], '--force-older', ...by[name]);
    assert.equal(restored.code, 0, restored.stderr);
    fs.rmSync(restored.stdout.match(/the former folder: (.*)/)[1], {recursive: true}); // what is there now came from the backup
  }
  await Promise.all([keys.up(), data.up()]);
  await machines.meet();
  await data.startNotes();
  await until('the note of before', async () => /written with a key from elsewhere/.test((await person.get('/')).text), {seconds: 20});
  assert.equal(await write('after the restore'), 200);
});

it('a fingerprint that is not the other’s own is refused by who dials, who says so', async () => {
  await keys.down();
  fs.renameSync(keys.file('link/key.pem'), path.join(machines.folder, 'lost.pem'));
  assert.notEqual(await fingerprint(keys.state), machines.prints.keys);
  await keys.up({expectReady: false});
  await until('said', async () => /keys: its key|its key is not the one in link.peers here/.test((await data.rempart('status')).stdout), {seconds: 20});
  assert.equal((await data.rempart('status')).code, 1);
});

// An operator's first day and first bad day, in one piece: a configuration of one's own, certificates from an authority
// that binds accounts, two applications, somebody invited, an upstream cut, a flood, a backup, a wreck, and all of it back.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Client} from '../lib/client.mjs';
import {Pebble} from '../lib/pebble.mjs';
import {Stack, bin, freePort, run, sleep, until} from '../lib/stack.mjs';
import {Writer} from '../lib/writer.mjs';

const name = 'www.rempart.test', shop = 'shop.rempart.test', keyId = 'martin-1', key = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG4';
let ready, authority, stack, backups, binding, upstreams, first, lea, sheet;

const it = (what, body) => test(what, async t => ready ? body(t) : t.skip('not root, or without pebble and uacme: scripts/setup test'));
const cli = (args, options) => run(path.join(bin, 'rempart'), args, {env: {...stack.env, LANG: 'C.UTF-8'}, ...options});

// The shop: two processes that say their name.
async function upstream(said) {
  const server = http.createServer((request, response) => response.end(said));
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {url: `http://127.0.0.1:${server.address().port}`, cut: () => new Promise(resolve => { server.close(resolve); server.closeAllConnections(); })};
}

// A visitor of the shop, from an address of this machine; one connection a request.
const visit = from => new Promise(resolve => https.get({host: '127.0.0.1', port: stack.port, servername: shop, path: '/', agent: false, localAddress: from,
  ca: authority.root, headers: {host: `${shop}:${stack.port}`}}, answer => {
  const parts = [];
  answer.on('data', part => parts.push(part)).on('end', () => resolve({status: answer.statusCode, text: Buffer.concat(parts).toString(),
    issuer: answer.socket.getPeerCertificate?.().issuer?.CN}));
}).on('error', error => resolve({status: error.code})));

before(async () => {
  ready = await Pebble.installed();
  if (!ready) return;
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-')), challenges = await freePort();
  backups = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-story-'));
  binding = path.join(backups, 'eab');
  fs.writeFileSync(binding, `${keyId}\n${key.replace('z', 'y')}\n`, {mode: 0o600}); // somebody typed it
  authority = await Pebble.start({httpPort: challenges, bound: {[keyId]: key}});
  upstreams = [await upstream('shop one'), await upstream('shop two')];
  const config = port => `host: ${name}
gate: {listen: ${port}, listen_http: ${challenges}}
acme: {directory: "${authority.url}", contact: hostmaster@rempart.test, terms_agreed: true, eab_credentials: ${binding}}
limits: {address_per_second: 25}
page: {operator: Boulangerie Martin}
apps:
  - {name: notes, upstream: "unix:run/notes.sock", sign_in: required}
  - {name: shop, host: ${shop}, upstreams: [${upstreams.map(({url}) => `"${url}"`)}], sign_in: none}
`;
  stack = await Stack.start({state, config, through: authority.through});
  Object.defineProperty(stack, 'origin', {value: `https://${name}:${stack.port}`});
  stack.client = options => Object.defineProperty(new Client(stack, options), 'ca',
    {get: () => [fs.readFileSync(stack.file('gate/tls/ca.pem'), 'utf8'), authority.root]});
});
after(async () => {
  await stack?.stop();
  await authority?.stop();
  for (const one of upstreams ?? []) await one.cut();
  for (const left of stack ? fs.readdirSync(path.dirname(stack.state)) : []) {
    if (left.startsWith(`${path.basename(stack.state)}.`)) fs.rmSync(path.join(path.dirname(stack.state), left), {recursive: true});
  }
  if (backups) fs.rmSync(backups, {recursive: true, force: true});
});

it('the configuration is checked before it serves; a wrong account key is told, mended by a reload, and both names have certificates', async () => {
  const checked = await cli(['check', '--config', stack.file('rempart.yaml')]);
  assert.equal(checked.code, 0, checked.stderr);
  const {stdout} = await until('the authority\'s refusal', async () => {
    const list = await stack.rempart('gate', 'certificates', '--json');
    return JSON.parse(list.stdout).certificates.some(({failures}) => failures > 0) && list;
  }, {seconds: 30});
  assert.match(stdout, /bind|EAB|external|unauthorized|JWS|signature/i, 'in the authority\'s words');
  fs.writeFileSync(binding, `${keyId}\n${key}\n`, {mode: 0o600});
  assert.equal((await stack.rempart('reload')).code, 0);
  for (const host of [name, shop]) await until(`the renewal of ${host}`, async () => (await stack.rempart('gate', 'renew', host)).code === 0, {seconds: 30});
  await until('the authority\'s certificate', async () => /Pebble/.test((await visit()).issuer), {seconds: 30});
  assert.equal((await stack.rempart('status')).code, 0);
});

it('the first administrator comes in by the link, invites somebody, and both write', async () => {
  first = new Writer(await stack.firstAdministrator(), 'Main');
  const tenant = (await stack.rempart('tenant', 'create', 'Librairie Durand')).stdout.trim();
  const invited = await stack.rempart('person', 'invite', 'lea@example.com', '--tenant', tenant, '--role', 'admin');
  assert.equal(invited.code, 0, invited.stderr);
  lea = new Writer(await stack.enrol(invited.stdout.trim()), 'Durand');
  for (const writer of [first, lea]) await until(`${writer.name} wrote`, async () => { await writer.write(); return writer.kept.length > 0; });
  assert.equal((await visit()).status, 200);
});

it('one of two upstreams is cut: every visitor is served by the other', async () => {
  const seen = new Set();
  await until('both', async () => { seen.add((await visit()).text); return seen.size === 2; });
  await upstreams[0].cut();
  for (let i = 0; i < 20; i++, await sleep(50)) { // as people do it: faster is a flood
    assert.deepEqual(await visit().then(({status, text}) => [status, text]), [200, 'shop two']);
  }
});

it('a flood from one address is refused, while a visitor and a person who writes get every answer', async () => {
  const counts = {}, good = [];
  let left = 1500, over = false;
  const flood = Promise.all(Array.from({length: 40}, async () => {
    while (left-- > 0) {
      const {status} = await visit('127.0.0.66');
      counts[status] = (counts[status] ?? 0) + 1;
    }
  }));
  const visitor = (async () => { while (!over) { good.push((await visit('127.0.0.7')).status); await sleep(50); } })();
  const before = lea.kept.length;
  await until('three notes meanwhile', async () => { await lea.write(); return lea.kept.length >= before + 3; }, {every: 200});
  await flood;
  over = true;
  await visitor;
  assert.ok(counts[429] > 300, JSON.stringify(counts));
  assert.deepEqual([...new Set(good)], [200], `${good.length} answers to the visitor`);
});

it('a backup; then databases, keys and log are gone; the sheet and the backup bring all of it back, and it verifies', async () => {
  sheet = /^ {2}([A-Z2-7-]{44})$/m.exec((await stack.rempart('keys', 'recovery')).stdout)[1];
  const made = await stack.rempart('backup', 'run', backups, '--json');
  assert.equal(made.code, 0, made.stderr);
  assert.equal((await stack.rempart('backup', 'verify', backups)).code, 0);
  const {file} = JSON.parse(made.stdout);
  await stack.down();
  for (const place of ['db', 'tenants', 'kms', 'ledger']) fs.rmSync(stack.file(place), {recursive: true});
  await stack.up({expectReady: false}).catch(() => {});
  await stack.down(); // whatever it says: an operator tries this first
  const restored = await cli(['backup', 'restore', file, '--state', stack.state, '--force-older'], {input: `${sheet}\n`});
  assert.equal(restored.code, 0, restored.stdout + restored.stderr);
  await stack.up();
  await stack.startNotes();
  for (const writer of [first, lea]) {
    await writer.person.signIn();
    const all = await writer.all();
    for (const text of writer.kept) assert.ok(all.includes(text), text);
    assert.deepEqual(all.filter(text => !text.startsWith(writer.name)), []);
  }
  const wrong = await first.person.get(`/${'a'.repeat(20_000)}`);
  assert.equal(wrong.status, 414);
  assert.match(wrong.text, /<html lang=/, 'the pages of the gate are there, too');
  await until('the shop, with the authority\'s certificate', async () => { const {status, issuer} = await visit(); return status === 200 && /Pebble/.test(issuer); }, {seconds: 20});
  const verified = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});

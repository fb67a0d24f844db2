// Certificates from a real ACME authority (pebble): got at the start, renewed while people are served, refused when
// the authority sends something else; a renewal that fails is told in every place an operator looks, and mended.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Client} from '../lib/client.mjs';
import {Pebble} from '../lib/pebble.mjs';
import {Smtp} from '../lib/smtp.mjs';
import {Stack, bin, freePort, root, run, sleep, until} from '../lib/stack.mjs';

const name = 'www.rempart.test', other = 'notes.rempart.test';
let authority, mail, stack, http, ready;

// One request, over a connection of its own or over the agent's. A kept connection may be closed between two requests,
// so that the next one is sent again over a new one, as every browser does (RFC 9112, 9.3.1).
function get(host, {agent = false, path = '/trust.json'} = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({host: '127.0.0.1', port: stack.port, servername: host, path, agent,
    ca: authority.root, headers: {host: `${host}:${stack.port}`}}, answer => {
    const certificate = answer.socket.getPeerCertificate?.();
    answer.resume().on('end', () => resolve({status: answer.statusCode, serial: certificate?.serialNumber, issuer: certificate?.issuer?.CN}));
  }).on('error', error => request.reusedSocket ? resolve(get(host, {path})) : reject(error)).end();
  });
}
const serial = async (host = name) => (await get(host)).serial;
const certificates = async () => JSON.parse((await stack.rempart('gate', 'certificates', '--json')).stdout).certificates;
// An event of this kind that says these words, in one line of the log's list.
const told = (text, kind, words) => text.split('\n').some(line => line.includes(kind) && line.includes(words));
const events = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;

before(async () => {
  ready = await Pebble.installed();
  if (!ready) return;
  http = await freePort();
  authority = await Pebble.start({httpPort: http});
  mail = await Smtp.start();
  stack = await Stack.start({app: null, through: authority.through, config: port =>
    `host: ${name}\ngate:\n  listen: ${port}\n  listen_http: ${http}\nacme:\n  directory: ${authority.url}\n  contact: hostmaster@rempart.test\n` +
    `  terms_agreed: true\nsmtp:\n  url: smtp://127.0.0.1:${mail.port}\napps:\n  - name: notes\n    host: ${other}\n    upstream: http://127.0.0.1:9\n    sign_in: none\n`});
  Object.defineProperty(stack, 'origin', {value: `https://${name}:${stack.port}`});
  stack.client = options => Object.defineProperty(new Client(stack, options), 'ca', {get: () => [fs.readFileSync(stack.file('gate/tls/ca.pem'), 'utf8'), authority.root]});
});
after(async () => { await stack?.stop(); await mail?.stop(); await authority?.stop(); });

const it = (what, body) => test(what, async t => ready ? body(t) : t.skip('not root, or without pebble and uacme: scripts/setup test'));

it('each name gets one, and whoever trusts the authority trusts the gate', async () => {
  for (const host of [name, other]) {
    const {issuer} = await until(`the certificate of ${host}; so far:\n${stack.output}`, () => get(host), {seconds: 40});
    assert.match(issuer, /Pebble Intermediate/);
  }
  assert.equal((await stack.rempart('gate', 'certificates')).code, 0);
  assert.deepEqual((await certificates()).map(one => [one.names, one.failures]), [[[name], 0], [[other], 0]]);
  await until('the events', async () => {
    const text = await events();
    return [name, other].every(host => told(text, 'certificate.issued', host));
  });
});

it('keys are the gate\'s alone, the account\'s the role\'s; a stranger finds no file but a challenge', async () => {
  const mode = file => (fs.statSync(stack.file(file)).mode & 0o777).toString(8);
  const owner = async file => (await run('stat', ['-c', '%U', stack.file(file)])).stdout.trim();
  for (const file of [`gate/tls/acme/${name}.pem`, `gate/tls/acme/${name}.next`]) assert.deepEqual([mode(file), await owner(file)], ['600', 'root'], file);
  const account = fs.readdirSync(stack.file('acme/accounts'))[0];
  assert.match(mode(`acme/accounts/${account}/private/key.pem`), /^[46]00$/);
  assert.equal(await owner(`acme/accounts/${account}/private/key.pem`), 'rempart-acme');
  assert.equal(await owner('acme/state.json'), 'rempart-acme');
  const theirs = (await run('grep', ['-rl', 'PRIVATE KEY', stack.file('acme')])).stdout.trim().split('\n');
  assert.deepEqual(theirs.map(file => /accounts\/\w+\/private\/key\.pem$/.test(file)), [true]);
  fs.writeFileSync(stack.file('acme/challenges/by-hand'), 'seen');
  fs.chmodSync(stack.file('acme/challenges/by-hand'), 0o644);
  fs.symlinkSync(stack.file('gate/nginx.conf'), stack.file('acme/challenges/a-link'));
  const plain = path => fetch(`http://127.0.0.1:${http}${path}`, {redirect: 'manual'}).then(answer => answer.status);
  assert.equal(await plain('/.well-known/acme-challenge/by-hand'), 200);
  for (const path of ['a-link', 'missing', '', '..%2fstate.json', '%2e%2e/state.json']) assert.notEqual(await plain(`/.well-known/acme-challenge/${path}`), 200, path);
  assert.equal(await plain('/'), 301);
  for (const file of ['by-hand', 'a-link']) fs.rmSync(stack.file('acme/challenges', file));
});

it('a renewal changes key and certificate while people are served: no answer is missing', async () => {
  const before = await serial(), key = fs.readFileSync(stack.file(`gate/tls/acme/${name}.pem`), 'utf8').split('PRIVATE KEY')[1];
  const agent = new https.Agent({keepAlive: true, maxSockets: 4});
  const seen = {answers: 0, errors: [], serials: new Set()};
  let running = true;
  const hammer = async kept => {
    while (running) {
      try {
        const answer = await get(name, {agent: kept ? agent : false});
        seen.answers++;
        if (answer.serial) seen.serials.add(answer.serial);
        if (answer.status !== 200) seen.errors.push(answer.status);
      } catch (error) { seen.errors.push(error.message); }
      await sleep(kept ? 5 : 15);
    }
  };
  const all = [hammer(true), hammer(true), hammer(true), hammer(false), hammer(false)];
  const renewed = await stack.rempart('gate', 'renew', name);
  assert.equal(renewed.code, 0, renewed.stderr);
  await until('the new certificate', async () => await serial() !== before);
  await sleep(300); // connections of the old worker are still in use
  running = false;
  await Promise.all(all);
  agent.destroy();
  assert.deepEqual(seen.errors, []);
  assert.ok(seen.answers > 50, `${seen.answers} answers`);
  assert.ok(seen.serials.size >= 2, 'both certificates were seen');
  assert.notEqual(fs.readFileSync(stack.file(`gate/tls/acme/${name}.pem`), 'utf8').split('PRIVATE KEY')[1], key);
});

it('an authority that asks for patience gets it; status, list and log say why, and the operator a mail', async () => {
  await stack.firstAdministrator();
  const before = await serial();
  authority.front = request => /order-plz/.test(request.url) && {status: 429, headers: {'content-type': 'application/problem+json', 'retry-after': '7200',
    'replay-nonce': crypto.randomBytes(16).toString('base64url')}, body: JSON.stringify({type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many "orders" today'})};
  for (let i = 0; i < 2; i++) {
    const {code, stderr} = await stack.rempart('gate', 'renew', name);
    assert.equal(code, 1);
    assert.match(stderr, /www\.rempart\.test: too many "orders" today/);
  }
  const {code, stdout} = await stack.rempart('status');
  assert.equal(code, 1);
  assert.match(stdout, /^certificate not obtained: www\.rempart\.test: too many "orders" today \(next try \d{4}-/m);
  const [mine, its] = await certificates();
  assert.deepEqual([mine.failures, mine.reason, its.failures], [2, 'too many "orders" today', 0]);
  assert.ok(Date.parse(mine.next) - Date.now() > 7000_000, mine.next);
  await until('the event', async () => told(await events(), 'certificate.failed', 'orders'));
  assert.equal(await serial(), before, 'what is valid goes on being shown');
  const letter = await until('the mail', () => mail.mails.find(one => /certificat/i.test(one.text)), {seconds: 60});
  assert.match(letter.text, /rempart gate renew/);
});

it('what is not a certificate for our key and name is not used', async () => {
  const before = await serial();
  const foreign = fs.readFileSync(authority.file('cert.pem'), 'utf8');
  const instead = body => request => /certZ/.test(request.url) && {status: 200, headers: {'content-type': 'application/pem-certificate-chain',
    'replay-nonce': crypto.randomBytes(16).toString('base64url')}, body};
  for (const [body, why] of [[foreign, /another key/], ['<html>maintenance</html>', /./], ['x'.repeat(400_000), /./]]) {
    authority.front = instead(body);
    const {code, stderr} = await stack.rempart('gate', 'renew', name);
    assert.equal(code, 1);
    assert.match(stderr, why);
  }
  // Past the role, too: the gate believes nobody, and says so.
  fs.writeFileSync(stack.file(`acme/live/${name}.pem`), foreign);
  fs.writeFileSync(stack.file('acme/issued'), '4711\n');
  await until('the gate\'s word', () => /acme\/live\/www\.rempart\.test\.pem is not used: a certificate for another key/.test(stack.output));
  assert.equal(await serial(), before);
});

it('an authority that forgot us gets a new account; S73 turns red before what is not renewed ends, and green again', async () => {
  authority.front = null;
  await authority.restart({validity: 25});
  const {code, stderr} = await stack.rempart('gate', 'renew', name);
  assert.equal(code, 0, stderr);
  authority.front = request => /order-plz/.test(request.url) && {status: 503, headers: {'content-type': 'text/html'}, body: '<h1>down</h1>'};
  await until('a renewal by itself, which fails', async () => (await certificates())[0].failures > 0, {seconds: 90, every: 500});
  const promise = 'tls-everywhere'; // S73
  await until('S73 red', async () => (await stack.probe(promise)).status === 'failing', {seconds: 90, every: 1000});
  authority.front = null;
  await authority.restart();
  assert.equal((await stack.rempart('gate', 'renew')).code, 0);
  await until('green', async () => (await stack.probe(promise)).status === 'proven', {seconds: 60, every: 1000});
  assert.equal((await stack.rempart('status')).code, 0);
});

it('programs that the role\'s user cannot reach are told, with what to do', async () => {
  const closed = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-closed-'));
  fs.chmodSync(closed, 0o700);
  const tree = path.join(closed, 'tree'), plain = await freePort();
  fs.mkdirSync(tree);
  // As a clone in /root: the same tree, behind a folder that is root's alone.
  const through = ['unshare', '-m', '--propagation', 'private', 'sh', '-c',
    'mount --bind "$0" "$1" && program=$2 && shift 3 && exec "$program" "$@"', root, tree, path.join(tree, path.relative(root, bin), 'rempart')];
  const apart = await Stack.start({app: null, through, config: port =>
    `host: ${name}\ngate: {listen: ${port}, listen_http: ${plain}}\nacme: {directory: "${authority.url}", contact: hostmaster@rempart.test, terms_agreed: true}\napps: []\n`});
  try {
    await until('the reason', () => /rempart-acme cannot reach this program.*install it where every user may go/s.test(apart.output), {seconds: 20});
  } finally {
    await apart.stop();
    fs.rmSync(closed, {recursive: true, force: true});
  }
});

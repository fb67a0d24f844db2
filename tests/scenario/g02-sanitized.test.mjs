// The whole suite as build-san has it: every role, and our module in nginx, under AddressSanitizer and
// UndefinedBehaviorSanitizer, while people write, strangers attack, an operator reloads and looks. No report is allowed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import tls from 'node:tls';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const folder = path.join(root, 'build-san/bin');
const skip = !fs.existsSync(path.join(folder, 'ngx_http_rempart_module.so')) && 'build-san is not built: `make sanitized`';
process.env.REMPART_BIN = folder; // before stack.mjs looks
process.env.ASAN_OPTIONS = 'detect_leaks=1:abort_on_error=0';
process.env.UBSAN_OPTIONS = 'print_stacktrace=1:halt_on_error=1';
const {Stack, until} = await import('../lib/stack.mjs');
const {Writer} = await import('../lib/writer.mjs');

let stack, writers = [], roles;
const pids = async () => Object.fromEntries((await stack.status()).roles.map(role => [role.name, role.pid]));
before(async () => {
  if (skip) return;
  stack = await Stack.start();
  const first = await stack.firstAdministrator();
  const tenant = (await stack.rempart('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
  const invited = await stack.rempart('person', 'invite', 'lea@example.com', '--tenant', tenant, '--role', 'admin');
  writers = [new Writer(first, 'Main'), new Writer(await stack.enrol(invited.stdout.trim()), 'Martin')];
  await until('every role', async () => (await stack.status()).roles.every(role => ['ready', 'idle'].includes(role.state)), {seconds: 60});
  roles = await pids();
  for (const writer of writers) writer.done = writer.run();
});
after(async () => {
  for (const writer of writers) writer.running = false;
  await Promise.all(writers.map(({done}) => done));
  await stack?.stop();
});

const raw = bytes => new Promise(resolve => {
  const socket = tls.connect({host: '127.0.0.1', port: stack.port, servername: 'localhost', rejectUnauthorized: false}, () => socket.end(bytes));
  let got = '';
  socket.on('data', data => { got += data; }).on('error', () => {}).on('close', () => resolve(got));
  socket.setTimeout(15000, () => socket.destroy());
});

test('strangers: odd heads, bodies of each kind, attacks, floods, HTTP/2', {skip}, async () => {
  const host = `Host: localhost:${stack.port}\r\nConnection: close\r\n`;
  const heads = ['GET / HTTP/1.1\r\n\r\n', `GET /%00 HTTP/1.1\r\n${host}\r\n`, `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`,
    `GET /?${'a=1&'.repeat(1500)} HTTP/1.1\r\n${host}\r\n`, `GET / HTTP/1.1\r\n${host}Cookie: ${'__Host-rempart=x; '.repeat(200)}\r\n\r\n`,
    `POST / HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":[1`, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `GET https://localhost/ HTTP/1.1\r\nHost: other\r\n\r\n`, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x00\x01\x02\r\n\r\n'];
  for (const head of heads) await raw(head);
  const stranger = stack.client();
  const send = (type, body) => stranger.request('POST', '/.rempart/canary/', {body, headers: {'content-type': type}});
  await send('application/json', JSON.stringify({a: Array.from({length: 400}, (_, i) => ({[`k${i}`]: `value ${i} <b>`}))}));
  await send('application/json', '['.repeat(5000));
  await send('application/x-www-form-urlencoded', 'a=%27+OR+1%3D1--&b=%3Cscript%3E&'.repeat(50));
  await send('text/xml', `<a x="1"><![CDATA[union select]]>${'<b>'.repeat(300)}</a>`);
  await send('multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="f"; filename="../x.php"\r\n\r\n<?php\r\n--b--\r\n');
  const statuses = await Promise.all(Array.from({length: 200}, (_, i) => stranger.get(`/?id=${i}%20union%20select%20${i}`).then(({status}) => status)));
  assert.ok(statuses.every(status => status >= 300 && status < 500), [...new Set(statuses)].join(' '));
  const session = http2.connect(stack.origin, {ca: stranger.ca});
  const stream = session.request({':path': '/trust'});
  let status;
  stream.on('response', told => { status = told[':status']; }).resume();
  await new Promise(resolve => stream.on('close', resolve));
  session.destroy();
  assert.equal(status, 200);
});

test('people: every page of the account, wrong passwords, forms without their token, the log', {skip}, async () => {
  const {person} = writers[1];
  for (const target of ['account', 'sessions', 'password', 'recovery', 'members', 'shares']) await person.get(`/.rempart/id/${target}?lang=fr`);
  for (const target of ['/trust', '/trust.json', '/.rempart/api/openapi.json', '/.rempart/api/v1/audit?limit=50', '/.rempart/jwks.json', '/nowhere']) await person.get(target);
  const guesser = stack.client();
  for (let i = 0; i < 3; i++) await guesser.signIn({email: person.email, password: `wrong ${i}`, seed: person.seed});
  assert.equal((await person.post('/.rempart/id/sign-out', {form: 'x'.repeat(32)})).status, 403);
});

test('operators: every listing, the example company, a backup, probes, a reload', {skip}, async () => {
  for (const words of ['status', 'promises', 'tenant list', 'keys status', 'gate list', 'register list', 'ledger tail operator', 'notify list',
    'register example load', 'gate deny 198.51.100.0/24 --reason test', 'promises run hsts', 'promises run own-keys', 'check']) {
    const {code, stderr} = await stack.rempart(...words.split(' '));
    assert.ok(code <= 1, `${words}: ${code} ${stderr}`);
  }
  const {code, stdout, stderr} = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(code, 0, stdout + stderr);
  fs.appendFileSync(stack.file('rempart.yaml'), 'limits: {address_per_second: 300}\n');
  assert.equal((await stack.rempart('reload')).code, 0);
  const before = writers.map(({kept}) => kept.length);
  await until('both write after it', () => writers.every(({kept}, i) => kept.length > before[i]), {seconds: 60});
});

test('no role was lost, and no sanitizer had anything to say, leaks at the end included', {skip}, async () => {
  for (const writer of writers) writer.running = false;
  await Promise.all(writers.map(({done}) => done));
  assert.ok(writers.every(({kept}) => kept.length >= 3));
  const now = await stack.status();
  for (const role of now.roles.filter(({name}) => name !== 'core')) assert.equal(role.pid, roles[role.name], `${role.name}: ${role.last_end}`);
  await stack.down();
  const reports = stack.output.split('\n').filter(line => /Sanitizer|runtime error:/.test(line));
  assert.deepEqual(reports, [], stack.output.slice(-6000));
});

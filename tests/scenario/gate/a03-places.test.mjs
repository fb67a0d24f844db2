// A provider in front, several instances of an application, places with rules of their own.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import {after, before, test} from 'node:test';
import {echoApp} from '../../lib/upstream.mjs';
import {freePort, sleep, until} from '../../lib/stack.mjs';
import {Gate, fastcgi} from './alone.mjs';

let gate, core, app, second, streamed, folder;
const authority = (name, subject) => execFileSync('sh', ['-c', `cd ${folder}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.pem -days 3 -subj '/CN=${name}' 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}-c.key -out ${name}-c.csr -subj '/CN=${subject}' 2>/dev/null
openssl x509 -req -in ${name}-c.csr -CA ${name}.pem -CAkey ${name}.key -CAcreateserial -days 3 -out ${name}-c.pem 2>/dev/null`]);
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-places-'));
  authority('ours', 'device'); authority('theirs', 'device');
  app = await echoApp();
  second = await echoApp();
  streamed = http.createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, {'content-type': 'text/event-stream'});
      response.write('data: first\n\n');
      setTimeout(() => response.end('data: last\n\n'), 1500);
      return;
    }
    if (request.url === '/own') response.setHeader('x-frame-options', 'DENY');
    if (request.url === '/own') response.setHeader('content-security-policy', 'default-src *');
    let got = 0, first = 0;
    request.on('data', data => { first ||= Date.now(); got += data.length; });
    request.on('end', () => response.end(JSON.stringify({got, took: Date.now() - first})));
  });
  await new Promise(resolve => streamed.listen(0, '127.0.0.1', resolve));
  const gone = await freePort();
  gate = await Gate.start(({port, plain}) => `host: localhost
gate: {listen: ${port}, listen_http: ${plain}, body_max_kib: 64, trusted_proxies: [127.0.0.1, 198.51.100.0/24], client_address: header X-Forwarded-For}
apps:
  - name: echo
    upstreams: ["http://127.0.0.1:${gone}", "${app.url}", "${second.url}"]
    paths:
      - {path: /public/, sign_in: none}
      - {path: /admin/, sign_in: required, acr: phr}
      - {path: /status, sign_in: optional}
  - name: stream
    host: stream.test
    upstream: "http://127.0.0.1:${streamed.address().port}"
    sign_in: none
    security_headers: {Referrer-Policy: no-referrer, X-Content-Type-Options: ""}
    paths:
      - {path: /upload/, stream: true, body_max_kib: 10240}
  - name: devices
    host: devices.test
    upstream: "${app.url}"
    sign_in: none
    client_ca: ${folder}/ours.pem
`);
  core = await fastcgi(gate.file('run/core.sock'), params => ({status: '200 OK', headers: {'Content-Type': 'text/plain'}, body: JSON.stringify(params)}));
});
after(async () => {
  await gate?.stop(); await core?.close(); await app?.close(); await second?.close();
  streamed?.closeAllConnections?.(); streamed?.close();
  fs.rmSync(folder, {recursive: true, force: true});
});
const address = async headers => JSON.parse((await gate.ask('/.rempart/id/account', {headers})).text).REMOTE_ADDR;

/* a bad day: a provider's forged headers */
test('of the hops before a trusted proxy the rightmost untrusted one is the client', async () => {
  assert.equal(await address({}), '127.0.0.1');
  assert.equal(await address({'x-forwarded-for': '203.0.113.7'}), '203.0.113.7');
  assert.equal(await address({'x-forwarded-for': '10.9.9.9, 203.0.113.7, 198.51.100.3'}), '203.0.113.7');
  assert.equal(await address({'x-forwarded-for': '2001:db8::7'}), '2001:db8::7');
  assert.equal(await address({'x-forwarded-for': 'nonsense'}), '127.0.0.1');
  const told = JSON.parse((await gate.ask('/public/x', {headers: {'x-forwarded-for': '10.9.9.9, 203.0.113.7', 'x-real-ip': '9.9.9.9', 'cf-connecting-ip': '9.9.9.9', 'x-forwarded-host': 'evil.test'}})).text);
  assert.equal(told.headers['x-forwarded-for'], '203.0.113.7');
  assert.equal(told.headers['x-forwarded-host'], `localhost:${gate.port}`);
  assert.ok(!JSON.stringify(told.rawHeaders).includes('9.9.9.9'), told.rawHeaders.join('|'));
});

test('limits count a client behind the proxy, and an IPv6 client by its /64', async () => {
  const many = client => Promise.all(Array.from({length: 160}, (_, i) => gate.ask('/.rempart/id/sign-in', {headers: {'x-forwarded-for': client(i)}}))).then(all => all.filter(one => one.status === 429).length);
  assert.ok(await many(i => `2001:db8:1:2::${i.toString(16)}`) > 10, 'one /64 is one client');
  assert.equal(await many(i => `2001:db8:1:${(i + 16).toString(16)}::1`), 0, 'others are others');
});

test('each place asks for what its rule says', async () => {
  const ask = (target, headers) => gate.ask(target, {headers}).then(one => one.status);
  const mfa = gate.signIn('m'), phr = gate.signIn('h', {acr: 3});
  assert.equal(await ask('/public/page'), 200);
  assert.equal(await ask('/publicity'), 401);
  assert.equal(await ask('/'), 401);
  assert.equal(await ask('/status'), 200);
  assert.equal(await ask('/status/more'), 401);
  assert.equal(await ask('/', mfa), 200);
  assert.equal(await ask('/admin/x', mfa), 401);
  assert.equal(await ask('/admin/x', phr), 200);
});

test('an address that the application could read differently is refused', async () => {
  const seen = app.seen.length + second.seen.length;
  for (const target of ['/admin/../public/x', '/admin/%2e%2e/public/x', '/public/..;/admin/x', '/admin%2f..%2fpublic/', '/public/\\..\\admin']) {
    assert.equal((await gate.ask(target)).status, 400, target);
  }
  assert.equal(app.seen.length + second.seen.length, seen);
});

/* a bad day: one instance of three is gone, then two */
test('an instance that does not answer costs no request', async () => {
  for (let i = 0; i < 12; i++) assert.equal((await gate.ask('/public/x')).status, 200);
  assert.ok(app.seen.length > 0 && second.seen.length > 0, 'both are used');
  await second.close();
  for (let i = 0; i < 12; i++) assert.equal((await gate.ask('/public/x')).status, 200);
});

test('security headers stand where the application is silent; the operator has the last word', async () => {
  const silent = (await gate.ask('/public/x')).headers;
  assert.equal(silent['x-content-type-options'], 'nosniff');
  assert.equal(silent['x-frame-options'], 'SAMEORIGIN');
  assert.equal(silent['cross-origin-opener-policy'], 'same-origin-allow-popups');
  assert.match(silent['permissions-policy'], /camera=\(\)/);
  assert.equal(silent['content-security-policy'], undefined);
  const own = (await gate.ask('/own', {host: 'stream.test'})).headers;
  assert.equal(own['x-frame-options'], 'DENY');
  assert.equal(own['content-security-policy'], 'default-src *');
  assert.equal(own['referrer-policy'], 'no-referrer');
  assert.equal(own['x-content-type-options'], undefined);
  const page = (await gate.ask('/x', {host: 'unknown.test'})).headers;
  assert.equal(page['x-content-type-options'], 'nosniff');
});

test('server-sent events arrive one by one', async () => {
  const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'stream.test', rejectUnauthorized: false});
  let got = '';
  socket.on('data', data => { got += data; });
  socket.write(`GET /events HTTP/1.1\r\nHost: stream.test:${gate.port}\r\n\r\n`);
  const start = Date.now();
  await until('the first event', () => got.includes('data: first'), {every: 20});
  assert.ok(Date.now() - start < 1200 && !got.includes('data: last'), 'before the last');
  await until('the last event', () => got.includes('data: last'));
  socket.destroy();
});

test('a large body passes as it comes where the place says so, and nowhere else', async () => {
  const upload = (target, chunks) => new Promise((resolve, reject) => {
    const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'stream.test', rejectUnauthorized: false}, async () => {
      socket.write(`POST ${target} HTTP/1.1\r\nHost: stream.test:${gate.port}\r\nContent-Length: ${chunks * 1048576}\r\nConnection: close\r\n\r\n`);
      for (let i = 0; i < chunks && !socket.destroyed; i++) { socket.write(Buffer.alloc(1048576)); await sleep(100); }
    });
    let got = '';
    socket.on('data', data => { got += data; });
    socket.on('close', () => resolve(got));
    socket.on('error', error => (got ? resolve(got) : reject(error)));
  });
  const told = await upload('/upload/film', 8);
  assert.match(told, /^HTTP\/1.1 200 /);
  const {got, took} = JSON.parse(told.match(/\{.*\}/)[0]);
  assert.equal(got, 8 * 1048576);
  assert.ok(took > 400, `the application saw it grow for ${took} ms`);
  assert.match(await upload('/other', 1), /^HTTP\/1.1 413 /);
  assert.match(await upload('/upload/film', 11), /^HTTP\/1.1 413 /);
});

/*= S75 type=test */
test('where a client certificate is asked for, a missing or foreign one is refused', async () => {
  const ask = (name, host = 'devices.test', servername = host) => gate.ask('/', {host, more: {servername, checkServerIdentity: () => undefined,
    ...(name ? {cert: fs.readFileSync(`${folder}/${name}-c.pem`), key: fs.readFileSync(`${folder}/${name}-c.key`)} : {})}, headers: {accept: 'text/html', 'accept-language': 'en'}});
  assert.equal((await ask('ours')).status, 200);
  const none = await ask(null);
  assert.equal(none.status, 403, none.text);
  assert.match(none.text, /Certificate required/);
  assert.equal((await ask('theirs')).status, 403);
  assert.notEqual((await ask(null, 'devices.test', 'localhost')).status, 200, 'nor under another name of TLS');
});

test('heads over the limit are a page that says what to do', async () => {
  const told = await gate.ask('/public/x', {headers: {cookie: 'a='.padEnd(20000, 'x'), accept: 'text/html', 'accept-language': 'en'}});
  assert.equal(told.status, 431);
  assert.match(told.text, /Effacez les cookies/, 'in French: the line with the language was never read');
});

test('the PROXY protocol is believed from trusted ranges alone', async () => {
  const proxied = async trusted => {
    const one = await Gate.start(({port}) => `host: localhost
gate: {listen: ${port}, trusted_proxies: [${trusted}], client_address: proxy_protocol}
apps: [{name: echo, upstream: "${app.url}", sign_in: none}]
`);
    try {
      const raw = net.connect(one.port, '127.0.0.1');
      raw.write('PROXY TCP4 203.0.113.9 127.0.0.1 4711 443\r\n');
      const socket = tls.connect({socket: raw, servername: 'localhost', rejectUnauthorized: false});
      let got = '';
      socket.on('data', data => { got += data; });
      socket.write(`GET / HTTP/1.1\r\nHost: localhost:${one.port}\r\nConnection: close\r\n\r\n`);
      await until('the answer', () => got.includes('x-forwarded-for'));
      return got.match(/"x-forwarded-for":"([^"]*)"/)[1];
    } finally { await one.stop(); }
  };
  assert.equal(await proxied('127.0.0.1'), '203.0.113.9');
  assert.equal(await proxied('198.51.100.0/24'), '127.0.0.1');
});

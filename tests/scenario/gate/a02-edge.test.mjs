// The edge itself: TLS, HSTS, redirects, walls around the workers, the applications' socket.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import {after, before, test} from 'node:test';
import {freePort, sleep, until} from '../../lib/stack.mjs';
import {Gate, fastcgi, module} from './alone.mjs';

let gate, core, app;
before(async () => {
  app = http.createServer((request, response) => {
    if (request.url === '/accel') response.setHeader('x-accel-redirect', '/.rempart/internal/assert');
    if (request.url === '/heads') { response.end(request.rawHeaders.join(' ')); return; }
    if (request.url === '/weak') response.setHeader('strict-transport-security', 'max-age=1');
    response.end('app');
  });
  app.on('upgrade', (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`);
    socket.on('data', data => socket.write(`echo ${data}`));
    socket.on('error', () => {});
  });
  await new Promise(resolve => app.listen(0, '127.0.0.1', resolve));
  gate = await Gate.start(({port, plain}) => `host: localhost
gate: {listen: ${port}, listen_http: ${plain}}
apps:
  - {name: app, upstream: "http://127.0.0.1:${app.address().port}", sign_in: none}
  - {name: gone, host: gone.test, upstream: "unix:run/nobody.sock", sign_in: none}
`);
  core = await fastcgi(gate.file('run/core.sock'), params => ({status: '200 OK', headers: {'Content-Type': 'text/plain'}, body: JSON.stringify(params)}));
});
after(async () => { await core?.close(); await gate?.stop(); app?.closeAllConnections?.(); app?.close(); });

const raw = text => new Promise((resolve, reject) => {
  const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'localhost', ca: fs.readFileSync(gate.file('gate/tls/ca.pem'))}, () => socket.write(text));
  let got = '';
  socket.on('data', data => { got += data; });
  socket.on('end', () => resolve(got));
  socket.on('error', reject);
});
const plain = port => new Promise((resolve, reject) => {
  http.get({host: '127.0.0.1', port, path: '/some/page?a=1', headers: {host: `localhost:${port}`}}, answer => { answer.resume(); resolve(answer); }).on('error', reject);
});

// Whoever chooses the name that an application puts into its links can have a reset link sent to a place of their own.
test('no name but the server\'s own reaches an application, whatever the request line, the port or HTTP/2 say', async () => {
  const heads = (line, host) => raw(`GET ${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await heads('/heads', `localhost:${gate.port}`), /^HTTP\/1\.1 200 /);
  assert.match(await heads(`https://localhost:${gate.port}/heads`, `LOCALHOST:${gate.port}`), /^HTTP\/1\.1 200 /);
  for (const [line, host] of [[`https://localhost:${gate.port}/heads`, 'evil.test'], ['/heads', 'localhost:443@evil.test'],
    ['/heads', 'localhost:1:2'], ['/heads', 'localhost:evil.test'], ['https://localhost/.rempart/id/sign-in', 'evil.test']]) {
    const told = await heads(line, host);
    assert.match(told, /^HTTP\/1\.1 400 /, `${line} ${host}`);
    assert.ok(!told.includes('x-forwarded-host'), told);
  }
  const session = http2.connect(`https://localhost:${gate.port}`, {ca: fs.readFileSync(gate.file('gate/tls/ca.pem'))});
  const stream = session.request({':path': '/heads', ':authority': `localhost:${gate.port}`, host: 'evil.test'});
  let status = 0, text = '';
  stream.on('response', told => { status = told[':status']; }).on('data', data => { text += data; }).on('error', () => {});
  await new Promise(resolve => stream.on('close', resolve));
  session.destroy();
  assert.notEqual(status, 0);
  assert.ok(!text.includes('evil.test'), `${status} ${text}`);
});

/*= S79, S80 type=test */
test('HSTS stands on every answer over TLS, errors that nginx makes by itself included', async () => {
  const hsts = 'max-age=63072000; includeSubDomains';
  for (const [target, options] of [['/', {}], ['/trust', {}], ['/.rempart/pages/x', {}], ['/', {host: 'gone.test'}],
    ['/', {host: 'unknown.test'}], ['/.rempart/log/public/none', {}], ['/weak', {}], ['/', {host: '127.0.0.1', more: {servername: ''}}]]) {
    const told = await gate.ask(target, options);
    assert.equal(told.headers['strict-transport-security'], hsts, `${target} ${told.status}`);
  }
  for (const bad of ['GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', `GET /${'a'.repeat(40000)} HTTP/1.1\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(40000)}\r\n\r\n`, 'TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n']) {
    const told = await raw(bad);
    assert.match(told, /^HTTP\/1\.1 4\d\d /, told.slice(0, 80));
    assert.match(told, /\r\nStrict-Transport-Security: max-age=63072000/, told.slice(0, 400));
    assert.doesNotMatch(told, /nginx\/\d/);
  }
});

/*= S80 type=test */
test('plain HTTP is led to HTTPS, on the TLS port too', async () => {
  for (const port of [gate.port, gate.plain]) {
    const told = await plain(port);
    assert.equal(told.statusCode, 301);
    assert.equal(told.headers.location, `https://localhost:${gate.port}/some/page?a=1`);
  }
});

/*= S73, S74, S78 type=test */
test('TLS 1.2 and 1.3 with ephemeral keys, nothing older or weaker, no tickets', async () => {
  const shake = options => new Promise(resolve => {
    const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'localhost', rejectUnauthorized: false, ...options}, () => {
      resolve({protocol: socket.getProtocol(), cipher: socket.getCipher().name, key: socket.getEphemeralKeyInfo().type, ticket: socket.getTLSTicket()});
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
  });
  const twelve = await shake({maxVersion: 'TLSv1.2'});
  assert.equal(twelve.protocol, 'TLSv1.2');
  assert.match(twelve.cipher, /^ECDHE-.*GCM|CHACHA/);
  assert.equal(twelve.ticket, undefined);
  assert.equal((await shake({})).protocol, 'TLSv1.3');
  assert.equal(await shake({minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0'}), null);
  for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'DHE-RSA-AES128-GCM-SHA256']) {
    assert.equal(await shake({maxVersion: 'TLSv1.2', ciphers}), null, ciphers);
  }
});

test('an unknown host is refused, the machine\'s address leads to its name', async () => {
  assert.equal((await gate.ask('/trust', {host: 'unknown.test'})).status, 421);
  const told = await gate.ask('/a?b', {host: '127.0.0.1', more: {servername: ''}});
  assert.equal(told.status, 308);
  assert.equal(told.headers.location, `https://localhost:${gate.port}/a?b`);
});

/* a bad day: the application is gone */
test('a dead application is a page in the reader\'s language, or a problem document', async () => {
  const ask = headers => gate.ask('/', {host: 'gone.test', headers});
  const french = await ask({accept: 'text/html', 'accept-language': 'fr-FR,fr;q=0.9,en;q=0.5'});
  assert.equal(french.status, 502);
  assert.match(french.text, /<html lang="fr">[\s\S]*Réessayer/);
  assert.match((await ask({accept: 'text/html', 'accept-language': 'en'})).text, /<html lang="en">[\s\S]*Try again/);
  assert.match((await ask({accept: 'text/html', 'accept-language': 'fr', cookie: '__Host-rempart-lang=en'})).text, /<html lang="en">/);
  const json = await ask({accept: 'application/json', 'accept-language': 'en'});
  assert.equal(JSON.parse(json.text).code, 'upstream_down');
});

test('an application cannot send nginx into a place of ours', async () => {
  const before = core.asked.length;
  const told = await gate.ask('/accel');
  assert.equal(told.status, 200);
  assert.equal(told.text, 'app');
  assert.equal(told.headers['x-accel-redirect'], undefined);
  assert.equal(core.asked.length, before);
});

test('HTTP/2 is judged like HTTP/1.1', async () => {
  const session = http2.connect(`https://localhost:${gate.port}`, {ca: fs.readFileSync(gate.file('gate/tls/ca.pem')), lookup: (name, options, done) => options.all ? done(null, [{address: '127.0.0.1', family: 4}]) : done(null, '127.0.0.1', 4)});
  const told = await new Promise((resolve, reject) => {
    const stream = session.request({':path': '/heads', 'rempart-assertion': 'forged', 'x-remote-user': 'forged', cookie: '__Host-rempart-form=f'});
    let heads, text = '';
    stream.on('response', got => { heads = got; });
    stream.on('data', data => { text += data; });
    stream.on('end', () => resolve({heads, text}));
    stream.on('error', reject);
  });
  session.close();
  assert.equal(told.heads[':status'], 200);
  assert.match(told.heads['strict-transport-security'], /max-age=63072000/);
  assert.doesNotMatch(told.text, /forged|__Host-rempart/);
  assert.match(told.text, /x-forwarded-proto/i);
});

test('too many requests are told to wait', async () => {
  const agent = new https.Agent({keepAlive: true, maxSockets: 8});
  const all = await Promise.all(Array.from({length: 180}, () => gate.ask('/.rempart/id/sign-in', {more: {agent}, headers: {accept: 'text/html', 'accept-language': 'en'}})));
  agent.destroy();
  const refused = all.filter(one => one.status === 429);
  assert.ok(refused.length > 20 && refused.length < 120, `${refused.length} refused`);
  assert.match(refused[0].headers['retry-after'], /^[1-9]\d*$/);
  assert.match(refused[0].text, /Too many requests/);
});

test('WebSocket goes through, another upgrade does not', async () => {
  const upgrade = protocol => raw(`GET /socket HTTP/1.1\r\nHost: localhost:${gate.port}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'localhost', rejectUnauthorized: false}, () =>
    socket.write(`GET /socket HTTP/1.1\r\nHost: localhost:${gate.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`));
  let got = '', sent = false;
  socket.on('data', data => {
    got += data;
    if (!sent && got.includes('101 Switching')) { sent = true; socket.write('hello'); }
  });
  await until('the echo', () => got.includes('echo hello'));
  socket.destroy();
  const other = await Promise.race([upgrade('h2c'), sleep(1500).then(() => '')]);
  assert.doesNotMatch(other, /101 Switching/);
});

test('core learns the client\'s address, scheme and host; never an application\'s name', async () => {
  const told = JSON.parse((await gate.ask('/.rempart/id/account?lang=en', {headers: {'REMPART-APP': 'x', 'x-forwarded-for': '9.9.9.9'}})).text);
  assert.equal(told.REMOTE_ADDR, '127.0.0.1');
  assert.equal(told.REQUEST_SCHEME, 'https');
  assert.equal(told.HTTPS, 'on');
  assert.equal(told.HTTP_HOST, `localhost:${gate.port}`);
  assert.equal(told.DOCUMENT_URI, '/.rempart/id/account');
  assert.equal(told.QUERY_STRING, 'lang=en');
  assert.match(told.REMPART_REQUEST_ID, /^[0-9a-f]{32}$/);
  assert.equal(told.REMPART_APP, undefined);
});

test('the public log is plain files with the right heads', async () => {
  fs.mkdirSync(gate.file('ledger/public/tile/0'), {recursive: true});
  fs.writeFileSync(gate.file('ledger/public/checkpoint'), 'origin\n1\n');
  fs.writeFileSync(gate.file('ledger/public/tile/0/000'), 'tile');
  const checkpoint = await gate.ask('/.rempart/log/public/checkpoint');
  assert.equal(checkpoint.text, 'origin\n1\n');
  assert.match(checkpoint.headers['content-type'], /^text\/plain/);
  assert.equal(checkpoint.headers['cache-control'], 'public, max-age=1');
  const tile = await gate.ask('/.rempart/log/public/tile/0/000');
  assert.equal(tile.headers['content-type'], 'application/octet-stream');
  assert.match(tile.headers['cache-control'], /immutable/);
  const outside = await gate.ask('/.rempart/log/public/%2e%2e/%2e%2e/kms/root');
  assert.equal(JSON.parse(outside.text).DOCUMENT_URI, '/.rempart/kms/root', 'no file: a path that core knows nothing of');
});

test('applications have a socket of their own, for the API alone', async () => {
  const file = gate.file('run/api.sock');
  assert.equal(fs.statSync(file).mode & 0o777, 0o660);
  const ask = target => new Promise((resolve, reject) => {
    http.get({socketPath: file, path: target, headers: {host: 'x'}}, answer => {
      let text = '';
      answer.on('data', data => { text += data; });
      answer.on('end', () => resolve({status: answer.statusCode, text}));
    }).on('error', reject);
  });
  const api = await ask('/.rempart/api/v1/spaces/notes');
  assert.equal(JSON.parse(api.text).DOCUMENT_URI, '/.rempart/api/v1/spaces/notes');
  for (const target of ['/', '/trust', '/.rempart/id/sign-in', '/.rempart/internal/assert']) assert.equal((await ask(target)).status, 404);
});

/*= S104, S105 type=test */
test('each worker stands within its walls', async () => {
  const [pid] = gate.worker;
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  assert.match(status, /^Seccomp:\s*2$/m);
  assert.match(status, /^NoNewPrivs:\s*1$/m);
  if (process.getuid() === 0) assert.doesNotMatch(status, /^Uid:\s*0\s/m);
  const {seccomp, own_user: ownUser} = JSON.parse(gate.said.split('\n')[1]);
  assert.equal(seccomp, true);
  assert.equal(ownUser, process.getuid() === 0);
});

test('keys are the master\'s alone, the authority\'s certificate is everybody\'s', () => {
  for (const name of ['ca.key', 'leaf.key']) assert.equal(fs.statSync(gate.file('gate/tls', name)).mode & 0o777, 0o600);
  assert.equal(fs.statSync(gate.file('gate/tls/ca.pem')).mode & 0o777, 0o644);
  const text = execFileSync('openssl', ['verify', '-CAfile', gate.file('gate/tls/ca.pem'), gate.file('gate/tls/leaf.pem')], {encoding: 'utf8'});
  assert.match(text, /OK/);
});

test('a reload keeps serving and recording; a killed worker is replaced', async () => {
  gate.records();
  const [old] = gate.worker;
  gate.child.kill('SIGHUP');
  await until('another worker', () => !gate.worker.includes(old) && gate.worker.length > 0);
  assert.equal((await gate.ask('/after-reload')).status, 200);
  process.kill(gate.worker[0], 'SIGKILL');
  await until('served again', async () => (await gate.ask('/after-kill')).status === 200);
  // A record is written when the request ends: a moment after its answer.
  const told = [];
  await until('both records', () => {
    told.push(...gate.records());
    return ['/after-reload', '/after-kill'].every(path => told.some(line => line.endsWith(`path=${path}`)));
  });
});

test('rendering again changes nothing and overwrites an edit by hand', () => {
  const conf = gate.file('gate/nginx.conf');
  const before = fs.readFileSync(conf, 'utf8');
  assert.match(before, /^# Generated by rempart-gate /);
  const leaf = fs.readFileSync(gate.file('gate/tls/leaf.pem'), 'utf8');
  fs.writeFileSync(conf, before.replace('rempart_hsts on', 'rempart_hsts off'));
  const program = fs.readlinkSync(`/proc/${gate.child.pid}/exe`);
  assert.match(program, /nginx$/);
  execFileSync(path.join(path.dirname(module), '../../daemons/gate/rempart-gate'), ['--state', gate.state, '--module', module, '--render']);
  assert.equal(fs.readFileSync(conf, 'utf8'), before);
  assert.equal(fs.readFileSync(gate.file('gate/tls/leaf.pem'), 'utf8'), leaf);
});

test('the module alone in a foreign nginx does nothing', async () => {
  const port = await freePort();
  const folder = fs.mkdtempSync(path.join(gate.state, 'foreign-'));
  fs.writeFileSync(path.join(folder, 'nginx.conf'), `load_module ${module};\ndaemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}\nhttp { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u;
scgi_temp_path ${folder}/s; server { listen 127.0.0.1:${port}; location / { add_header Set-Cookie a=1; return 200 plain; } } }\n`);
  const foreign = spawn('/usr/sbin/nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'], {stdio: 'ignore'});
  try {
    const told = await until('an answer', () => plain(port));
    assert.equal(told.statusCode, 200);
    assert.deepEqual(told.headers['set-cookie'], ['a=1']);
    assert.equal(told.headers['strict-transport-security'], undefined);
  } finally {
    foreign.kill('SIGKILL');
  }
});

test('a port that is taken is said plainly', async () => {
  const taken = net.createServer();
  await new Promise(resolve => taken.listen(0, '127.0.0.1', resolve));
  const {port} = taken.address();
  const folder = fs.mkdtempSync(path.join(gate.state, 'busy-'));
  fs.writeFileSync(path.join(folder, 'rempart.yaml'), `gate: {listen: ${port}}\n`);
  const child = spawn(path.join(path.dirname(module), '../../daemons/gate/rempart-gate'), ['--state', folder, '--module', module], {stdio: ['ignore', 'ignore', 'pipe']});
  let said = '';
  child.stderr.on('data', data => { said += data; });
  const code = await new Promise(resolve => child.on('close', resolve));
  taken.close();
  assert.notEqual(code, 0);
  assert.match(said, new RegExp(`127\\.0\\.0\\.1:${port}.*Address already in use`));
});

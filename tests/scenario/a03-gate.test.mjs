// What the gate takes away and adds: forged headers, weak cookies, HSTS, the dead application.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import tls from 'node:tls';
import {after, before, test} from 'node:test';
import {echoApp} from '../lib/upstream.mjs';
import {Stack, sleep, until} from '../lib/stack.mjs';

let stack, app, person;
before(async () => {
  app = await echoApp({setCookie: ['bare=1; Path=/', 'own=2; Path=/; SameSite=Strict']});
  stack = await Stack.start({app: null, config: port => `host: localhost
gate:
  listen: ${port}
  body_max_kib: 64
apps:
  - name: echo
    upstream: ${app.url}
    sign_in: required
    identity_headers:
      X-Remote-User: email
      X-Remote-Subject: subject
`});
  person = await stack.firstAdministrator();
});
after(async () => { await stack?.stop(); await app?.close(); });

/*= S67 type=test */
test('a forged assertion and forged identity never reach the application', async () => {
  const answer = await person.get('/who', {headers: {'Rempart-Assertion': 'forged', 'X-Remote-User': 'root',
    'x_remote_user': 'root', 'X-REMOTE-SUBJECT': 'root'}});
  assert.equal(answer.status, 200, answer.text);
  const {headers, rawHeaders} = answer.json();
  assert.equal(headers['x-remote-user'], person.email);
  assert.notEqual(headers['rempart-assertion'], 'forged');
  assert.ok(!rawHeaders.some(text => text === 'forged' || text === 'root'), rawHeaders.join('|'));
  assert.equal(rawHeaders.filter(name => /^rempart-assertion$/i.test(name)).length, 1);
});

test('the assertion verifies with the published key and says who, where, how strongly', async () => {
  const {headers} = (await person.get('/who')).json();
  const [head, claims, signature] = headers['rempart-assertion'].split('.');
  const {kid, alg} = JSON.parse(Buffer.from(head, 'base64url'));
  assert.equal(alg, 'ES256');
  const {keys} = (await stack.client().get('/.rempart/jwks.json')).json();
  const key = crypto.createPublicKey({key: keys.find(one => one.kid === kid), format: 'jwk'});
  assert.ok(crypto.verify('sha256', Buffer.from(`${head}.${claims}`), {key, dsaEncoding: 'ieee-p1363'}, Buffer.from(signature, 'base64url')));
  const said = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.equal(said.aud, 'echo');
  assert.equal(said.acr, 'mfa');
  assert.ok(said.exp - said.iat <= 60);
  assert.equal(headers['x-remote-subject'], said.sub);
});

/*= S81 type=test */
test('the session cookie stays at the gate; the application\'s cookies are hardened', async () => {
  const answer = await person.get('/who');
  for (const line of answer.headers['set-cookie']) {
    assert.match(line, /; *Secure/i);
    assert.match(line, /; *HttpOnly/i);
  }
  assert.match(answer.headers['set-cookie'][1], /SameSite=Strict/i);
  assert.ok(!(answer.json().headers.cookie ?? '').includes('__Host-rempart='), 'the session is not the application\'s business');
});

/*= S79, S80 type=test */
test('HSTS on every answer: pages, errors, refusals', async () => {
  const stranger = stack.client();
  for (const target of ['/', '/trust', '/.rempart/nothing', '/.rempart/log/public/checkpoint', '/.rempart/log/public/none']) {
    const answer = await stranger.get(target);
    assert.match(answer.headers['strict-transport-security'] ?? '', /max-age=\d{8,}/, `${target} ${answer.status}`);
  }
});

test('a body over the limit is refused, not truncated', async () => {
  const answer = await person.request('POST', '/upload', {body: 'x'.repeat(70 * 1024)});
  assert.equal(answer.status, 413);
  assert.ok(!app.seen.some(({url}) => url === '/upload'));
});

test('requests that smuggle or overflow are refused', async () => {
  const long = await person.get('/' + 'a'.repeat(40000)).catch(error => ({status: error.code}));
  assert.ok([414, 400, 431].includes(long.status), `${long.status}`);
});

// Whoever waits for the answer to a broken body would hold the connection for good, and thousands of them the gate.
test('a body that breaks off its own framing, or outgrows its limit on the way, is answered and hung up on', async () => {
  const told = (head, ...parts) => new Promise((resolve, reject) => {
    const socket = tls.connect({host: '127.0.0.1', port: stack.port, servername: 'localhost', ca: stack.client().ca}, async () => {
      socket.write(`POST /broken HTTP/1.1\r\nHost: localhost:${stack.port}\r\n${head}\r\n`);
      for (const part of parts) { await sleep(50); socket.write(part); }
    });
    let got = '';
    socket.on('data', data => { got += data; }).on('error', () => {}).on('close', () => resolve(got));
    socket.setTimeout(10000, () => { socket.destroy(); reject(new Error(`neither answered nor closed: ${got}`)); });
  });
  const chunked = 'Transfer-Encoding: chunked\r\n';
  assert.match(await told(`${chunked}\r\nzz\r\n`), /^HTTP\/1\.1 400 /, 'with the head');
  assert.match(await told(chunked, 'zz\r\n'), /^HTTP\/1\.1 400 /, 'after it');
  assert.match(await told(chunked, '5\r\nabcde\r\n', '-1\r\n'), /^HTTP\/1\.1 400 /, 'after a good one');
  assert.match(await told(chunked, `${(80 * 1024).toString(16)}\r\n${'x'.repeat(80 * 1024)}\r\n0\r\n\r\n`), /^HTTP\/1\.1 413 /);
  assert.ok(!app.seen.some(({url}) => url === '/broken'));
});

/* a bad day: a dead upstream */
test('a dead application is a calm page that says what to do, in the reader\'s language', async () => {
  await app.close();
  const french = stack.client({lang: 'fr', cookies: person.cookies});
  const page = await french.get('/');
  assert.equal(page.status, 502);
  assert.match(page.text, /lang="fr"/);
  assert.equal((await stack.client().get('/trust')).status, 200);
  await until('the event', async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout.includes('gate.upstream_down'));
});

// Who gets through to an application, as whom, and what the others are told.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {echoApp} from '../../lib/upstream.mjs';
import {Gate, cookie, fastcgi, id} from './alone.mjs';
import {until} from '../../lib/stack.mjs';

let gate, app, core, answer;
before(async () => {
  app = await echoApp({setCookie: ['bare=1', '__Host-rempart=stolen; Secure; Path=/', 'own=2; SameSite=Strict']});
  gate = await Gate.start(({port, plain}) => `host: localhost
gate: {listen: ${port}, listen_http: ${plain}, body_max_kib: 64}
apps:
  - name: echo
    upstream: ${app.url}
    sign_in: required
    identity_headers: {X-Remote-User: email, X-Person: subject, X-Tenant: tenant, X-Roles: roles}
  - name: open
    host: open.test
    upstream: ${app.url}
    sign_in: optional
`);
  core = await fastcgi(gate.file('run/core.sock'), params => answer(params));
});
after(async () => { await core?.close(); await gate?.stop(); await app?.close(); });

const browser = {accept: 'text/html,*/*;q=0.8', 'accept-language': 'en'};

test('a browser without a session is sent to sign in and back', async () => {
  const told = await gate.ask('/notes?day=1&x=%20', {headers: browser});
  assert.equal(told.status, 302);
  assert.equal(told.headers.location, '/.rempart/id/sign-in?next=/notes%3Fday%3D1%26x%3D%2520');
});

test('a program without a session gets a problem document; a form gets a page', async () => {
  const program = await gate.ask('/api', {headers: {accept: 'application/json', 'accept-language': 'en'}});
  assert.equal(program.status, 401);
  assert.match(program.headers['content-type'], /application\/problem\+json/);
  assert.equal(JSON.parse(program.text).code, 'sign_in_required');
  const form = await gate.ask('/save', {method: 'POST', body: 'a=1', headers: browser});
  assert.equal(form.status, 401);
  assert.match(form.text, /<html lang="en">[\s\S]*Sign in/);
});

/*= S104 type=test */
test('forged identity never reaches the application, what the gate knows does', async () => {
  const headers = {...gate.signIn('a'), 'Rempart-Assertion': 'forged', 'REMPART-Role': 'forged', 'X-Remote-User': 'forged',
    'X-Roles': 'forged', 'X-Forwarded-For': 'forged', 'X-Original-URL': 'forged', Proxy: 'forged', 'X-Trick': 'forged',
    Connection: 'close, X-Trick'};
  const told = await gate.ask('/who?q=1', {headers});
  assert.equal(told.status, 200, told.text);
  const {headers: got, rawHeaders} = JSON.parse(told.text);
  assert.ok(!rawHeaders.includes('forged'), rawHeaders.join('|'));
  assert.equal(got['rempart-assertion'], 'head.claims.signature');
  assert.equal(got['x-remote-user'], 'ann@example.test');
  assert.equal(got['x-person'], id('2'));
  assert.equal(got['x-tenant'], id('3'));
  assert.equal(got['x-roles'], 'member tenant_admin');
  assert.equal(got['x-forwarded-for'], '127.0.0.1');
  assert.equal(got['x-forwarded-proto'], 'https');
});

test('our cookies stay at the gate, the application\'s own go through', async () => {
  const {cookie: session} = gate.signIn('a');
  const told = await gate.ask('/', {headers: {cookie: `x=1; ${session}; __Host-rempart-form=f; y=2`}});
  assert.equal(JSON.parse(told.text).headers.cookie, 'x=1; y=2');
  const alone = await gate.ask('/', {headers: {cookie: session}});
  assert.equal(JSON.parse(alone.text).headers.cookie, undefined);
});

/*= S81 type=test */
test('the application\'s cookies are hardened; one of our name is dropped', async () => {
  const told = await gate.ask('/', {headers: gate.signIn('a')});
  assert.deepEqual(told.headers['set-cookie'], ['bare=1; Secure; HttpOnly; SameSite=Lax', 'own=2; SameSite=Strict; Secure; HttpOnly']);
});

test('two session cookies are none', async () => {
  const {cookie: session} = gate.signIn('a');
  const told = await gate.ask('/', {headers: {cookie: `${session}; __Host-rempart=${cookie('b')}`}});
  assert.equal(told.status, 401);
});

/*= S99 type=test */
test('a session of the password alone is sent to its second step', async () => {
  const told = await gate.ask('/x', {headers: {...browser, ...gate.signIn('p', {acr: 1})}});
  assert.equal(told.status, 302);
  assert.equal(told.headers.location, '/.rempart/id/sign-in?step=mfa&next=/x');
});

/*= S175 type=test */
test('a revoked session is none at the next request', async () => {
  const headers = gate.signIn('r');
  assert.equal((await gate.ask('/', {headers})).status, 200);
  gate.table('revoke', cookie('r'));
  assert.equal((await gate.ask('/', {headers})).status, 401);
});

test('an optional place knows who is there, and serves strangers without a name', async () => {
  const known = await gate.ask('/', {host: 'open.test', headers: gate.signIn('a', {app: 'open'})});
  assert.equal(JSON.parse(known.text).headers['rempart-assertion'], 'head.claims.signature');
  const stranger = await gate.ask('/', {host: 'open.test', headers: {'rempart-assertion': 'forged'}});
  assert.equal(stranger.status, 200);
  assert.equal(JSON.parse(stranger.text).headers['rempart-assertion'], undefined);
});

test('without an assertion core is asked once, for this application', async () => {
  const headers = gate.signIn('c', {app: null});
  gate.table('init');
  gate.table('put', cookie('c'), 2, id('4'), id('2'), id('3'), 600);
  const before = core.asked.length;
  answer = params => {
    gate.table('assert', id('4'), params.REMPART_APP, 'fresh.from.core', 'ann@example.test', 'member', 0);
    return {status: '204 No Content'};
  };
  await new Promise(resolve => setTimeout(resolve, 1300)); // the worker maps the new tables
  const told = await gate.ask('/who', {method: 'POST', body: 'kept', headers: {...headers, 'content-type': 'text/plain'}});
  assert.equal(told.status, 200, told.text);
  const got = JSON.parse(told.text);
  assert.equal(got.headers['rempart-assertion'], 'fresh.from.core');
  assert.equal(got.body, 'kept');
  await gate.ask('/again', {headers});
  assert.equal(core.asked.length, before + 1);
  const {params} = core.asked.at(-1);
  assert.equal(params.DOCUMENT_URI, '/.rempart/internal/assert');
  assert.equal(params.REMPART_APP, 'echo');
  assert.equal(params.REQUEST_METHOD, 'GET');
  assert.ok(params.HTTP_COOKIE.includes(cookie('c')));
});

test('core\'s refusal counts; its silence does not shut out an assertion of half a minute ago', async () => {
  const ask = async (status, age) => {
    answer = () => ({status});
    return (await gate.ask('/', {headers: {...browser, ...gate.signIn('d', {age, jwt: 'old.but.valid'})}})).status;
  };
  assert.equal(await ask('401 Unauthorized', 40000), 302);
  assert.equal(await ask('403 Forbidden', 40000), 403);
  assert.equal(await ask('503 Service Unavailable', 40000), 200);
  assert.equal(await ask('503 Service Unavailable', 56000), 503);
});

/* a bad day: core fell silent */
test('a core silent for a minute closes required places calmly and leaves the others open', async () => {
  const headers = gate.signIn('e');
  gate.table('beat', 61000);
  const closed = await gate.ask('/', {headers: {...headers, ...browser}});
  assert.equal(closed.status, 503);
  assert.match(closed.text, /Try again/);
  assert.equal(closed.headers['retry-after'], '5');
  assert.equal((await gate.ask('/', {host: 'open.test', headers})).status, 200);
  gate.table('beat', 0);
  assert.equal((await gate.ask('/', {headers})).status, 200);
});

test('the internal place and the pages cannot be asked for', async () => {
  for (const target of ['/.rempart/internal/assert', '/.rempart/pages/502.fr.html', '/%2erempart/internal/assert', '/x/../.rempart/internal/assert']) {
    assert.equal((await gate.ask(target)).status, 404, target);
  }
});

test('each request leaves a record with its reason, none with its query', async () => {
  gate.records();
  await gate.ask('/ok?secret=1', {headers: gate.signIn('f')});
  await gate.ask('/no?secret=1');
  await gate.ask('/big', {method: 'POST', body: 'x'.repeat(70000), headers: gate.signIn('f')}).catch(() => {});
  await gate.ask('/', {host: 'unknown.test'});
  // A record is written when the request ends: a moment after its answer.
  const told = [];
  await until('four records', () => told.push(...gate.records()) >= 4);
  assert.ok(told.some(line => /kind=1 reason=none status=200 session=1 method=GET host=localhost app=echo path=\/ok$/.test(line)), told.join('\n'));
  assert.ok(told.some(line => /kind=2 reason=no_session status=401 .* path=\/no$/.test(line)), told.join('\n'));
  assert.ok(told.some(line => /reason=too_large status=413/.test(line)), told.join('\n'));
  assert.ok(told.some(line => /reason=unknown_host status=421/.test(line)), told.join('\n'));
  assert.ok(!told.some(line => line.includes('secret')));
});

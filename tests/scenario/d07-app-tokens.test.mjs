// A bad day: an application's token leaks. Alone it reaches nothing; it is replaced without a pause. And what an
// organisation lets an application do while nobody of theirs is there.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import http from 'node:http';
import {canaryPerson} from '../lib/canary.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack, admin, assertion;

// A call of the notes application with whatever it has.
const call = (method, target, {token, assertion, grant, body} = {}) => new Promise((resolve, reject) => {
  const bytes = body && Buffer.from(JSON.stringify(body));
  const request = http.request({socketPath: stack.file('run/api.sock'), method, path: `/.rempart/api/v1/${target}`, headers: {
    host: 'localhost', accept: 'application/json', ...(token && {authorization: `Bearer ${token}`}),
    ...(assertion && {'rempart-assertion': assertion}), ...(grant && {'rempart-grant': grant}),
    ...(bytes && {'content-type': 'application/json', 'content-length': bytes.length})}}, answer => {
    const chunks = [];
    answer.on('data', chunk => chunks.push(chunk)).on('end', () => {
      const text = Buffer.concat(chunks).toString();
      resolve({status: answer.statusCode, text, json: /json/.test(answer.headers['content-type'] ?? '') && text ? JSON.parse(text) : null});
    });
  });
  request.on('error', reject).end(bytes);
});

const appToken = () => fs.readFileSync(stack.file('apps/notes.token'), 'utf8').trim();
async function form(path, fields) {
  const page = await admin.get(path);
  return admin.submit(page, fields, {action: path});
}

before(async () => {
  stack = await Stack.start({app: null, upstream: 'http://127.0.0.1:1'});
  admin = await stack.firstAdministrator();
  // What the gate would hand to the application is asked for where an application would show it: the notes app is not
  // running, so a tiny one stands in its place and tells what it was given.
  const seen = http.createServer((request, answer) => answer.end(request.headers['rempart-assertion'] ?? ''));
  await new Promise(resolve => seen.listen(stack.file('run/notes.sock'), resolve));
  seen.unref();
});
after(() => stack?.stop());

test('the token that leaked reaches nobody’s data alone', async () => {
  const token = appToken();
  for (const target of ['spaces/notes', 'spaces/notes/0123456789abcdef0123456789abcdef', 'files/notes', 'usage', 'shares', 'collections/notes']) {
    assert.equal((await call('GET', target, {token})).status, 401, target);
  }
  assert.equal((await call('POST', 'spaces/notes', {token, body: {}})).status, 401);
  assert.equal((await call('GET', 'spaces/notes', {token, grant: `${'0'.repeat(32)}.${'A'.repeat(43)}`})).status, 401);
  const {api, client, token: its} = await canaryPerson(stack, 0);
  for (const [scheme, status] of [['bearer', 201], ['BEARER', 201], ['Basic', 401]]) {
    assert.equal((await api('POST', 'spaces/notes', {x: 1}, {authorization: `${scheme} ${its}`})).status, status, scheme);
  }
  const foreign = (await client.get('/.rempart/canary/')).json().assertion;
  assert.equal((await call('GET', 'spaces/notes', {token, assertion: foreign})).status, 403, 'an assertion for another application');
});

test('it is replaced without a pause: new, hand over, take back', async () => {
  const old = appToken();
  const made = await stack.rempart('app', 'token', 'new', 'notes', '--scopes', 'records:read,records:write', '--days', '90', '--json');
  assert.equal(made.code, 0, made.stderr);
  const fresh = JSON.parse(made.stdout);
  assert.equal(fresh.scopes, 'records:read,records:write');
  assert.match(fresh.until, /^\d{4}-/);
  const {stdout} = await stack.rempart('app', 'token', 'list', '--json');
  assert.ok(!stdout.includes(fresh.token), 'a token is shown once');
  const before = JSON.parse(stdout).tokens.find(one => one.app === 'notes' && one.id !== fresh.id);
  // Both are good until the old one is taken back; what stands behind them is asked for first.
  for (const token of [old, fresh.token]) {
    const {json} = await call('GET', 'spaces/notes', {token, assertion: 'x.y.z'});
    assert.equal(json.code, 'bad_signature', 'the token is known');
  }
  const revoked = await stack.rempart('app', 'token', 'revoke', before.id);
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.equal((await call('GET', 'spaces/notes', {token: old, assertion: 'x.y.z'})).json.code, 'unauthenticated');
  assert.equal((await call('GET', 'spaces/notes', {token: fresh.token, assertion: 'x.y.z'})).json.code, 'bad_signature');
  assert.notEqual((await stack.rempart('app', 'token', 'revoke', before.id)).code, 0, 'twice is told');
  for (const args of [['new', 'nobody'], ['new', 'notes', '--scopes', 'everything'], ['new', 'notes', '--days', '0'], ['revoke', 'x']]) {
    const {code, stderr} = await stack.rempart('app', 'token', ...args);
    assert.notEqual(code, 0, args.join(' '));
    assert.ok(stderr.length > 10);
  }
  fs.writeFileSync(stack.file('apps/notes.token'), `${fresh.token}\n`);
});

/*= S175 type=test */
test('a grant: given by an administrator, for one application, what it says and no more, and ended', async () => {
  const token = appToken();
  const page = await form('/.rempart/id/grants', {app: 'notes', may: 'read', days: '7', do: 'give'});
  assert.equal(page.status, 200);
  const grant = /data-grant="([0-9a-f]{32}\.[\w-]{43})"/.exec(page.text)[1];
  assert.equal((await call('GET', 'spaces/notes', {token, grant})).status, 200);
  const refused = await call('POST', 'spaces/notes', {token, grant, body: {x: 1}});
  assert.equal(refused.status, 403);
  assert.match(refused.json.detail, /records:write/);
  assert.equal((await call('GET', 'files/notes', {token, grant})).status, 403, 'the token itself may not read files');
  assert.equal((await call('GET', 'spaces/notes', {grant})).status, 401, 'a grant alone is nothing');
  const {token: canaryToken} = await canaryPerson(stack, 0);
  assert.equal((await call('GET', 'spaces/notes', {token: canaryToken, grant})).status, 401, 'nor with another application’s token');
  const forged = grant.slice(0, -2) + (grant.endsWith('A') ? 'BA' : 'AA');
  assert.equal((await call('GET', 'spaces/notes', {token, grant: forged})).status, 401);
  const list = await admin.get('/.rempart/id/grants');
  assert.ok(!list.text.includes(grant.split('.')[1]), 'shown once');
  const id = /name="grant" value="([0-9a-f]{32})"/.exec(list.text)[1];
  const csrf = /name="form" value="([^"]+)"/.exec(list.text)[1];
  const ended = await admin.post('/.rempart/id/grants', {form: csrf, do: 'end', grant: id});
  assert.equal(ended.status, 200);
  assert.equal((await call('GET', 'spaces/notes', {token, grant})).status, 401, 'ended at once');
  await until('given, used and ended in the organisation\'s own log', async () => {
    const {text} = await admin.get('/.rempart/api/v1/audit?newest=1&limit=50');
    return ['grant.created', 'grant.used', 'grant.ended'].every(one => text.includes(one));
  });
});

test('a member gives no grants', async () => {
  const {stdout} = await stack.rempart('tenant', 'list', '--json');
  const main = JSON.parse(stdout).tenants.find(one => one.name === 'main') ?? JSON.parse(stdout).tenants[0];
  const invited = await stack.rempart('person', 'invite', 'mia@example.com', '--tenant', main.id, '--role', 'member');
  assert.equal(invited.code, 0, invited.stderr);
  const member = await stack.enrol(invited.stdout.trim());
  assert.equal((await member.get('/.rempart/id/grants')).status, 403);
});

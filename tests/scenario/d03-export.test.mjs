// Everything that a tenant keeps, taken out: readable by tar, gzip and a JSON parser alone.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack, client, api, tenants;
const records = new Map();
const rempart = (...args) => run(path.join(bin, 'rempart'), [...args, '--state', stack.state], {cwd: stack.state, env: {...stack.env, LANG: 'C'}});
const put = async (target, document) => {
  const {status, json} = await api('POST', target, document);
  assert.equal(status, 201);
  records.set(json.id, {label: json.label, document});
  return json.id;
};

before(async () => {
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\n`});
  const {app_token: token, people} = JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8'));
  tenants = people.map(one => one.tenant);
  client = stack.client();
  await client.signIn(people[0]);
  const {assertion} = (await client.get('/.rempart/canary/')).json();
  api = async (method, target, body) => {
    const answer = await client.request(method, `/.rempart/api/v1/spaces/${target}`, {body: body && JSON.stringify(body),
      headers: {accept: 'application/json', authorization: `Bearer ${token}`, 'rempart-assertion': assertion, 'content-type': 'application/json'}});
    return {status: answer.status, json: answer.body.length ? answer.json() : null};
  };
  await put('d-letters?label=personal', {to: 'Zoé', text: 'à bientôt'});
  for (let i = 0; i < 30; i++) await put('d-numbers', {i});
  const trashed = await put('d-numbers', {gone: true});
  assert.equal((await api('DELETE', `d-numbers/${trashed}`)).status, 204);
});
after(() => stack?.stop());

/*= S70, S174 type=test */
test('the export holds every record of this tenant, with its label, and the manifest vouches for each file', async () => {
  const done = await rempart('tenant', 'export', tenants[0], 'out.tar.gz');
  assert.equal(done.code, 0, done.stderr);
  assert.equal(fs.statSync(stack.file('out.tar.gz')).mode & 0o777, 0o600);
  fs.mkdirSync(stack.file('out'));
  const {code, stderr} = await run('tar', ['-xzf', 'out.tar.gz', '-C', 'out'], {cwd: stack.state});
  assert.equal(code, 0, stderr);
  const manifest = JSON.parse(fs.readFileSync(stack.file('out/manifest.json')));
  assert.deepEqual([manifest.format, manifest.tenant], [1, tenants[0]]);
  const found = new Map();
  for (const {name, bytes, sha256, records: count} of manifest.files) {
    const content = fs.readFileSync(stack.file('out', name));
    assert.equal(content.length, bytes);
    assert.equal(crypto.createHash('sha256').update(content).digest('hex'), sha256, name);
    const lines = content.toString('utf8').trimEnd().split('\n').map(line => JSON.parse(line));
    assert.equal(lines.length, count);
    for (const one of lines) found.set(one.id, one);
  }
  assert.equal(found.size, manifest.records);
  for (const [id, {label, document}] of records) {
    assert.deepEqual([found.get(id)?.label, found.get(id)?.document], [label, document]);
  }
  assert.equal([...found.values()].filter(one => one.trashed_at).length, 1);
});

/*= S66, S68 type=test */
test('a neighbour\'s export holds nothing of it', async () => {
  const {code, stderr} = await rempart('tenant', 'export', tenants[1], 'other.tar.gz');
  assert.equal(code, 0, stderr);
  const {stdout} = await run('tar', ['-xzOf', 'other.tar.gz'], {cwd: stack.state});
  for (const id of records.keys()) assert.ok(!stdout.includes(id));
  assert.match(stdout, /"format":1/);
});

/*= S71 type=test */
test('an export stands in the tenant\'s own log, and nobody but the machine\'s owner makes one', async () => {
  await until('tenant.exported', async () => (await client.get('/.rempart/api/v1/audit?newest=1&limit=50')).text.includes('tenant.exported'));
  assert.equal((await client.get(`/.rempart/api/v1/admin/export?tenant=${tenants[0]}`)).status, 404);
});

test('what cannot be exported leaves no file', async () => {
  for (const [id, why] of [['0'.repeat(31) + '1', /no such tenant/], ['nonsense', /not a tenant's id/]]) {
    const {code, stderr} = await rempart('tenant', 'export', id, 'none.tar.gz');
    assert.notEqual(code, 0);
    assert.match(stderr, why);
    assert.ok(!fs.existsSync(stack.file('none.tar.gz')));
  }
  const twice = await rempart('tenant', 'export', tenants[0], 'out.tar.gz');
  assert.notEqual(twice.code, 0);
  assert.match(twice.stderr, /there already/);
});

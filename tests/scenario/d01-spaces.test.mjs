// Records through the gate's API: labels, search, versions, trash, and the limits of an organisation.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import {canaryPerson} from '../lib/canary.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack;
const people = [];

// A canary's person, and what their application says with the assertion that it has just received.
async function person(index) {
  const {client, token} = await canaryPerson(stack, index);
  const {assertion} = (await client.get('/.rempart/canary/')).json();
  const api = async (method, target, body, headers = {}) => {
    const answer = await client.request(method, `/.rempart/api/v1/${target}`, {
      body: body && JSON.stringify(body),
      headers: {accept: 'application/json', authorization: `Bearer ${token}`, 'rempart-assertion': assertion,
        ...(body && {'content-type': 'application/json'}), ...headers}});
    return {status: answer.status, headers: answer.headers, json: answer.body.length ? answer.json() : null};
  };
  return {client, api};
}

before(async () => {
  const config = port => `host: localhost\ngate:\n  listen: ${port}\nspaces:\n  records_max: 40\n`;
  stack = await Stack.start({app: null, config});
  people.push(await person(0), await person(1));
});
after(() => stack?.stop());

test('a record carries a label, which an ETag guards as it does the document', async () => {
  const [{api}] = people;
  const made = await api('POST', 'spaces/d-labels?label=personal', {name: 'Ann'});
  assert.equal(made.status, 201);
  assert.equal(made.json.label, 'personal');
  const at = `spaces/d-labels/${made.json.id}`;
  assert.equal((await api('GET', at, null, {'if-none-match': made.headers.etag})).status, 304);
  assert.equal((await api('PUT', at, {name: 'Ann B.'}, {'if-match': '"7"'})).status, 412);
  const changed = await api('PUT', at, {name: 'Ann B.'}, {'if-match': made.headers.etag});
  assert.equal(changed.json.label, 'personal', 'a label stays');
  assert.equal((await api('PUT', `${at}?label=secret`, {})).status, 400);
});

test('exact search finds what was declared, and refuses what was not', async () => {
  const [{api}] = people;
  const refused = await api('GET', 'spaces/d-search?mail=a@example.org');
  assert.equal(refused.status, 400);
  assert.match(refused.json.detail, /mail.*not declared/);
  assert.equal((await api('PUT', 'collections/d-search', {search: ['mail']})).status, 200);
  assert.deepEqual((await api('GET', 'collections/d-search')).json, {search: ['mail']});
  const made = await api('POST', 'spaces/d-search', {mail: 'a@example.org'});
  await api('POST', 'spaces/d-search', {mail: 'b@example.org'});
  const found = await api('GET', 'spaces/d-search?mail=a%40example.org');
  assert.deepEqual(found.json.records.map(one => one.id), [made.json.id]);
  /*= S66, S68 type=test */
  assert.equal((await people[1].api('PUT', 'collections/d-search', {search: ['mail']})).status, 200);
  assert.deepEqual((await people[1].api('GET', 'spaces/d-search?mail=a%40example.org')).json.records, []);
});

/*= S89 type=test */
test('deleted is in the trash and comes back; earlier versions are read and restored', async () => {
  const [{api}, neighbour] = people;
  const {json: {id}} = await api('POST', 'spaces/d-trash', {n: 1});
  const at = `spaces/d-trash/${id}`;
  await api('PUT', at, {n: 2});
  assert.equal((await api('DELETE', at)).status, 204);
  assert.equal((await api('GET', at)).status, 404);
  const trash = await api('GET', 'spaces/d-trash?trash=1');
  assert.ok(trash.json.records[0].trashed_at);
  for (const [method, target] of [['GET', `${at}/versions`], ['GET', `${at}?version=1`], ['POST', `${at}/restore`]]) {
    assert.equal((await neighbour.api(method, target)).status, 404, `${method} ${target}`);
  }
  assert.deepEqual((await neighbour.api('GET', 'spaces/d-trash?trash=1')).json.records, []);
  const back = await api('POST', `${at}/restore`);
  assert.deepEqual([back.status, back.json?.document], [200, {n: 2}]);
  assert.deepEqual((await api('GET', `${at}?version=1`)).json.document, {n: 1});
  assert.deepEqual((await api('POST', `${at}/restore?version=1`)).json.document, {n: 1});
  assert.deepEqual((await api('GET', `${at}/versions`)).json.versions.map(one => one.version), [5, 4, 3, 2, 1]);
  await until('the restoring in the organisation\'s own log', async () =>
    (await people[0].client.get('/.rempart/api/v1/audit?newest=1&limit=50')).text.includes('record.restored'));
});

test('an organisation that holds all it may is told so, and nothing is half-done', async () => {
  const [{api}] = people;
  let answer;
  for (let i = 0; i < 50; i++) {
    answer = await api('POST', 'spaces/d-full', {i});
    if (answer.status !== 201) break;
  }
  assert.equal(answer.status, 413);
  assert.match(answer.json.detail, /may hold 40/);
  const {json} = await api('GET', 'usage');
  assert.deepEqual([json.records, json.records_max], [40, 40]);
});

/*= S82 type=test */
test('neither documents nor searched values lie on the disk in clear', () => {
  const walk = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
    entry.isDirectory() ? walk(path.join(folder, entry.name)) : entry.isFile() ? [path.join(folder, entry.name)] : []);
  for (const file of ['db', 'tenants', 'ledger'].flatMap(folder => walk(stack.file(folder)))) {
    let bytes = '';
    try { bytes = fs.readFileSync(file); } catch (error) { assert.equal(error.code, 'ENOENT'); } // a new checkpoint took its name
    assert.ok(!bytes.includes('example.org'), `plaintext in ${file}`);
  }
});

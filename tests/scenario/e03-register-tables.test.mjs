// Registers in and out as tables, saved views, tokens, OpenAPI; and every way around the five gates.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Validator} from '@seriousme/openapi-schema-validator';
import {sql} from '../lib/sabotage.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack, ann, record;
const api = '/.rempart/api/v1';
const digest = '0'.repeat(64);
const date = days => new Date(Date.now() + days * 86400e3).toISOString().slice(0, 10);
const instant = hours => new Date(Date.now() + hours * 3600e3).toISOString().slice(0, 19) + 'Z';

async function cli(...args) {
  const {code, stdout, stderr} = await stack.rempart('register', ...args);
  return {code, stdout, stderr, json: () => JSON.parse(stdout)};
}

async function make(register, fields) {
  const {code, stdout, stderr} = await cli('new', register, ...Object.entries(fields).map(([k, v]) =>
    `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`), '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const call = (person, method, path, body, headers = {}) => person.request(method, api + path, {
  body: body && (typeof body === 'string' ? body : JSON.stringify(body)),
  headers: {accept: 'application/json', 'content-type': 'application/json', origin: stack.origin, ...headers}});
const csv = (person, register, text, dry) => call(person, 'POST', `/registers/${register}/import${dry ? '?dry_run=true' : ''}`, text,
  {'content-type': 'text/csv'});

async function events(kind, since) {
  await until(`the event ${kind}`, async () => {
    const {stdout} = await stack.rempart('ledger', 'tail', 'operator', '-n', '1000', '--json');
    return stdout.split('\n').some(line => line.includes(`"${kind}"`) && JSON.parse(line).entry.time >= since);
  });
}

before(async () => {
  stack = await Stack.start({app: null});
  ann = await stack.firstAdministrator();
  const account = await sql(stack.file('db/system.db'), 'SELECT lower(hex(id)) FROM person ORDER BY created_ms DESC LIMIT 1');
  record = (await make('persons', {name: 'Ann', kind: 'employee', start: date(-9), account})).id;
});
after(() => stack?.stop());

test('what is too long is refused by its field, not by how the question is sent', async () => {
  const refused = await cli('new', 'risks', `scenario=${'y'.repeat(100000)}`);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /scenario/);
});

test('a table goes out and comes back as it was; what differs is an edit', async () => {
  await make('risks', {scenario: '=1+1, "quoted"; and\nlines', owner: record, inherent_impact: 3});
  await make('cards', {card_number: '@7', holder_kind: 'employee', person: record, purpose: 'office', zones: ['lobby', 'offices'],
    valid_from: date(0), valid_to: date(9)});
  for (const register of ['risks', 'cards', 'persons']) {
    const out = await cli('export', register);
    assert.equal(out.code, 0, out.stderr);
    assert.match(out.stdout, /^id,number,state,version,/);
    assert.ok(!/[,\n"][=+@]/.test(out.stdout.replaceAll('\n"', '')), 'no cell is a formula');
    const file = stack.file(`${register}.csv`);
    fs.writeFileSync(file, out.stdout);
    const back = await cli('import', register, file, '--dry-run', '--json');
    assert.equal(back.code, 0, back.stdout + back.stderr);
    assert.ok(back.json().lines.every(line => line.does === 'nothing'), back.stdout);
  }
  const text = (await cli('export', 'risks')).stdout;
  const edited = await csv(ann, 'risks', text.replace(',3,', ',4,'));
  assert.equal(edited.status, 200, edited.text);
  assert.equal(edited.json().edited, 1);
  const lines = (await call(ann, 'GET', '/registers/risks/export?format=json')).text.trim().split('\n').map(JSON.parse);
  assert.equal(lines[0].inherent_impact, 4);
  const stale = await csv(ann, 'risks', text.replace(',3,', ',5,'));
  assert.equal(stale.status, 422);
  assert.equal(stale.json().lines[0].does, 'refused', 'it saw an old version');
  await events('register.exported', 0);
});

test('all lines or none; each mistake has its line and column', async () => {
  const text = `name;tier;service\nOne;two;x\nTwo;nine;x\nOne;one;x\n;one;x\n`;
  const dry = (await csv(ann, 'suppliers', text, true)).json();
  assert.deepEqual(dry.lines.map(line => line.does), ['create', 'refused', 'refused', 'refused']);
  assert.deepEqual(dry.lines.map(line => line.line), [2, 3, 4, 5]);
  assert.equal(dry.lines[1].column, 2);
  assert.match(dry.lines[1].detail, /tier/);
  const applied = await csv(ann, 'suppliers', text);
  assert.equal(applied.status, 422);
  assert.equal((await call(ann, 'GET', '/registers/suppliers')).json().length, 0, 'nothing was kept');
  for (const [bad, where] of [['name,tier\n"open', /"line":2/], ['name,name\nx,y\n', /name/], ['name,tier\nx\n', /fewer/], ['colour\nred\n', /colour/]]) {
    const answer = await csv(ann, 'suppliers', bad);
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${bad}`);
    assert.match(answer.text, where);
  }
  const many = 'name,tier,service\n' + Array.from({length: 1001}, (_, i) => `S${i},two,x`).join('\n');
  assert.equal((await csv(ann, 'suppliers', many)).status, 413);
  const fits = 'name,tier,service\n' + Array.from({length: 1000}, (_, i) => `S${i},two,x`).join('\n');
  fs.writeFileSync(stack.file('bad.csv'), 'name,tier,service\nNew,two,x\n,one,z\n');
  const terminal = await cli('import', 'suppliers', stack.file('bad.csv'));
  assert.equal(terminal.code, 1);
  assert.match(terminal.stdout, /^2: create {2}\n3:1: refused .*\nnothing changed: 1 to create, 0 to edit, 1 refused\n$/);
  const good = await csv(ann, 'suppliers', fits);
  assert.equal(good.status, 200, good.text.slice(0, 300));
  assert.equal(good.json().created, 1000);
  const out = await cli('export', 'suppliers');
  assert.equal(out.stdout.trim().split('\n').length, 1001, 'the export goes on over pages');
});

test('the search covers all registers, and one register is no other', async () => {
  await make('firewall-changes', {summary: 'zebra rule', host: 'gw', diff: '+', ruleset_after: digest});
  await make('changes', {summary: 'zebra release', kind: 'normal', risk: 'low'});
  assert.equal((await cli('search', 'zebra', '--json')).json().length, 2);
  assert.equal((await cli('search', 'zebra', 'release', '--json')).json().length, 1);
  assert.equal((await cli('search', 'nowhere')).code, 1);
  const only = await call(ann, 'GET', `/registers/changes?filter=${encodeURIComponent('{"q":"zebra"}')}`);
  assert.deepEqual(only.json().map(one => one.register), ['changes']);
});

test('a view is kept under a name, and only its maker has it', async () => {
  assert.equal((await cli('view', 'changes', 'drafts', 'state=draft')).code, 0);
  assert.equal((await cli('list', 'changes', 'view=drafts', '--json')).json().length, 1);
  assert.equal((await cli('list', 'changes', 'view=drafts', 'risk=high', '--json')).json().length, 0);
  assert.equal((await call(ann, 'GET', '/registers/changes/views')).json().length, 0);
  assert.equal((await call(ann, 'POST', '/registers/changes/views', {name: 'x', filter: {nonsense: ['a']}})).status, 400);
  assert.equal((await call(ann, 'POST', '/registers/changes/views', {name: 'mine', sort: ['changed', 'DESC']})).status, 201);
  assert.equal((await call(ann, 'GET', '/registers/changes?view=mine')).status, 200);
  assert.equal((await cli('view', 'changes', 'drafts')).code, 0);
  assert.notEqual((await cli('list', 'changes', 'view=drafts')).code, 0);
});

test('a token is scoped, signs nothing, and ends', async () => {
  const stranger = stack.client();
  const bearer = token => ({authorization: `Bearer ${token}`, origin: undefined});
  const made = await call(ann, 'POST', '/tokens', {name: 'reader', scope: 'read', registers: 'risks changes', days: 1});
  assert.equal(made.status, 201, made.text);
  const {token, id} = made.json();
  assert.match(token, /^rpt_/);
  assert.ok(!(await call(ann, 'GET', '/tokens')).text.includes(token));
  assert.equal((await call(stranger, 'GET', '/registers/risks', null, bearer(token))).status, 200);
  assert.equal((await call(stranger, 'GET', '/registers/persons', null, bearer(token))).status, 403);
  assert.equal((await call(stranger, 'POST', '/registers/risks', {scenario: 'x', owner: record}, bearer(token))).status, 403);
  assert.equal((await call(stranger, 'POST', '/tokens', {name: 'more', scope: 'read', registers: '*', days: 1}, bearer(token))).status, 403);
  assert.equal((await call(stranger, 'GET', '/registers/risks', null, bearer(token.slice(0, -1) + (token.endsWith('A') ? 'E' : 'A')))).status, 401);
  const writer = (await call(ann, 'POST', '/tokens', {name: 'w', scope: 'write', registers: '*', days: 1})).json().token;
  const change = await call(stranger, 'POST', '/registers/changes', {summary: 'by token', kind: 'normal', risk: 'low'}, bearer(writer));
  assert.equal(change.status, 201, change.text);
  const path = `/registers/changes/${change.json().id}/move`;
  await call(stranger, 'POST', path, {move: 'submit', fields: {tests: 'x', rollback: 'x'}}, bearer(writer));
  const sign = await call(stranger, 'POST', path, {move: 'approve', fields: {commit: 'abc'}}, bearer(writer));
  assert.ok([401, 403].includes(sign.status), sign.text);
  assert.equal((await call(ann, 'DELETE', `/tokens/${id}`)).status, 200);
  assert.equal((await call(stranger, 'GET', '/registers/risks', null, bearer(token))).status, 401);
  await sql(stack.file('db/system.db'), 'UPDATE api_token SET expires_ms = 1');
  assert.equal((await call(stranger, 'GET', '/registers/risks', null, bearer(writer))).status, 401);
  assert.notEqual((await cli('token', 'new', 'x', 'scope=all', 'registers=*', 'days=9')).code, 0);
  assert.notEqual((await cli('token', 'new', 'x', 'scope=read', 'registers=*', 'days=900')).code, 0);
  assert.notEqual((await cli('token', 'new', 'gpj\u202exe', 'scope=read', 'registers=*', 'days=9')).code, 0, 'shown as another name');
  assert.equal((await cli('token', 'new', 'x', 'scope=read', 'registers=*', 'days=9')).code, 0);
  await events('api_token.made', 0);

  const age = ms => sql(stack.file('db/system.db'), `UPDATE session SET expires_ms = expires_ms - ${ms}`);
  await age(601000);
  const late = await call(ann, 'POST', '/tokens', {name: 'late', scope: 'read', registers: '*', days: 1});
  assert.deepEqual([late.status, late.json().code], [401, 'second_factor'], late.text);
  assert.match(late.text, /within ten minutes/);
  assert.equal((await call(ann, 'GET', '/tokens')).status, 200, 'seen and ended in any session');
  await age(-601000);
});

/*= S62 type=test */
test('a pipeline asks before it deploys: by file at the terminal, by digest with a token', async () => {
  const file = stack.file('shop.tar.gz');
  fs.writeFileSync(file, 'the shop, version 7');
  const hex = createHash('sha256').update('the shop, version 7').digest('hex');
  const change = (...args) => stack.rempart('change', ...args);
  const ask = (what, token) => call(stack.client(), 'GET', `/deployments/${what}`, null, {authorization: `Bearer ${token}`, origin: undefined});
  const tokenFor = async registers => (await call(ann, 'POST', '/tokens', {name: 'ci', scope: 'read', registers, days: 1})).json().token;
  const [token, other] = [await tokenFor('changes'), await tokenFor('risks')];

  const refused = await change('check', file);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stdout, /^refused +shop\.tar\.gz .*no change lists it/m);
  const before = await ask(hex, token);
  assert.deepEqual([before.status, before.json().code], [403, 'unapproved'], before.text);

  const proposed = await change('propose', file);
  assert.equal(proposed.code, 0, proposed.stderr);
  const number = /move changes (\d+) submit/.exec(proposed.stdout)[1];
  const [{artefacts}] = (await cli('list', 'changes', '--json')).json().filter(one => String(one.number) === number);
  assert.deepEqual(artefacts, [`shop.tar.gz@sha256:${hex}`]);
  assert.equal((await cli('move', 'changes', number, 'submit', 'commit=7', 'tests=all', 'rollback=6')).code, 0);
  assert.match((await change('check', file)).stdout, new RegExp(`changes-${number}: not approved`));
  assert.equal((await call(ann, 'POST', `/registers/changes/${number}/move`, {move: 'approve'})).status, 200);

  const approved = await change('check', file, `registry.example/shop@sha256:${hex}`, '--json');
  assert.equal(approved.code, 0, approved.stderr);
  assert.deepEqual(JSON.parse(approved.stdout).map(one => [one.approved, one.change]), [[true, `changes-${number}`], [true, `changes-${number}`]]);
  const answer = await ask(`sha256:${hex}`, token);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().change.approved_by, record);
  assert.equal((await change('check', file, `git:${'4'.repeat(40)}`)).code, 1, 'one of two is not enough');

  const denied = await ask(hex, other);
  assert.deepEqual([denied.status, denied.json().code], [403, 'denied'], 'a token of another register');
  assert.equal((await ask('latest', token)).status, 400, 'a name is no digest');
  const wrong = await change('check', 'nowhere.tar');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /nowhere\.tar/);
  const french = await run(path.join(bin, 'rempart'), ['change', 'check', '1'.repeat(64), '--state', stack.state], {env: {...stack.env, LANG: 'fr_FR.UTF-8'}});
  assert.match(french.stdout, /^refusé .*aucun changement ne le nomme/m);
  await events('deploy.refused', 0);
  await events('deploy.approved', 0);
});

// The standard's own JSON Schema of OpenAPI 3.1, by a validator that is not ours; and what no schema
// can say: paths, operations and references that fit each other.
test('the OpenAPI document is sound, and records fit its schemas', async () => {
  const doc = (await stack.client().get('/.rempart/api/openapi.json')).json();
  assert.match(doc.openapi, /^3\.1\.\d+$/);
  const standard = await new Validator().validate(structuredClone(doc));
  assert.ok(standard.valid, JSON.stringify(standard.errors)?.slice(0, 2000));
  // It does look: one answer without its description, one parameter from nowhere.
  const [[, item]] = Object.entries(doc.paths), [first] = Object.values(item);
  for (const [at, key, value] of [[Object.values(first.responses)[0], 'description', undefined], [first, 'parameters', [{name: 'x', in: 'nowhere'}]]]) {
    const kept = at[key];
    at[key] = value;
    const spoilt = await new Validator().validate(JSON.parse(JSON.stringify(doc)));
    at[key] = kept;
    assert.equal(spoilt.valid, false, key);
  }
  assert.ok(doc.info.title && doc.info.version);
  const ids = new Set();
  const follow = ref => ref.slice(2).split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
  const walk = (node, where) => {
    if (!node || typeof node !== 'object') return;
    if (node.$ref) assert.ok(follow(node.$ref), `${where}: ${node.$ref}`);
    for (const [key, value] of Object.entries(node)) walk(value, `${where}/${key}`);
  };
  walk(doc, '#');
  for (const [path, item] of Object.entries(doc.paths)) {
    assert.match(path, /^\//);
    for (const [method, operation] of Object.entries(item)) {
      assert.ok(['get', 'put', 'post', 'patch', 'delete'].includes(method), method);
      assert.ok(operation.operationId && !ids.has(operation.operationId), `${path} ${operation.operationId}`);
      ids.add(operation.operationId);
      const named = operation.parameters.filter(one => one.in === 'path');
      assert.deepEqual(named.map(one => one.name).sort(), [...path.matchAll(/\{(\w+)\}/g)].map(one => one[1]).sort(), path);
      assert.ok(named.every(one => one.required && one.schema));
      const keys = operation.parameters.map(one => `${one.in} ${one.name}`);
      assert.equal(new Set(keys).size, keys.length, path);
      assert.ok(Object.keys(operation.responses).every(one => /^([1-5]\d\d|default)$/.test(one)));
      assert.ok(Object.values(operation.responses).every(one => one.description));
      for (const scheme of (operation.security ?? []).flatMap(Object.keys)) assert.ok(doc.components.securitySchemes[scheme], scheme);
    }
  }
  const types = {string: v => typeof v === 'string', number: v => typeof v === 'number', boolean: v => typeof v === 'boolean',
    array: v => Array.isArray(v)};
  assert.equal((await stack.rempart('register', 'example', 'load')).code, 0);
  const registers = (await call(ann, 'GET', '/registers')).json();
  for (const {id} of registers) {
    const schema = doc.components.schemas[id];
    assert.ok(schema.type === 'object' && Array.isArray(schema.required), id);
    assert.ok(schema.required.every(name => schema.properties[name]), id);
    for (const one of (await call(ann, 'GET', `/registers/${id}`)).json()) {
      for (const name of schema.required) assert.ok(name in one, `${id}.${name}`);
      for (const [name, property] of Object.entries(schema.properties)) {
        if (!(name in one) || property.readOnly) continue;
        assert.ok(types[property.type](one[name]), `${id}.${name}`);
        const choices = property.enum ?? property.items?.enum;
        if (choices) for (const value of [one[name]].flat()) assert.ok(choices.includes(value), `${id}.${name}=${value}`);
      }
    }
  }
  assert.equal((await stack.rempart('register', 'example', 'remove')).code, 0);
});

// Each gate: through the API, an import, a direct grant, two requests at once, a row edited in the file.
const file = () => stack.file('db/system.db');
const gates = {
  /*= S9 type=test */
  S9: {
    register: 'persons', fields: () => ({name: 'Eve', kind: 'employee', start: date(1)}),
    edit: {roles: ['operations']}, line: 'name,kind,start,roles\nFred,employee,2026-11-02,operations\n',
    sabotage: id => sql(file(), `UPDATE register_record SET body = json_set(body, '$.roles', json('["operations"]')) WHERE id = x'${id}'`),
  },
  /*= S10 type=test */
  S10: {
    register: 'persons', fields: () => ({name: 'Gil', kind: 'employee', start: date(1)}),
    first: 'begin', move: {move: 'activate'}, line: 'name,kind,start,state\nHal,employee,2026-11-02,active\n',
    sabotage: id => sql(file(), `UPDATE register_record SET state = 'active' WHERE id = x'${id}'`),
  },
  /*= S31 type=test */
  S31: {
    register: 'dc-tickets', fields: () => ({person: record, site: 'P', purpose: 'x', window_from: instant(-1), window_to: instant(1)}),
    move: {move: 'enter', fields: {factors: ['card', 'code', 'iris']}}, line: () => `person,site,purpose,window_from,window_to,state\n${record},P,x,${instant(-1)},${instant(1)},entered\n`,
    sabotage: id => sql(file(), `UPDATE register_record SET state = 'entered' WHERE id = x'${id}'`),
  },
  /*= S62 type=test */
  S62: {
    register: 'changes', fields: () => ({summary: 'x', kind: 'normal', risk: 'low', commit: 'abc', tests: 'x', rollback: 'x'}),
    first: 'submit', move: {move: 'approve'}, line: () => `summary,kind,risk,approved_by\nx,normal,low,${record}\n`,
    sabotage: id => sql(file(), `UPDATE register_record SET state = 'approved' WHERE id = x'${id}'`),
  },
  /*= S165 type=test */
  S165: {
    register: 'suppliers', fields: () => ({name: `S ${Math.random()}`, tier: 'one', service: 'x'}),
    move: {move: 'activate', fields: {contract: digest}}, line: 'name,tier,service,state\nQ,one,x,active\n',
    sabotage: id => sql(file(), `UPDATE register_record SET state = 'active' WHERE id = x'${id}'`),
  },
};

for (const [name, gate] of Object.entries(gates)) {
  test(`${name}: no way around`, async () => {
    const since = Date.now() - 1;
    const made = await call(ann, 'POST', `/registers/${gate.register}`, gate.fields());
    assert.equal(made.status, 201, made.text);
    const {id} = made.json();
    const path = `/registers/${gate.register}/${id}`;
    if (gate.first) assert.equal((await call(ann, 'POST', `${path}/move`, {move: gate.first})).status, 200, JSON.stringify(gate.fields()));
    const attempt = () => gate.move ? call(ann, 'POST', `${path}/move`, gate.move) : call(ann, 'PUT', path, gate.edit);
    const before = (await call(ann, 'GET', path)).json();
    for (const answer of [await attempt(), ...await Promise.all([attempt(), attempt()])]) {
      assert.ok([400, 401, 403].includes(answer.status), answer.text);
    }
    const line = typeof gate.line === 'function' ? gate.line() : gate.line;
    const imported = await csv(ann, gate.register, line);
    assert.equal(imported.status, 422, imported.text);
    assert.equal(imported.json().lines[0].does, 'refused');
    await events('register.refused', since);
    // A direct grant: the field that only a move may write, or the state itself.
    const direct = await call(ann, 'PUT', path, {state: 'active', approved_by: record, assessed_on: date(0)});
    assert.deepEqual({...(await call(ann, 'GET', path)).json(), changed: 0, version: 0}, {...before, changed: 0, version: 0}, direct.text);
    await gate.sabotage(id);
    assert.notEqual((await call(ann, 'GET', path)).status, 200);
    await events('register.altered', since);
    await sql(file(), `DELETE FROM register_record WHERE id = x'${id}'`);
  });
}

test('a record made by mistake is taken back by its author within the day; nothing else is deleted', async () => {
  const risk = async (person = ann) => (await call(person, 'POST', '/registers/risks', {scenario: 'a slip', owner: record})).json();
  const remove = id => call(ann, 'DELETE', `/registers/risks/${id}`);
  const since = Date.now() - 1, file = stack.file('db/system.db');
  const [one, two, acted, old, named] = [await risk(), await risk(), await risk(), await risk(), await risk()];
  // As react-admin's deleteMany: one request each, and the id comes back.
  assert.deepEqual((await Promise.all([one, two].map(({id}) => remove(id)))).map(answer => answer.json().id), [one.id, two.id]);
  await events('register.taken_back', since);
  assert.equal((await call(ann, 'GET', `/registers/risks/${one.id}`)).status, 404);
  assert.ok((await risk()).number > two.number, 'no number is given twice');
  // Acted on, too old, named by another, somebody else's: refused, with the reason, and there as before.
  await call(ann, 'POST', `/registers/risks/${acted.id}/move`, {move: 'assess', fields: {inherent_impact: 1, inherent_likelihood: 1}});
  await make('suppliers', {name: 'Leans on it', tier: 'two', service: 'x', risk: named.id});
  const owners = await make('risks', {scenario: 'the owner’s', owner: record});
  for (const {id} of [acted, named]) assert.match((await remove(id)).text, /taken back within a day/);
  assert.equal((await remove(owners.id)).status, 403);
  const bulk = await call(ann, 'POST', '/registers/risks/bulk', {ids: [old.id, acted.id, owners.id], take_back: true});
  assert.deepEqual(bulk.json().results.map(result => result.done), [true, false, false]);
  for (const {id} of [acted, named, owners]) assert.equal((await call(ann, 'GET', `/registers/risks/${id}`)).status, 200);
  assert.equal(await sql(file, `SELECT count(*) FROM clock WHERE subject = x'${one.id}'`), '0');
});

test('retention: what will go is told, what has to go goes by itself with its history, what is held stays', async () => {
  const card = async number => {
    const {id} = await make('cards', {card_number: number, holder_kind: 'visitor', visitor: 'Jo', host: record, purpose: 'visit', zones: ['lobby'],
      valid_from: date(0), valid_to: date(1)});
    for (const move of ['activate', 'return']) assert.equal((await cli('move', 'cards', id, move)).code, 0);
    return id;
  };
  const [gone, held] = [await card('V-1'), await card('V-2')];
  const listed = async days => (await cli('retention', '--dry-run', '--days', String(days), '--json')).json().records.map(one => one.id);
  assert.deepEqual(await listed(300), []);
  assert.deepEqual((await listed(400)).sort(), [gone, held].sort());
  assert.match((await cli('retention', '--dry-run', '--days', '400')).stdout, /cards-\d+ +destroyed/);
  assert.notEqual((await cli('retention', '--days', '400')).code, 0, 'nothing goes before its end');
  assert.equal((await cli('hold', 'cards', held, 'retention', 'a lawsuit')).code, 0);
  // Thirteen months pass: the history says that both came back that long ago.
  const file = stack.file('db/system.db');
  const since = Date.now() - 1, row = await sql(file, `SELECT row FROM register_record WHERE id = x'${gone}'`);
  await sql(file, `UPDATE register_change SET change = json_set(change, '$.at', '${date(-400)}T10:00:00Z')
    WHERE record IN (SELECT row FROM register_record WHERE id IN (x'${gone}', x'${held}'))`);
  assert.deepEqual((await cli('retention', '--json')).json().records.map(one => one.id), [gone]);
  assert.notEqual((await cli('show', 'cards', gone)).code, 0);
  await events('register.retired', since);
  assert.equal(await sql(file, `SELECT count(*) FROM register_change WHERE record = ${row}`), '0');
  assert.equal((await cli('show', 'cards', held)).code, 0);
  assert.equal((await cli('resume', 'cards', held, 'retention')).code, 0);
  await until('gone by itself', async () => (await cli('show', 'cards', held)).code !== 0);
});

test('a clock that leapt destroys nothing until somebody says which day it is', async () => {
  const file = stack.file('db/system.db'), since = Date.now() - 1;
  const {id} = await make('cards', {card_number: 'V-3', holder_kind: 'visitor', visitor: 'Jo', host: record, purpose: 'visit', zones: ['lobby'],
    valid_from: date(0), valid_to: date(1)});
  for (const move of ['activate', 'return']) assert.equal((await cli('move', 'cards', id, move)).code, 0);
  // Two years pass in a second: what core remembers lies that far back.
  await until('a first look', async () => await sql(file, 'SELECT count(*) FROM clock_trust') === '1');
  await sql(file, "UPDATE clock_trust SET seen_ms = seen_ms - 730 * 86400000");
  await events('clock.leapt', since);
  await sql(file, `UPDATE register_change SET change = json_set(change, '$.at', '${date(-400)}T10:00:00Z')
    WHERE record IN (SELECT row FROM register_record WHERE id = x'${id}')`);
  const told = await cli('retention');
  assert.equal(told.code, 1, told.stderr);
  assert.match(told.stderr, /leapt.*nothing is destroyed/s);
  assert.equal((await cli('show', 'cards', id)).code, 0);
  await until('the status says so', async () => /clock: it leapt/.test((await stack.rempart('status')).stdout));
  const wrong = await cli('retention', '--confirm', date(-730));
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.equal((await cli('show', 'cards', id)).code, 0);
  const paris = new Date().toLocaleDateString('sv-SE', {timeZone: 'Europe/Paris'});
  assert.equal((await cli('retention', '--confirm', paris)).code, 0);
  await until('gone', async () => (await cli('show', 'cards', id)).code !== 0);
  await until('the status is silent', async () => !/clock: it leapt/.test((await stack.rempart('status')).stdout));
});

// The registers by API and command line: from hire to role, four eyes, a bypass tried at each door.
import assert from 'node:assert/strict';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Authenticator, addKey, verifies} from '../lib/authenticator.mjs';
import {sql} from '../lib/sabotage.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack, ann, annRecord;
const api = '/.rempart/api/v1/registers';
const digest = '0'.repeat(64);

before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

async function cli(...args) {
  const {code, stdout, stderr} = await stack.rempart('register', ...args, '--json');
  return {code, stderr, json: code === 0 ? JSON.parse(stdout) : null};
}

async function make(register, ...fields) {
  const {code, stderr, json} = await cli('new', register, ...fields);
  assert.equal(code, 0, stderr);
  return json;
}

async function move(register, id, name, ...fields) {
  const {code, stderr, json} = await cli('move', register, id, name, ...fields);
  assert.equal(code, 0, stderr);
  return json;
}

function call(person, method, path, body, headers = {}) {
  return person.request(method, api + path, {body: body && JSON.stringify(body),
    headers: {accept: 'application/json', 'content-type': 'application/json', origin: stack.origin, ...headers}});
}


async function accountOf(address) {
  const id = await sql(stack.file('db/system.db'), 'SELECT lower(hex(id)) FROM person ORDER BY created_ms DESC LIMIT 1');
  assert.match(id, /^[0-9a-f]{32}$/, address);
  return id;
}

test('the registers are listed, in the command line and by the API', async () => {
  ann = await stack.firstAdministrator();
  const annAccount = await accountOf('ann');
  const {json} = await cli('list');
  assert.ok(json.length >= 46, `${json.length} registers`);
  const answer = await call(ann, 'GET', '');
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().length, json.length);
  annRecord = (await make('persons', 'name=Ann', 'kind=employee', 'start=2026-11-02', `account=${annAccount}`)).id;
});

test('a register is described, in both languages, and one that is not there is named', async () => {
  const {stdout} = await stack.rempart('register', 'describe', 'suppliers');
  for (const words of [/^R24 +suppliers /, / {2}name\* +text +Name/, /one +1: critical/, /approve +assessed → approved/,
    /four eyes, not by: assessed_by/, /needs questionnaire, score, risk/, /12mo after assessed_on, then review/, /S165: refused/]) assert.match(stdout, words);
  const french = await run(path.join(bin, 'rempart'), ['register', 'describe', 'cards', '--state', stack.state], {env: {...stack.env, LANG: 'fr_FR.UTF-8'}});
  assert.match(french.stdout, /CHAMPS/);
  const none = await stack.rempart('register', 'describe', 'nothing');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /"nothing"/);
});

test('a record goes by its number too, is shown with what can follow, and what is wrong says what would be right', async () => {
  const {id, number} = await make('changes', 'summary=Old cipher', 'kind=normal', 'risk=low');
  for (const name of [id, String(number), `changes-${number}`]) assert.equal((await cli('show', 'changes', name)).json.id, id);
  assert.equal((await call(ann, 'GET', `/changes/${number}`)).json().id, id);
  assert.equal((await call(ann, 'GET', '/changes/999999')).status, 404);
  const shown = await stack.rempart('register', 'show', 'changes', String(number));
  assert.match(shown.stdout, /^changes-\d+ +draft .* Old cipher$/m);
  assert.match(shown.stdout, /can follow: submit +draft → review.*\n +by engineering, operations\n +needs tests, rollback/);
  assert.match((await stack.rempart('register', 'list', 'changes')).stdout, /Old cipher/);
  const near = await run(path.join(bin, 'rempart'), ['register', 'list', 'changes', '--state', path.basename(stack.state)], {cwd: path.dirname(stack.state)});
  assert.match(near.stdout, /Old cipher/, 'by a folder named from here');
  assert.equal(near.stderr, '');
  // What reads as a number is a text where the field is one, and a number where it is one.
  const text = await make('documents', 'name=2026', 'kind=policy', 'theme=security', 'edition=1');
  assert.deepEqual((({name, edition}) => [name, edition])((await cli('show', 'documents', text.id)).json), ['2026', '1']);
  for (const [words, why] of [[['new', 'changes', 'summary=x', 'kind=usual', 'risk=low'], /kind: one of normal, standard, emergency, advice/],
    [['new', 'changes', 'summary=x', 'colour=red'], /colour is no field of changes/],
    [['new', 'persons', 'name=x', 'kind=employee', 'start=soon'], /start: a date, 2026-/],
    [['move', 'changes', id, 'approve'], /not possible from the state draft \(possible: submit\)/],
    [['move', 'changes', id, 'submit'], /tests, rollback: needed/],
    [['show', 'nothing', '1'], /register: nothing/]]) assert.match((await cli(...words)).stderr, why);
});

test('a stranger, and a page of another site, get nothing', async () => {
  assert.equal((await call(stack.client(), 'GET', '')).status, 401);
  const forged = await call(ann, 'POST', '/risks', {scenario: 'x', owner: annRecord}, {origin: 'https://evil.example'});
  assert.equal(forged.status, 403, forged.text);
});

/*= S10 type=test */
test('whom the register lists and who is not active reaches no application', async () => {
  const page = await ann.get('/');
  assert.equal(page.status, 403, page.text.slice(0, 300));
  assert.equal((await ann.get('/.rempart/id/account')).status, 200);
});

/*= S9, S10 type=test */
test('hire, check, sign, train, role', async () => {
  await move('persons', annRecord, 'begin');
  const refused = await cli('move', 'persons', annRecord, 'activate');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /S10/);
  const mine = (await call(ann, 'GET', `/acknowledgements?filter=${encodeURIComponent(JSON.stringify({person: annRecord}))}`)).json();
  assert.deepEqual(mine.map(one => one.kind).sort(), ['aup', 'nda']);
  assert.notEqual((await cli('move', 'acknowledgements', mine[0].id, 'sign')).code, 0, 'nobody signs for her');
  for (const one of mine) {
    const signed = await call(ann, 'POST', `/acknowledgements/${one.id}/move`, {move: 'sign'});
    assert.equal(signed.status, 200, signed.text);
    assert.equal(signed.json().state, 'signed');
  }
  const [course] = (await call(ann, 'GET', `/training?filter=${encodeURIComponent(JSON.stringify({person: annRecord}))}`)).json();
  await move('training', course.id, 'pass', 'score=92', 'pass_mark=80');
  await move('persons', annRecord, 'activate');
  const early = await cli('edit', 'persons', annRecord, 'roles=["security"]');
  assert.notEqual(early.code, 0);
  assert.match(early.stderr, /S9/);
  assert.equal((await ann.get('/')).status, 200, 'active people reach the application');
});

test('who has a security key signs with it: the signature is of that change, serves once, and proves itself', async () => {
  const key = new Authenticator(stack.origin);
  const next = async () => (await make('acknowledgements', `person=${annRecord}`, 'kind=aup')).id;
  const ask = (id, body, version = '"1"') => call(ann, 'POST', `/acknowledgements/${id}/signature`, body, {'if-match': version});
  const sign = (id, nonce, credential, body = {move: 'sign'}) =>
    call(ann, 'POST', `/acknowledgements/${id}/move`, {...body, signature: {nonce, credential}}, {'if-match': '"1"'});
  const id = await next(), other = await next();
  const none = await ask(id, {move: 'sign'});
  assert.equal(none.status, 415, none.text);
  await addKey(ann, key, 'Blue key');
  const without = await call(ann, 'POST', `/acknowledgements/${id}/move`, {move: 'sign'});
  assert.equal(without.status, 401, without.text);
  assert.match(without.text, /your passkey or security key/);
  assert.equal((await ask(id, {move: 'sign'}, '"7"')).status, 412);
  assert.equal((await ask(id, {move: 'nothing'})).status, 400);

  const asked = await ask(id, {move: 'sign'});
  assert.equal(asked.status, 200, asked.text);
  const {publicKey, nonce, signs} = asked.json();
  assert.deepEqual(signs, {register: 'acknowledgements', record: id, version: 1, move: 'sign', reason: '', fields: {}});
  const credential = key.use(publicKey);
  const elsewhere = await sign(other, nonce, credential);
  assert.equal(elsewhere.status, 403, 'of another record');
  assert.equal((await sign(id, nonce, credential, {move: 'sign', reason: 'other'})).status, 403, 'with another reason');
  const signed = await sign(id, nonce, credential);
  assert.equal(signed.status, 200, signed.text);
  assert.equal(signed.json().state, 'signed');
  const again = await ask(other, {move: 'sign'});
  const altered = key.use(again.json().publicKey);
  altered.response.signature = `${altered.response.signature.slice(0, -4)}AAAA`;
  assert.equal((await sign(other, again.json().nonce, altered)).status, 403, 'an altered signature');
  assert.equal((await sign(other, again.json().nonce, key.use(again.json().publicKey))).status, 401, 'its challenge is spent');

  const {changes} = (await call(ann, 'GET', `/acknowledgements/${id}/history`)).json();
  const {signature, signature_evidence: evidence} = changes.at(-1);
  assert.equal(signature, 'webauthn');
  assert.ok(verifies(evidence), 'the evidence verifies by itself');
  assert.equal(verifies({...evidence, signs: {...evidence.signs, move: 'refuse'}}), false);
});

test('lists have ranges and ETags; a change that saw an old version is refused', async () => {
  for (let i = 0; i < 5; i++) await make('isms', `subject=Objectif ${i}`, 'kind=objective', `target=${i}`);
  const answer = await call(ann, 'GET', `/isms?sort=["target","ASC"]&range=[1,2]&filter={}`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-range'], 'isms 1-2/5');
  assert.equal(answer.headers['x-total-count'], '5');
  assert.deepEqual(answer.json().map(one => one.target), [1, 2]);
  const found = await call(ann, 'GET', `/isms?filter=${encodeURIComponent('{"q":"OBJÉCTIF"}')}`);
  assert.equal(found.json().length, 5, 'words are found without regard to case and accents');
  const {id} = found.json().find(one => one.target === 3);
  const read = await call(ann, 'GET', `/isms/${id}`);
  assert.equal(read.headers.etag, '"1"');
  const edited = await call(ann, 'PUT', `/isms/${id}`, {...read.json(), target: 7}, {'if-match': '"1"'});
  assert.equal(edited.status, 200, edited.text);
  assert.equal((await call(ann, 'PUT', `/isms/${id}`, {target: 8}, {'if-match': '"1"'})).status, 412);
  const {changes} = (await call(ann, 'GET', `/isms/${id}/history`)).json();
  assert.deepEqual(changes[1].fields.target, {old: 3, new: 7});
  assert.match(changes[1].change_sha256, /^[0-9a-f]{64}$/);
  const schema = (await stack.client().get('/.rempart/api/openapi.json')).json().components.schemas;
  assert.ok(schema.suppliers.properties.tier.enum.includes('one'));
});

/*= S165 type=test */
test('a supplier is active only by its assessment, and a row edited in the file is noticed', async () => {
  const supplier = await make('suppliers', 'name=Nuage SA', 'tier=one', 'service=hosting');
  assert.notEqual((await cli('move', 'suppliers', supplier.id, 'activate')).code, 0);
  assert.notEqual((await cli('edit', 'suppliers', supplier.id, 'state=active')).code === 0 &&
    (await cli('show', 'suppliers', supplier.id)).json.state, 'active');
  const file = stack.file('db/system.db');
  await sql(file, `UPDATE register_record SET state = 'active' WHERE id = x'${supplier.id}'`);
  assert.notEqual((await cli('show', 'suppliers', supplier.id)).code, 0);
  await until('the event', async () => {
    const {stdout} = await stack.rempart('ledger', 'tail', 'operator', '-n', '1000', '--json');
    return stdout.includes('register.altered');
  });
  await sql(file, `UPDATE register_record SET state = 'prospect' WHERE id = x'${supplier.id}'`);
  assert.equal((await cli('show', 'suppliers', supplier.id)).code, 0);
});

/*= S62 type=test */
test('a change is approved by somebody else than its author', async () => {
  const made = await call(ann, 'POST', '/changes', {summary: 'New cipher list', kind: 'normal', risk: 'low'});
  assert.equal(made.status, 201, made.text);
  const {id} = made.json();
  assert.equal((await call(ann, 'POST', `/changes/${id}/move`, {move: 'submit', fields: {tests: 'ok', rollback: 'revert'}})).status, 200);
  const own = await call(ann, 'POST', `/changes/${id}/move`, {move: 'approve', fields: {commit: 'abc'}});
  assert.equal(own.status, 403, own.text);
  assert.notEqual((await cli('move', 'changes', id, 'approve', 'commit=abc')).code, 0);
  const racing = await Promise.all([1, 2, 3].map(() => call(ann, 'POST', `/changes/${id}/move`, {move: 'approve', fields: {commit: 'abc'}})));
  assert.deepEqual(racing.map(one => one.status), [403, 403, 403]);
  assert.equal((await call(ann, 'GET', `/changes/${id}`)).json().state, 'review');
});

test('a deadline that passed moves its record within a second', async () => {
  const past = await make('certificates', 'name=ISO 27001', 'scope=all', 'issuer=X', `file_sha256=${digest}`,
    'issued_on=2024-01-01', 'expires_on=2025-01-01');
  await until('expired', async () => (await cli('show', 'certificates', past.id)).json.state === 'expired', {seconds: 5});
});

// Links that share: what a visitor sees, what ends them, which labels forbid them, who sees and ends them.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {canaryPerson} from '../lib/canary.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack;
const people = [];

const pathOf = link => new URL(link).pathname;
// A stranger: no account, only the link. Answers what the button gives.
async function press(path, {password, lang = 'en'} = {}) {
  const visitor = stack.client({lang});
  const page = await visitor.get(path);
  if (page.status !== 200) return {page, answer: page};
  const form = /name="form" value="([^"]+)"/.exec(page.text)[1];
  const body = new URLSearchParams({form, ...(password && {password})}).toString();
  const answer = await visitor.request('POST', path, {body, headers: {'content-type': 'application/x-www-form-urlencoded', origin: stack.origin}});
  return {page, answer};
}

before(async () => {
  stack = await Stack.start({app: null});
  people.push(await canaryPerson(stack, 0), await canaryPerson(stack, 1));
});
after(() => stack?.stop());

test('a file is fetched by its link, by somebody without an account', async () => {
  const [{api}] = people;
  const {json: {id}} = await api('POST', 'files/shared?name=plan.txt', 'the bytes of the plan', {'content-type': 'text/plain'});
  const made = await api('POST', 'shares', {kind: 'file', collection: 'shared', id, hours: 1, uses: 2});
  assert.equal(made.status, 201);
  assert.match(made.json.link, /^https:\/\/localhost:\d+\/\.rempart\/share\/[0-9a-f]{32}\/[\w-]{43}$/);
  const path = pathOf(made.json.link);
  const {page, answer} = await press(path);
  assert.match(page.text, /plan\.txt/);
  assert.match(page.text, /noindex/);
  assert.ok(!/<script/.test(page.text));
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'the bytes of the plan');
  assert.match(answer.headers['content-disposition'], /plan\.txt/);
  const french = await press(path, {lang: 'fr'});
  assert.match(french.page.text, /Un fichier pour vous/);
  assert.match(french.page.text, /Il ne sert plus qu’une fois/);
  assert.equal(french.answer.status, 200);
  const third = await press(path);
  assert.equal(third.page.status, 410, 'two uses, and no third');
  assert.match(third.page.text, /This link is over/);
  assert.equal((await api('GET', 'shares')).json.shares[0].uses, 2);
});

test('a record is shown as it is now; looking at the page uses nothing up', async () => {
  const [{api}] = people;
  const {json: {id}} = await api('POST', 'spaces/shared', {title: '<b>Minutes</b>', pages: 3});
  const {json: {link}} = await api('POST', 'shares', {kind: 'record', collection: 'shared', id, uses: 1});
  await stack.client().get(pathOf(link));
  await stack.client().get(pathOf(link));
  await api('PUT', `spaces/shared/${id}`, {title: '<b>Minutes</b>', pages: 4});
  const {answer} = await press(pathOf(link));
  assert.equal(answer.status, 200);
  assert.match(answer.text, /&lt;b&gt;Minutes&lt;\/b&gt;/);
  assert.match(answer.text, /<dd>4<\/dd>/);
});

test('a password stands before it, and is not guessed', async () => {
  const [{api}] = people;
  const {json: {id}} = await api('POST', 'files/shared?name=secret-plan.txt', 'x', {'content-type': 'text/plain'});
  assert.equal((await api('POST', 'shares', {kind: 'file', collection: 'shared', id, password: 'short'})).status, 422);
  const {json: {link}} = await api('POST', 'shares', {kind: 'file', collection: 'shared', id, password: 'a long password'});
  const first = await press(pathOf(link), {password: 'not this one'});
  assert.ok(!first.page.text.includes('secret-plan'), 'the name is behind the password, too');
  assert.match(first.answer.text, /That is not this link’s password/);
  assert.equal((await press(pathOf(link), {password: 'a long password'})).answer.body.toString(), 'x');
  for (let i = 0; i < 5; i++) await press(pathOf(link), {password: `wrong ${i}`});
  const waits = await press(pathOf(link), {password: 'a long password'});
  assert.match(waits.answer.text, /Too many wrong passwords/);
});

/*= S173 type=test */
test('a label forbids a link, when it is made and when it is used', async () => {
  const [{api}] = people;
  const {json: {id}} = await api('POST', 'spaces/shared?label=sensitive', {n: 1});
  const refused = await api('POST', 'shares', {kind: 'record', collection: 'shared', id});
  assert.equal(refused.status, 403);
  assert.match(refused.json.detail, /labelled sensitive/);
  const {json: {id: other}} = await api('POST', 'spaces/shared?label=personal', {n: 2});
  const {json: {link}} = await api('POST', 'shares', {kind: 'record', collection: 'shared', id: other});
  await api('PUT', `spaces/shared/${other}?label=sensitive`, {n: 2});
  const {answer} = await press(pathOf(link));
  assert.equal(answer.status, 403);
  assert.match(answer.text, /no longer given out/);
  await until('the refusal in the organisation\'s own log', async () =>
    (await people[0].client.get('/.rempart/api/v1/audit?newest=1&limit=50')).text.includes('share.refused'));
});

/*= S71 type=test */
test('the administrator sees every link and ends it; the neighbour neither', async () => {
  const [{api, client}, neighbour] = people;
  const {json: {id}} = await api('POST', 'spaces/shared', {n: 3});
  const {json: {link, share}} = await api('POST', 'shares', {kind: 'record', collection: 'shared', id});
  assert.equal((await neighbour.api('POST', 'shares', {kind: 'record', collection: 'shared', id})).status, 404);
  assert.deepEqual((await neighbour.api('GET', 'shares')).json.shares, []);
  assert.equal((await neighbour.api('DELETE', `shares/${share}`)).status, 404);
  assert.ok(!(await neighbour.client.get('/.rempart/id/shares')).text.includes(share));
  const page = await client.get('/.rempart/id/shares');
  assert.equal(page.status, 200);
  assert.ok(page.text.includes(share));
  const form = /name="form" value="([^"]+)"/.exec(page.text)[1];
  const ended = await client.request('POST', '/.rempart/id/shares', {body: new URLSearchParams({form, share}).toString(),
    headers: {'content-type': 'application/x-www-form-urlencoded', origin: stack.origin}});
  assert.equal(ended.status, 303);
  assert.equal((await press(pathOf(link))).page.status, 410);
  const log = await until('both in the log', async () => {
    const {text} = await client.get('/.rempart/api/v1/audit?newest=1&limit=100');
    return text.includes('share.ended') && text.includes('share.created') && text.includes('share.opened') && text;
  });
  assert.ok(!log.includes(link.split('/').pop()), 'the link itself stands nowhere');
});

test('a link that never was, of another organisation, or altered is no link', async () => {
  const [{api}] = people;
  const {json: {id}} = await api('POST', 'spaces/shared', {n: 4});
  const {json: {link}} = await api('POST', 'shares', {kind: 'record', collection: 'shared', id});
  const path = pathOf(link), [, , , tenant, token] = path.split('/');
  const other = `${tenant.slice(0, -1)}${tenant.endsWith('0') ? '1' : '0'}`;
  for (const wrong of [`/.rempart/share/${tenant}/${token.slice(0, -2)}AA`, `/.rempart/share/${other}/${token}`,
    `/.rempart/share/${tenant}/x`, `/.rempart/share/${'0'.repeat(32)}/${token}`, `/.rempart/share/x/${token}`]) {
    assert.equal((await stack.client().get(wrong)).status, 404, wrong);
  }
  // Each refusal names the member and what would be right; a misspelt one, or a password that is none, makes no open link.
  for (const [change, why] of [[{kind: 'thing'}, 'kind: record, file'], [{collection: undefined}, 'collection: 1–64'], [{id: 'x'}, 'id: 32'],
    [{hours: 24 * 31}, 'hours: 1–720'], [{hours: 0}, 'hours: 1–720'], [{hours: '1'}, 'hours: 1–720'], [{uses: 0}, 'uses: 1–100000'],
    [{password: 12345678}, 'password: "'], [{pasword: 'a long password'}, '"pasword": kind, collection']]) {
    const {status, json} = await api('POST', 'shares', {kind: 'record', collection: 'shared', id, ...change});
    assert.equal(status, 400, why);
    assert.ok(json.detail.includes(why), `${why}: ${json.detail}`);
  }
});

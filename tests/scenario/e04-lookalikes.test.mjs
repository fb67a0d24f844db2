// Names that pose as ours: asked by the command, delivered by a feed with a token of its own, on record with
// a deadline, told to who has the role of security, and let pass where the operator knows them.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Staff} from '../lib/staff.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack, staff;
const door = '/.rempart/api/v1/lookalikes';
const configured = port => `host: localhost
gate:
  listen: ${port}
watch:
  domains: [moncoffre.fr]
  honest: [moncoffre.partner.example]
apps:
  - name: shop
    host: shop.port-bank.eu
    upstream: unix:run/shop.sock
`;

const domain = (...args) => stack.rempart('domain', ...args);
const french = (...args) => run(path.join(bin, 'rempart'), ['domain', ...args, '--state', stack.state],
  {env: {...stack.env, LANG: 'fr_FR.UTF-8', LC_ALL: 'fr_FR.UTF-8'}});
const records = async () => (await staff.register('list', 'lookalikes')).sort((a, b) => a.number - b.number);

// The command with something on its standard input.
const fed = input => run(path.join(bin, 'rempart'), ['domain', 'look', '-', '--state', stack.state], {input, env: {...stack.env, LANG: 'C.UTF-8'}});

before(async () => {
  stack = await Stack.start({app: null, config: configured});
  staff = new Staff(stack);
});
after(() => stack?.stop());

test('what is watched is named: what is configured, and what the applications are called', async () => {
  const {code, stdout} = await domain('list', '--json');
  assert.equal(code, 0);
  const {watched, honest, feed, feed_days} = JSON.parse(stdout);
  assert.deepEqual(watched, ['moncoffre.fr', 'port-bank.eu']);
  assert.deepEqual(honest, ['moncoffre.partner.example']);
  assert.equal(feed, null);
  assert.equal(feed_days, 3);
});

/*= S176 type=test */
test('a dry run judges and writes nothing down', async () => {
  const {code, stdout} = await domain('look', 'mon-coffre.fr', 'example.net', '--dry-run');
  assert.equal(code, 1);
  assert.match(stdout, /^mon-coffre\.fr {2}poses as moncoffre\.fr: a hyphen added or left out$/m);
  assert.match(stdout, /^example\.net {2}does not pose as one of ours$/m);
  assert.deepEqual(await records(), []);
  assert.equal(JSON.parse((await domain('list', '--json')).stdout).feed, null);
});

/*= S176 type=test */
test('what poses goes on record once, with a deadline, and to the event log', async () => {
  const first = await domain('look', 'www.moncoffrе.fr', 'login.moncoffre.partner.example', 'app.moncoffre.fr');
  assert.equal(first.code, 1, first.stderr);
  assert.match(first.stdout, /^xn--moncoffr-j8g\.fr \(moncoffrе\.fr\) {2}poses as moncoffre\.fr: characters that look alike {2}\(new: lookalikes 1, new\)$/m);
  const again = await domain('look', 'moncoffrе.fr', '--json');
  assert.equal(again.code, 1);
  assert.equal(JSON.parse(again.stdout).what, 'known');
  const [one, ...others] = await records();
  assert.deepEqual(others, []);
  assert.equal(one.name, 'xn--moncoffr-j8g.fr');
  assert.equal(one.shown, 'moncoffrе.fr');
  assert.equal(one.own, 'moncoffre.fr');
  assert.equal(one.kind, 'homoglyph');
  await until('the event', async () => {
    const {stdout} = await stack.rempart('ledger', 'tail', 'operator', '-n', '200', '--json');
    return stdout.includes('"lookalike.flagged"') && stdout.includes('xn--moncoffr-j8g.fr');
  });
  const shown = await staff.register('show', 'lookalikes', '1');
  assert.ok(shown.deadlines?.some(clock => clock.name === 'look' || clock.deadline === 'look' || clock.id === 'look'), JSON.stringify(shown.deadlines));
});

/*= S176 type=test */
test('a feed of certificates is read from the standard input; what cannot be read is told, and the rest counts', async () => {
  const {code, stdout, stderr} = await fed([
    '# of today', '', 'example.org',
    JSON.stringify({dns_names: ['*.secure-moncoffre.com', 'honest.example.net']}),
    JSON.stringify({data: {leaf_cert: {all_domains: ['port-bank.eu.verify.top', 'not a name']}}}),
    '{"dns_names":', 'portbank.com'].join('\n'));
  assert.equal(code, 1);
  assert.match(stdout, /^secure-moncoffre\.com {2}poses as moncoffre\.fr: a word added/m);
  assert.match(stdout, /^port-bank\.eu\.verify\.top {2}poses as port-bank\.eu: our name in front/m);
  assert.match(stdout, /^portbank\.com {2}poses as port-bank\.eu: a hyphen/m);
  assert.match(stdout, /^6 names looked at, 3 flagged, 1 that are no names, 1 lines that cannot be read$/m);
  assert.match(stderr, /^line 6: /m);
  const {feed} = JSON.parse((await domain('list', '--json')).stdout);
  assert.equal(feed.source, 'rempart domain look');
  assert.equal(feed.flagged, 3); // the typed ones are no feed
});

test('a feed without end is handed over while it goes on', async () => {
  const child = spawn(path.join(bin, 'rempart'), ['domain', 'look', '-', '--json', '--state', stack.state]);
  let stdout = '';
  child.stdout.on('data', data => { stdout += data; });
  const ended = new Promise(resolve => child.on('close', resolve));
  child.stdin.write('moncoffre.top\n');
  await until('the flagged name', () => stdout.includes('"moncoffre.top"'));
  child.stdin.end();
  assert.equal(await ended, 1);
});

test('what is no name, and no verb, is refused in both languages', async () => {
  const bad = await domain('look', 'not a name');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /not a name: not a domain name, such as example\.com/);
  assert.match((await french('look', 'pas un nom')).stderr, /ce n’est pas un nom de domaine/);
  assert.equal((await domain('guess')).code, 2);
  assert.match((await french('look', 'moncoffre.com', '--dry-run')).stdout, /imite moncoffre\.fr : le même nom sous une autre extension/);
});

/*= S176 type=test */
test('a feed has a token that opens this door and no other', async () => {
  const made = await staff.register('token', 'new', 'feed', 'scope=write', 'registers=lookalikes', 'days=30');
  const ask = (method, where, body) => stack.client().request(method, where, {body: body && JSON.stringify(body),
    headers: {authorization: `Bearer ${made.token}`, accept: 'application/json', 'content-type': 'application/json'}});
  const answer = await ask('POST', door, {names: ['moncoffre-sso.io', 'x.example.net'], source: 'a monitor'});
  assert.equal(answer.status, 200, answer.text);
  const {looked, flagged, told} = answer.json();
  assert.equal(looked, 2);
  assert.equal(told, 0); // nobody has the role yet, and a token of the owner's is nobody's
  assert.equal(flagged.length, 1);
  assert.equal(flagged[0].what, 'new');
  assert.equal((await ask('GET', door)).status, 200);
  assert.equal((await ask('GET', '/.rempart/api/v1/registers/persons')).status, 403);
  assert.equal((await ask('GET', '/.rempart/api/v1/notices')).status, 403);
  assert.equal((await ask('POST', door, {name: 'x'})).status, 400);
  assert.equal((await ask('POST', door, {names: Array(2001).fill('a.fr')})).status, 413);
  const many = await ask('POST', door, {names: Array.from({length: 101}, (_, i) => `moncoffre.x${i}.top`)});
  assert.equal(many.status, 413, many.text);
  assert.equal((await records()).filter(one => one.name.includes('.x1.')).length, 0);
  const reader = await staff.register('token', 'new', 'reader', 'scope=read', 'registers=lookalikes', 'days=1');
  const refused = await stack.client().request('POST', door, {body: '{"names":["moncoffre.co"]}',
    headers: {authorization: `Bearer ${reader.token}`, accept: 'application/json', 'content-type': 'application/json'}});
  assert.equal(refused.status, 403);
  assert.equal((await stack.client().request('GET', door, {headers: {accept: 'application/json'}})).status, 401);
});

// Allow and deny lists: an operator refuses and lets in by one command, and nothing is reloaded.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, freePort, sleep, until} from '../lib/stack.mjs';

let stack, app, appPort, folder;

before(async () => {
  app = http.createServer((_, response) => response.end('hello'));
  await new Promise(resolve => app.listen(0, '127.0.0.1', resolve));
  appPort = app.address().port;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-lists-'));
  // A provider in front: the test says as whom it comes.
  stack = await Stack.start({app: null, config: port => `host: localhost
gate:
  listen: ${port}
  trusted_proxies: [127.0.0.0/8]
  client_address: header X-Forwarded-For
limits: {address_per_second: 3, network_per_second: 1000}
apps:
  - name: site
    upstream: http://127.0.0.1:${appPort}
    sign_in: none
`});
});
after(async () => {
  await stack?.stop();
  app?.close();
  fs.rmSync(folder, {recursive: true, force: true});
});

const ask = (as, {path: target = '/', method = 'GET', headers = {}} = {}) =>
  stack.client().request(method, target, {headers: {'X-Forwarded-For': as, ...headers}});
const status = async (...args) => (await ask(...args)).status;

async function gate(...args) {
  const {code, stdout, stderr} = await stack.rempart('gate', ...args);
  assert.equal(code, 0, `gate ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}
const entries = async () => (await gate('list', '--json')).split('\n').map(line => JSON.parse(line));
// Everything in the operator's log, one event a line, as its files hold it.
const files = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
  entry.isDirectory() ? files(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
const log = () => files(stack.file('ledger/operator/tile/entries'))
  .flatMap(file => fs.readFileSync(file, 'latin1').split('{"activity_id"'));

/*= S58 type=test */
test('a denied network is refused within two seconds, its neighbour is not', async () => {
  assert.equal(await status('198.51.100.7'), 200);
  const worker = await stack.pid('gate');
  const id = await gate('deny', '198.51.100.0/24', '--reason', 'password guessing', '--days', '7');
  assert.match(id, /^[0-9a-f]{32}$/);
  await until('refused', async () => await status('198.51.100.7') === 403, {seconds: 3});
  assert.equal(await status('198.51.101.7'), 200);
  assert.equal(await stack.pid('gate'), worker, 'nothing was restarted');
  const one = (await entries()).find(e => e.id === id);
  assert.equal(one.network, '198.51.100.0/24');
  assert.equal(one.reason, 'password guessing');
  assert.ok(one.by.length > 0);
  assert.ok(Date.parse(one.until) > Date.now() + 6 * 86400e3);
  await until('the change in the log', () =>
    log().some(line => line.includes('"gate.list_changed"') && line.includes('"action":"deny"') &&
      line.includes(`"by":"${one.by}"`) && line.includes(id) && line.includes('password guessing')), {every: 300});
  await until('a refusal in the log', () =>
    log().some(line => line.includes('"gate.refused"') && line.includes('"reason":"list"')), {every: 300});
});

test('whoever is refused reads so in their language, or as a problem document', async () => {
  const fr = await ask('198.51.100.7', {headers: {'Accept-Language': 'fr', Accept: 'text/html'}});
  assert.equal(fr.status, 403);
  assert.match(fr.text, /Accès bloqué/);
  const en = await ask('198.51.100.7', {headers: {'Accept-Language': 'en', Accept: 'text/html'}});
  assert.match(en.text, /Blocked/);
  const json = await ask('198.51.100.7', {headers: {Accept: 'application/json'}});
  assert.equal(JSON.parse(json.text).code, 'blocked');
});

/*= S58 type=test */
test('an allowed address passes where its network is denied, and no limit counts for it', async () => {
  await gate('allow', '198.51.100.9', '--reason', 'our own monitoring');
  await until('let in', async () => await status('198.51.100.9') === 200, {seconds: 3});
  const many = await Promise.all(Array.from({length: 30}, () => status('198.51.100.9')));
  assert.deepEqual([...new Set(many)], [200]);
  const others = await Promise.all(Array.from({length: 30}, () => status('203.0.113.5')));
  assert.ok(others.includes(429), 'everybody else is counted');
});

test('a path, a method and a header can be denied', async () => {
  await gate('deny', '--path', '/wp-login', '--reason', 'nothing of ours');
  await gate('deny', '--method', 'TRACE', '--reason', 'nobody needs it');
  await gate('deny', '203.0.113.0/24', '--header', 'User-Agent: GreedyReader', '--reason', 'takes everything');
  await until('the path refused', async () => await status('192.0.2.1', {path: '/wp-login.php'}) === 403);
  assert.equal(await status('192.0.2.2', {path: '/wp-%6cogin.php'}), 403);
  assert.equal(await status('192.0.2.3', {path: '/x/wp-login'}), 200);
  await until('the header refused', async () =>
    await status('203.0.113.77', {headers: {'User-Agent': 'greedyreader/1.7'}}) === 403);
  assert.equal(await status('203.0.113.78', {headers: {'User-Agent': 'curl/8'}}), 200);
  assert.equal(await status('192.0.2.4', {headers: {'User-Agent': 'greedyreader/1.7'}}), 200);
});

test('100,000 networks come in from a file in about a second, all or none', async () => {
  const file = path.join(folder, 'drop.txt');
  const lines = Array.from({length: 100000}, (_, i) => `100.${64 + (i >> 16)}.${i >> 8 & 255}.${i & 255}`);
  fs.writeFileSync(file, `${lines.join('\n')}\n10.0.0.0/33\n`);
  const bad = await stack.rempart('gate', 'deny', '--file', file, '--reason', 'a list');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /10\.0\.0\.0\/33/);
  assert.ok((await entries()).length < 20, 'nothing of it came in');
  fs.writeFileSync(file, `# a published list\n${lines.join('\n')}\n`);
  const from = Date.now();
  assert.match(await gate('deny', '--file', file, '--reason', 'a list', '--days', '2'), /^100000 /);
  await until('refused', async () => await status('100.64.1.2') === 403, {seconds: 5, every: 20});
  const took = Date.now() - from;
  console.log(`# 100,000 denied networks: ${took} ms from the command to the refusal`);
  assert.ok(took < 6000, `${took} ms`);
  assert.equal(await status('100.80.1.2'), 200);
  await until('one event for the whole file', () =>
    log().some(line => line.includes('"change":"import"') && line.includes('"count":100000')), {every: 300});
  fs.writeFileSync(file, `${lines.join('\n')}\n192.0.2.200\n`);
  const many = await stack.rempart('gate', 'deny', '--file', file, '--reason', 'a list');
  assert.equal(many.code, 2, 'more than 100,000 are refused');
});

test('what is wrong is refused and says what', async () => {
  const bad = [
    [['deny', '192.0.2.1/24', '--reason', 'x'], /beyond its length/],
    [['deny', 'example.com', '--reason', 'x'], /no network/],
    [['deny', '192.0.2.1'], /--reason/],
    [['deny', '--reason', 'x'], /--path/],
    [['deny', '--path', 'admin', '--reason', 'x'], /begins with \//],
    [['deny', '192.0.2.1', '--reason', 'x', '--days', '0'], /--days/],
    [['remove', '192.0.2.222'], /./],
  ];
  for (const [args, says] of bad) {
    const {code, stderr} = await stack.rempart('gate', ...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, says);
  }
});

test('lists outlive a restart, and a removed entry is gone', async () => {
  await stack.down();
  await stack.up();
  assert.equal(await status('198.51.100.7'), 403);
  assert.equal(await status('100.64.1.2'), 403);
  await gate('remove', '198.51.100.0/24');
  await until('let in again', async () => await status('198.51.100.8') === 200, {seconds: 3});
});

test('a damaged table lets nobody in that was kept out, and is made anew', async () => {
  await gate('deny', '192.0.2.66', '--reason', 'x');
  await until('refused', async () => await status('192.0.2.66') === 403, {seconds: 3});
  const table = stack.file('run/lists.tab');
  const bytes = fs.readFileSync(table);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(`${table}.new`, bytes, {mode: 0o640});
  fs.renameSync(`${table}.new`, table);
  await sleep(1500);
  assert.equal(await status('192.0.2.66'), 403);
  fs.rmSync(table);
  await sleep(1500);
  assert.equal(await status('192.0.2.66'), 403);
  await until('made anew', () => fs.existsSync(table), {seconds: 40, every: 500});
});

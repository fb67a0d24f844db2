// Under attack: strangers' browsers work a little first; whoever is known notices nothing.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, until} from '../lib/stack.mjs';

let stack, app;
before(async () => {
  app = http.createServer((_, response) => response.end('hello'));
  await new Promise(resolve => app.listen(0, '127.0.0.1', resolve));
  const upstream = `http://127.0.0.1:${app.address().port}`;
  // A provider in front: the test says as whom it comes.
  stack = await Stack.start({app: null, config: port => `host: localhost
gate:
  listen: ${port}
  trusted_proxies: [127.0.0.0/8]
  client_address: header X-Forwarded-For
limits: {strangers_per_second: 20}
apps:
  - {name: site, upstream: "${upstream}", sign_in: optional}
  - {name: shop, host: shop.localhost, upstream: "${upstream}", sign_in: none}
`});
});
after(async () => { await stack?.stop(); app?.close(); });

const ask = (as, headers = {}, target = '/') =>
  stack.client().get(target, {headers: {'X-Forwarded-For': as, Accept: 'application/json', ...headers}});
const shop = as => ask(as, {Host: `shop.localhost:${stack.port}`});
async function gate(...args) {
  const {code, stdout, stderr} = await stack.rempart('gate', ...args);
  assert.equal(code, 0, `gate ${args.join(' ')}: ${stderr}`);
  return stdout;
}
const files = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
  entry.isDirectory() ? files(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
const log = () => files(stack.file('ledger/operator/tile/entries')).flatMap(file => fs.readFileSync(file, 'latin1').split('{"activity_id"'));

// What the page's script does.
function solve(cookie) {
  const [end, challenge, bits] = /^__Host-rempart-ask=([^;]+)/.exec(cookie)[1].split('.');
  const numbers = [0, 1, 2, 3].map(place => {
    for (let number = 0; ; number++) {
      const hash = createHash('sha256').update(`${challenge}.${place}.${number}`).digest();
      if (hash.readUInt32BE(0) >>> 32 - bits === 0) return number;
    }
  });
  return `__Host-rempart-pass=${[end, ...numbers].join('.')}`;
}
const cookieOf = answer => [answer.headers['set-cookie']].flat().find(one => one?.startsWith('__Host-rempart-ask='));

/*= S51, S52 type=test */
test('a stranger is asked for work, and passes with it', async () => {
  assert.equal((await ask('192.0.2.1')).status, 200);
  await gate('attack', 'on', '--app', 'site', '--minutes', '30');
  const asked = await until('the puzzle', async () => {
    const answer = await ask('192.0.2.1');
    return answer.status === 503 && answer;
  }, {seconds: 4});
  assert.equal(JSON.parse(asked.text).code, 'challenge');
  assert.equal((await shop('192.0.2.1')).status, 200, 'another application is not asked');
  const Cookie = solve(cookieOf(asked));
  assert.equal((await ask('192.0.2.1', {Cookie})).status, 200);
  assert.equal((await ask('192.0.2.2', {Cookie})).status, 503, 'somebody else cannot use it');
  assert.equal((await ask('192.0.2.1', {Cookie: Cookie.replace(/\d$/, digit => (+digit + 1) % 10)})).status, 503);
  assert.equal((await ask('2001:db8::1', {Cookie})).status, 503);
});

test('the page says what happens, in both languages, and what to do without scripts', async () => {
  for (const [lang, says, noScript] of [['fr', /Un instant/, /Activez-le/], ['en', /One moment/, /Allow it for this site/]]) {
    const page = await ask('192.0.2.9', {Accept: 'text/html', 'Accept-Language': lang});
    assert.equal(page.status, 503);
    assert.match(page.text, says);
    assert.match(page.text, noScript);
    const script = /<script>([\s\S]*)<\/script>/.exec(page.text)[1];
    const hash = createHash('sha256').update(script).digest('base64');
    assert.ok(page.headers['content-security-policy'].includes(`script-src 'sha256-${hash}'`));
    assert.match(cookieOf(page), /; Secure; SameSite=Lax/);
    assert.doesNotMatch(page.text, /https?:\/\//, 'nothing from anybody else');
  }
});

test('whoever is signed in, or on an allow list, passes', async () => {
  const person = await stack.firstAdministrator();
  assert.equal((await person.get('/')).status, 200);
  await gate('allow', '198.51.100.9', '--reason', 'our own monitoring');
  await until('let in', async () => (await ask('198.51.100.9')).status === 200, {seconds: 4});
  assert.equal((await ask('198.51.100.8')).status, 503);
});

test('core, its restart, and the log know of it', async () => {
  assert.match(await gate('attack'), /site.*until 20/);
  await until('the events', () => log().some(line => line.includes('"gate.attack_mode"') && line.includes('"change":"on"')) &&
    log().some(line => line.includes('"gate.refused"') && line.includes('"reason":"challenge"')));
  await stack.down();
  await stack.up();
  const asked = await ask('192.0.2.1');
  assert.equal(asked.status, 503);
  assert.equal((await ask('192.0.2.1', {Cookie: solve(cookieOf(asked))})).status, 200);
});

test('what is wrong is refused', async () => {
  for (const args of [['attack', 'on', '--app', 'nobody'], ['attack', 'off'], ['attack', 'maybe'], ['attack', 'on', '--minutes', 'x']]) {
    assert.equal((await stack.rempart('gate', ...args)).code, 2, args.join(' '));
  }
});

test('on for all, and the page stays green: the probes\' own place is no application of anybody', async () => {
  await gate('attack', 'on');
  await until('the puzzle', async () => (await shop('192.0.2.1')).status === 503, {seconds: 4});
  assert.equal((await ask('192.0.2.1', {}, '/.rempart/canary/')).status, 401);
  assert.equal((await ask('192.0.2.1', {}, '/trust')).status, 200);
  await gate('attack', 'off');
  await until('let in', async () => (await shop('192.0.2.1')).status === 200, {seconds: 4});
});

test('off is off', async () => {
  await gate('attack', 'off', '--app', 'site');
  await until('let in', async () => (await ask('192.0.2.77')).status === 200, {seconds: 4});
  assert.match(await gate('attack'), /no application/);
});

/*= S51, S52 type=test */
test('more strangers than expected are asked by themselves, and those with a pass are not', async () => {
  const burst = (n, headers) => Promise.all(Array.from({length: n}, (_, i) => ask(`203.0.${i >> 8}.${i & 255}`, headers)));
  const answers = await burst(150);
  const asked = answers.filter(one => one.status === 503);
  assert.ok(asked.length > 30 && asked.length < 130, `${asked.length} of 150 were asked`);
  assert.equal(JSON.parse(asked[0].text).code, 'challenge');
  const me = await until('the puzzle', async () => {
    const all = await Promise.all([burst(80), ...Array.from({length: 10}, () => ask('192.0.2.50'))]);
    return all.slice(1).find(answer => answer.status === 503);
  });
  const Cookie = solve(cookieOf(me));
  const [, ...mine] = await Promise.all([burst(80), ...Array.from({length: 10}, () => ask('192.0.2.50', {Cookie}))]);
  assert.deepEqual([...new Set(mine.map(answer => answer.status))], [200]);
});

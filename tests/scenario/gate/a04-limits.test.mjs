// Who asks too often is told when to come back; nobody else notices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {echoApp} from '../../lib/upstream.mjs';
import {Gate, fastcgi} from './alone.mjs';

let gate, core, app;
before(async () => {
  app = await echoApp();
  gate = await Gate.start(({port}) => `host: localhost
gate: {listen: ${port}, trusted_proxies: [127.0.0.1], client_address: header X-Forwarded-For}
limits: {address_per_second: 20, network_per_second: 40, session_per_second: 10, tenant_per_second: 15}
apps:
  - {name: echo, upstream: "${app.url}", paths: [{path: /public/, sign_in: none}, {path: /search, sign_in: none, per_second: 3}]}
`);
  core = await fastcgi(gate.file('run/core.sock'), () => ({status: '200 OK', headers: {'Content-Type': 'text/plain'}, body: 'core'}));
});
after(async () => { await core?.close(); await gate?.stop(); await app?.close(); });

const burst = async (n, client, headers = {}, target = '/public/') => {
  const all = await Promise.all(Array.from({length: n}, (_, i) => gate.ask(target, {headers: {accept: 'text/html', 'accept-language': 'en', 'x-forwarded-for': client(i), ...headers}})));
  return {all, passed: all.filter(one => one.status === 200).length, refused: all.filter(one => one.status === 429)};
};

test('an address may ask twice its rate at once, then it is told to wait', async () => {
  gate.records();
  const {passed, refused} = await burst(90, () => '203.0.113.1');
  assert.ok(passed >= 40 && passed < 80, `${passed} passed`);
  assert.match(refused[0].headers['retry-after'], /^[1-9]\d*$/);
  assert.match(refused[0].text, /Too many requests/);
  assert.equal((await burst(1, () => '203.0.114.1')).passed, 1, 'others do not notice');
  assert.ok(gate.records().some(line => /reason=rate status=429/.test(line)));
});

test('many addresses of one network are one network', async () => {
  const {passed} = await burst(150, i => `198.51.100.${i}`);
  assert.ok(passed >= 80 && passed < 140, `${passed} passed`);
});

test('all of a /64 is one address', async () => {
  const {passed} = await burst(90, i => `2001:db8::${i}`);
  assert.ok(passed >= 40 && passed < 80, `${passed} passed`);
});

test('a place with a number of its own counts each address there', async () => {
  const {passed} = await burst(30, () => '203.0.116.1', {}, '/search');
  assert.ok(passed >= 6 && passed < 15, `${passed} passed`);
  assert.equal((await burst(1, () => '203.0.116.1')).passed, 1, 'elsewhere it is as before');
  assert.equal((await burst(1, () => '203.0.116.2', {}, '/search')).passed, 1, 'others do not notice');
});

test('a session has its own limit, wherever it comes from', async () => {
  const {passed, refused} = await burst(60, i => `192.0.${i}.1`, gate.signIn('s'), '/');
  assert.ok(passed >= 20 && passed < 50, `${passed} passed`);
  assert.ok(refused.length > 0);
});

test('a reload forgives nothing', async () => {
  await burst(60, () => '203.0.115.1');
  const [old] = gate.worker;
  const table = fs.statSync(gate.file('run/limits.tab')).ino;
  gate.child.kill('SIGHUP');
  while (gate.worker.includes(old) && gate.worker.length < 2) await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(fs.statSync(gate.file('run/limits.tab')).ino, table);
});

/*= S51, S52 type=test */
test('during a flood from elsewhere a good client is served', async () => {
  let over = false, flood = 0;
  const floods = Array.from({length: 8}, async () => {
    while (!over) { await gate.ask('/public/', {headers: {'x-forwarded-for': '203.0.116.66'}}).catch(() => {}); flood++; }
  });
  let good = 0;
  for (let i = 0; i < 100; i++) {
    const told = await gate.ask('/public/', {headers: {'x-forwarded-for': `192.168.${i}.1`}}).catch(() => null);
    good += told?.status === 200;
  }
  over = true;
  await Promise.all(floods);
  assert.ok(flood > 100, `${flood} flooding requests`);
  assert.ok(good >= 99, `${good} of 100 served`);
});

// What an operator watches: /metrics on loopback, accepted by Prometheus' own checker, and status.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';
import {crash} from '../lib/sabotage.mjs';
import {Stack, freePort, run, until} from '../lib/stack.mjs';

let stack, port, person;

function get(target, {method = 'GET', headers} = {}) {
  return new Promise((resolve, reject) => http.request({method, port, host: '127.0.0.1', path: target, headers}, answer => {
    let text = '';
    answer.on('data', data => { text += data; }).on('end', () => resolve({status: answer.statusCode, type: answer.headers['content-type'], text}));
  }).on('error', reject).end());
}
const value = (text, sample) => Number(new RegExp(`^${sample.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]);

before(async () => {
  port = await freePort();
  stack = await Stack.start({config: https => `host: localhost\ngate:\n  listen: ${https}\n  metrics_port: ${port}\nlimits:\n` +
    `  address_per_second: 30\napps:\n  - name: notes\n    upstream: unix:run/notes.sock\n    sign_in: required\n`});
  person = await stack.firstAdministrator();
});
after(() => stack?.stop());

// A look that came only some seconds later was missed by a start that took longer than that.
test('whoever asks after "ready" is told all of it', async () => {
  const {code, stdout} = await stack.rempart('status');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^certificate: \d+ days left/m);
  const status = await stack.status();
  assert.ok(status.certificate_until_s > Date.now() / 1000);
  for (const role of status.roles) assert.ok(role.memory_kib > 500, `${role.name}: ${role.memory_kib}`);
});

test('the numbers are those of what happened', async () => {
  await until('the ledger\'s count', async () => value((await get('/metrics')).text, 'rempart_requests_total{outcome="allowed"}') > 0);
  const all = 'rempart_request_duration_seconds_count', before = (await get('/metrics')).text;
  await Promise.all(Array.from({length: 120}, () => person.get('/')));
  assert.equal((await get('/metrics')).status, 200, 'whoever watches sees the flood, also from the address that it comes from');
  const {status, type, text} = await until('refused by rate', async () => {
    const answer = await get('/metrics');
    return value(answer.text, 'rempart_refused_total{reason="rate"}') > 0 && value(answer.text, all) >= value(before, all) + 120 && answer;
  });
  assert.equal(status, 200);
  assert.match(type, /^text\/plain; version=0\.0\.4/);
  assert.equal(value(text, all), ['allowed', 'refused', 'upstream_down'].reduce((sum, one) => sum + value(text, `rempart_requests_total{outcome="${one}"}`), 0));
  assert.ok(value(text, 'rempart_sessions') >= 1);
  assert.equal(value(text, 'rempart_ledger_up'), 1);
  const statuses = [...text.matchAll(/^rempart_sentences\{status="[a-z-]+"\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  assert.equal(statuses, 165);
  await until('the memory of each role', async () => ['core', 'gate', 'ledger'].every(async role => value((await get('/metrics')).text, `rempart_role_memory_bytes{role="${role}"}`) > 1e6), {seconds: 30});
  await until('the certificate', async () => value((await get('/metrics')).text, 'rempart_certificate_expiry_seconds') > Date.now() / 1000, {seconds: 30});
  assert.ok(!/notes|localhost|127\.0\.0\.1|@/.test(text), 'nobody is named');
});

test('promtool accepts them', async t => {
  const found = await run('sh', ['-c', 'command -v promtool']);
  if (found.code !== 0) return t.skip('promtool is not installed: scripts/setup test');
  const {code, stdout, stderr} = await run('promtool', ['check', 'metrics'], {input: (await get('/metrics')).text});
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stdout + stderr, '');
});

test('on loopback alone, and nothing else stands there', async () => {
  for (const target of ['/', '/.rempart/internal/metrics', '/trust.json', '/metrics/x']) assert.equal((await get(target)).status, 404, target);
  assert.equal((await get('/metrics', {method: 'POST'})).status, 403);
  const {stdout} = await run('ss', ['-Hltn', `sport = :${port}`]);
  assert.match(stdout, /127\.0\.0\.1:/);
  assert.equal(stdout.trim().split('\n').length, 1);
  const outside = await person.get('/.rempart/internal/metrics', {headers: {'rempart-metrics': 'on', accept: 'text/plain'}});
  assert.equal(outside.status, 404);
});

test('a role that was killed shows in both', async () => {
  await crash(stack, 'hunt');
  await until('a restart counted', async () => value((await get('/metrics')).text, 'rempart_role_restarts_total{role="hunt"}') === 1);
  await until('all ready', async () => (await stack.rempart('status')).code === 0);
  const text = (await stack.rempart('status')).stdout;
  assert.match(text, /^hunt +ready .*restarts 1 .*last end: signal 9/m);
  assert.match(text, /^rempart \d+\.\d+\.\d+, up /m);
  assert.match(text, /^certificate: \d+ days left/m);
  assert.match(text, /^log behind: \d+ KiB; disk free: [\d.]+ GiB/m);
  const json = JSON.parse((await stack.rempart('status', '--json')).stdout);
  for (const name of ['uptime_s', 'certificate_days', 'disk_free_bytes', 'ledger_behind_bytes', 'pss_kib', 'version', 'config']) assert.ok(name in json, name);
  assert.ok(json.roles.find(role => role.name === 'gate').pss_kib > 2000);
});

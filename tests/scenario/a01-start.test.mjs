// A first start: everything up, the page complete, every sentence once, some of them proven.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

test('the last start line is "ready", and the first administrator\'s link is shown', () => {
  const lines = stack.output.trim().split('\n').filter(line => !/^\d{4}\//.test(line)); // nginx logs as it serves
  assert.equal(lines.at(-1), 'ready');
  assert.match(stack.output, new RegExp(`https://localhost:${stack.port}/\\.rempart/id/enrol\\?token=[\\w-]{43}`));
});

test('whoever reads French is told of the start in French, and of a start that is refused', async () => {
  const words = {env: {LANG: 'fr_FR.UTF-8', LC_ALL: ''}, app: null};
  const french = await Stack.start(words);
  try {
    assert.match(french.output, /^core    prêt \(\d+ ms\)$/m);
    assert.match(french.output, /^https:\/\/localhost:\d+\/trust  la page de confiance$/m);
    assert.match(french.output, /^premier administrateur\u00a0: https:/m);
    assert.doesNotMatch(french.output, /the applications|^first administrator|not met/m);
    assert.equal(french.output.trim().split('\n').filter(line => !/^\d{4}\//.test(line)).at(-1), 'ready', 'for programs, in one language');
    // What the ledger says of the disk comes a moment after "ready".
    const status = await until('the whole status', async () => {
      const said = await run(path.join(bin, 'rempart'), ['status', '--state', french.state], {env: french.env});
      return said.stdout.includes('disque libre') && said;
    });
    assert.match(status.stdout, /^core     prêt      pid \d+ .*relances 0 +\d+,\d Mio$/m);
    assert.match(status.stdout, /disque libre\u00a0: \d+,\d Gio/);
    assert.doesNotMatch(status.stdout, /ready|\d\.\d Mio/);
  } finally {
    await french.stop();
  }
  const refused = await Stack.start({...words, port: stack.port, expectReady: false});
  try {
    assert.equal(await refused.ended, 2);
    assert.match(refused.output, /un autre programme y écoute\. Arrêtez-le, ou changez gate\.listen dans /);
  } finally {
    await refused.stop();
  }
});

test('status names every role, ready, with its memory', async () => {
  const {code, stdout} = await stack.rempart('status', '--json');
  assert.equal(code, 0);
  const status = JSON.parse(stdout);
  assert.deepEqual(status.roles.map(role => role.name).sort(), ['core', 'courier', 'gate', 'hunt', 'kms', 'ledger', 'probe']);
  for (const role of status.roles) assert.equal(role.state, 'ready', role.name);
  assert.ok(status.pss_kib > 1000 && status.pss_kib < 150 * 1024, `${status.pss_kib} KiB in all`);
});

test('all 165 sentences stand on the page, each once', async () => {
  const {promises} = await stack.trust();
  const sentences = promises.flatMap(promise => promise.sentences);
  assert.equal(sentences.length, 165);
  assert.equal(new Set(sentences).size, 165);
  const known = ['proven', 'failing', 'stale', 'declared', 'not-met', 'not-built', 'not-applicable'];
  for (const promise of promises) {
    assert.ok(known.includes(promise.status), `${promise.id}: ${promise.status}`);
    assert.ok(promise.text.fr && promise.text.en, promise.id);
    for (const part of promise.parts) assert.ok(known.includes(part.status), part.probe);
  }
});

test('every sentence whose probes are built is proven within the first minute, none fails', async () => {
  await until('fifteen proven sentences', async () => {
    const {promises} = await stack.trust();
    const failing = promises.filter(promise => promise.status === 'failing');
    assert.deepEqual(failing.map(promise => [promise.id, promise.parts]), []);
    return promises.filter(promise => promise.status === 'proven').flatMap(promise => promise.sentences).length >= 15;
  }, {seconds: 60, every: 1000});
  const {code, stdout} = await stack.rempart('promises', '--summary');
  assert.equal(code, 0);
  assert.match(stdout, /^\d+ of 165 promises proven/);
  const {sentences, probes} = JSON.parse((await stack.rempart('promises', '--summary', '--json', '--wait', '60')).stdout);
  assert.equal(Object.values(sentences).reduce((sum, n) => sum + n), 165);
  assert.ok(sentences.proven >= 15 && probes.run > probes.to_come, JSON.stringify({sentences, probes}));
  const french = await run(path.join(bin, 'rempart'), ['promises', '--state', stack.state], {env: {...stack.env, LANG: 'fr_FR.UTF-8'}});
  for (const line of [/^prouvée {6}tls-everywhere/m, /^non tenue {4}background-checks/m, /^à construire segmentation/m]) assert.match(french.stdout, line);
  assert.doesNotMatch(french.stdout, /not-met|not-built|proven/);
});

/* A ledger that was busy is asked again at the probe's next run. */
const withLeaf = probe => until(`a leaf of ${probe}`, async () => {
  const {promises} = await stack.trust();
  const part = promises.flatMap(promise => promise.parts).find(one => one.probe === probe);
  return part?.evidence && part;
}, {seconds: 90, every: 500});

test('what the probes saw is said in the language of the reader, and signed in both', async () => {
  const {promises} = await stack.trust();
  const seen = promises.flatMap(promise => promise.parts).filter(part => part.detail);
  for (const part of seen) assert.ok(part.detail_fr && part.detail_fr !== part.detail, `${part.id}: ${part.detail}`);
  const escaped = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&#39;');
  const [french, english] = await Promise.all(['fr', 'en'].map(async lang => (await stack.client({lang}).get('/trust')).text));
  const shown = (page, text) => page.includes(`<dd>${escaped(text)}</dd>`);
  for (const status of ['proven', 'not-met']) {
    const part = seen.find(one => one.status === status && shown(english, one.detail));
    assert.ok(part, `no part is ${status}`);
    assert.ok(shown(french, part.detail_fr) && !shown(french, part.detail), part.detail_fr);
  }
  const tls = await withLeaf('tls.versions');
  const leaf = (await stack.client().get(tls.evidence.proof_url.replace(/tlog-proof$/, 'json'))).json();
  assert.deepEqual([leaf.unmapped.detail, leaf.unmapped.detail_fr], [tls.detail, tls.detail_fr]);
  const evidence = await stack.client({lang: 'fr'}).get(tls.evidence.proof_url.replace('.tlog-proof', ''));
  assert.ok(shown(evidence.text, tls.detail_fr), 'the evidence page shows the finding');
  const told = await run(path.join(bin, 'rempart'), ['promises', 'tls-everywhere', '--state', stack.state], {env: {...stack.env, LANG: 'fr_FR.UTF-8'}});
  assert.ok(told.stdout.includes(tls.detail_fr), told.stdout);
});

test('each proven part leads to a leaf, and its proof verifies offline', async () => {
  const part = await withLeaf('tls.versions');
  const proof = await stack.client().get(part.evidence.proof_url);
  assert.equal(proof.status, 200);
  assert.match(proof.text, /^c2sp\.org\/tlog-proof@v1\n/);
  const file = stack.file('evidence.tlog-proof');
  fs.writeFileSync(file, proof.body);
  const key = fs.readFileSync(stack.file('ledger/public/vkey'), 'utf8').trim();
  const good = await stack.rempart('verify', file, '--key', key);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const bad = Buffer.from(proof.body);
  bad[bad.length - 10] ^= 1;
  fs.writeFileSync(file, bad);
  assert.equal((await stack.rempart('verify', file, '--key', key)).code, 1);
});

test('a stop ends every process, and a second start needs nothing', async () => {
  const {roles} = await stack.status();
  await stack.down();
  for (const role of roles) assert.throws(() => process.kill(role.pid, 0), {code: 'ESRCH'}, role.name);
  await stack.up();
  assert.equal((await stack.client().get('/trust')).status, 200);
});

// As after a crash between their enrolment and the file that names them.
test('a start that finds no canaries makes new ones', async () => {
  const file = stack.file('canary/credentials.json');
  const before = JSON.parse(fs.readFileSync(file, 'utf8')).people;
  await stack.down();
  fs.rmSync(file);
  await stack.up();
  const after = JSON.parse(fs.readFileSync(file, 'utf8')).people;
  assert.equal(after.length, 2);
  for (const [i, person] of after.entries()) assert.notEqual(person.tenant, before[i].tenant);
  await until('the new canaries sign in', async () => (await stack.probe('tenant-isolation')).status === 'proven', {seconds: 60, every: 1000});
});

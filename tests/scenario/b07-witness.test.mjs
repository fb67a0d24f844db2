// A witness for others: the answers of the specification over the wire, to a log that was written without us.
// tests/sabotage/witness.test.mjs has two installations.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {Stack, until} from '../lib/stack.mjs';
import {Log, cosignedAt} from '../lib/tlog.mjs';

const entries = n => Array.from({length: n}, (_, i) => `entry ${i}`);
const stranger = new Log('stranger.example/log', entries(20));
const path = '/.rempart/witness/add-checkpoint';
let a, vkey;


before(async () => {
  a = await Stack.start({app: 'none', config: port => `host: localhost
gate:
  listen: ${port}
witness:
  logs: ["${stranger.vkey}"]
`});
  vkey = (await a.rempart('witness', 'key')).stdout.trim();
});
after(() => a?.stop());

const post = body => a.client().request('POST', path, {body});
const remembered = () => a.file('witness', `${crypto.createHash('sha256').update(stranger.name).digest('hex')}.cosigned`);
const operatorLog = async stack => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;

/*= S113 type=test: a head that does not continue the last one is not cosigned */
test('each answer of the specification', async () => {
  const fork = stranger.fork([...entries(5), ...entries(15).map(text => `other ${text}`)]);
  const steps = [ // in this order: what was cosigned is remembered
    ['a first head', stranger.ask(0, 7), 200],
    ['the same again', stranger.ask(7, 7), 200],
    ['growth', stranger.ask(7, 13), 200],
    ['from a size that is not remembered', stranger.ask(7, 20), 409],
    ['from nothing', stranger.ask(0, 20), 409],
    ['an older head', stranger.ask(0, 7), 409],
    ['the same size with another tree', fork.ask(13, 13), 409],
    ['another tree that grew', fork.ask(13, 20), 422],
    ['a proof that is missing', stranger.ask(13, 20, {proof: []}), 422],
    ['old over the size', stranger.ask(13, 12), 400],
    ['no body', '', 400],
    ['not a note', 'old 0\n\nhello\n', 400],
    ['64 hashes', stranger.ask(13, 20, {proof: Array(64).fill(stranger.proof(1, 2)[0])}), 400],
    ['an unknown log', new Log('nobody.example/log', entries(3)).ask(0, 3), 404],
    ['another key', new Log(stranger.name, entries(20)).ask(13, 20), 403],
    ['too large', 'x'.repeat(70000), 413],
    ['growth still', stranger.ask(13, 20), 200],
  ];
  for (const [what, body, status] of steps) {
    const answer = await post(body);
    assert.equal(answer.status, status, `${what}: ${answer.text.slice(0, 200)}`);
    if (status === 200) {
      const size = Number(body.match(/\n\n[^\n]*\n(\d+)\n/)[1]);
      const time = cosignedAt(stranger.checkpoint(size) + answer.text, vkey);
      assert.ok(Math.abs(time - Date.now() / 1000) < 60, `${what}: ${time}`);
      assert.ok(fs.readFileSync(remembered(), 'utf8').startsWith(stranger.text(size)), 'on disk before the answer');
    }
    if (status === 409) {
      assert.equal(answer.headers['content-type'], 'text/x.tlog.size');
      assert.equal(answer.text, '13\n', what);
    }
  }
  assert.equal((await a.client().get(path)).status, 405);
});

test('a head that forks is evidence, and an event', async () => {
  await until('the event', async () => /witness\.refused.*"reason":"forked"/.test(await operatorLog(a)));
  assert.ok(fs.existsSync(remembered().replace('.cosigned', '.forked')));
  const {code, stdout} = await a.rempart('witness', 'logs', '--json');
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout).logs.map(log => log.is).sort(), ['cosigned', 'forked']);
});

test('what was cosigned survives the end of the role', async () => {
  process.kill(await a.pid('witness'), 'SIGKILL');
  await until('the witness again', async () => (await post(stranger.ask(7, 20))).status === 409);
  assert.equal(fs.statSync(a.file('witness/key')).mode & 0o777, 0o600);
});

test('a reload with which the witness would not start is refused, and it goes on', async () => {
  const whole = fs.readFileSync(remembered(), 'utf8'), before = await a.pid('witness');
  fs.writeFileSync(remembered(), whole.replace('\n20\n', '\n7\n'));
  const file = a.file('rempart.yaml'), other = new Log('other.example/log', ['one']);
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(`"${stranger.vkey}"`, `"${stranger.vkey}", "${other.vkey}"`));
  const refused = await a.rempart('reload');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stdout + refused.stderr, /witness would not start with it: .*not what this witness cosigned/);
  assert.equal(await a.pid('witness'), before);
  assert.equal((await post(stranger.ask(7, 20))).status, 409);
  fs.writeFileSync(remembered(), whole);
  const done = await a.rempart('reload');
  assert.equal(done.code, 0, done.stderr);
  await until('it follows the other', async () => (await post(other.ask(0, 1))).status === 200);
});

test('a state that is not its own stops the witness: it is not to forget', async () => {
  fs.writeFileSync(remembered(), fs.readFileSync(remembered(), 'utf8').replace('\n20\n', '\n7\n'));
  process.kill(await a.pid('witness'), 'SIGKILL');
  await until('its refusal to start', () => a.output.includes('not what this witness cosigned'));
});

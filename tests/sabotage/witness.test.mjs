// Two installations: a witnesses b's log. A witness that is gone, another history, and a line that is not its own turn
// S113's part red; the true log turns it green again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {partNow, proven} from '../lib/sabotage.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';
import {Log, cosignedAt} from '../lib/tlog.mjs';

const nobody = new Log('nobody.example/log', ['one']); // whom a follows before it follows b
const copy = {};
let a, b, vkey;

// curl knows names below localhost without asking anybody.
const addressOfA = () => `https://a.localhost:${a.port}`;
const configOfA = (port, logs) => `host: a.localhost
gate:
  listen: ${port}
witness:
  logs: [${logs.map(log => JSON.stringify(log)).join(', ')}]
`;
const configOfB = () => `host: localhost
gate:
  listen: ${b.port}
ledger:
  witnesses: ["${addressOfA()}/.rempart/witness ${vkey}"]
  witness_authority: ${a.file('gate/tls/ca.pem')}
  witness_private: true
  witness_age_seconds: 10
`;

before(async () => {
  a = await Stack.start({app: 'none', config: port => configOfA(port, [nobody.vkey])});
  vkey = (await a.rempart('witness', 'key')).stdout.trim();
});
after(async () => {
  await b?.stop();
  await a?.stop();
});

const operatorLog = async stack => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;
const part = () => partNow(b, 'isolated-log-server', 'log.witnessed');
const green = () => proven(b, 'isolated-log-server', 'log.witnessed');
const red = (what, reason) => until(`S113 red: ${what}`, async () => {
  const {status, detail} = await part();
  if (status !== 'failing' || !reason.test(detail)) throw new Error(`${status}: ${detail}`);
  return true;
}, {seconds: 40, every: 500});
const verify = (...more) => b.rempart('verify', `${b.origin}/.rempart/log/public`, '--ca', b.file('gate/tls/ca.pem'), '--json', ...more);

const names = folder => fs.readdirSync(folder).filter(name => name !== 'run');
const keepAll = async (from, to) => { // a state folder as it lies on the disk while nothing runs; cp keeps owners
  const {code, stderr} = await run('cp', ['-a', ...names(from).map(name => `${from}/${name}`), to]);
  assert.equal(code, 0, stderr);
};
const putBack = async from => {
  for (const name of names(b.state)) fs.rmSync(b.file(name), {recursive: true});
  await keepAll(from, b.state);
};
const witnessed = async () => (await b.client().get('/.rempart/log/public/witnessed')).text;
const sizeOf = note => Number(note.split('\n')[1]);
const stateOfA = async () => JSON.parse((await b.rempart('status', '--json')).stdout).witnesses[0];

test('a log is cosigned as soon as its witness follows it, and again as it grows', async () => {
  b = await Stack.start({app: 'none'});
  const before = await part();
  assert.equal(before.status, 'not-met', before.detail); // it takes somebody else
  await b.down();
  copy.before = fs.mkdtempSync(`${b.state}-before-`);
  await keepAll(b.state, copy.before);
  fs.writeFileSync(b.file('rempart.yaml'), configOfB());
  await b.up();
  await until('that the witness does not follow it', async () => /404/.test((await stateOfA()).problem));
  assert.equal((await b.client().get('/.rempart/log/public/witnessed')).status, 404);
  fs.writeFileSync(a.file('rempart.yaml'), configOfA(a.port, [nobody.vkey, fs.readFileSync(b.file('ledger/public/vkey'), 'utf8').trim()]));
  assert.equal((await a.rempart('reload')).code, 0);
  const note = await until('a cosigned head', async () => {
    const text = await witnessed();
    if (!text.includes('\n\n')) throw new Error(JSON.stringify(await stateOfA()));
    return cosignedAt(text, vkey) && text;
  }, {seconds: 40, every: 500});
  assert.ok(Math.abs(cosignedAt(note, vkey) - Date.now() / 1000) < 60);
  assert.equal(note.split('\n')[0], 'localhost/log/public');
  await until('growth', async () => sizeOf(await witnessed()) > sizeOf(note), {seconds: 20});
  assert.equal((await stateOfA()).state, 'cosigned');
  assert.match(await operatorLog(b), /witness\.state.*"state":"cosigned"/);
  await green();
});

test('a reader who trusts the witness sees that it cosigned, and no other', async () => {
  const good = await verify('--witness', vkey);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const [one] = JSON.parse(good.stdout).witnesses;
  assert.equal(one.name, 'a.localhost/witness');
  assert.ok(one.cosigned && one.size > 0, good.stdout);
  const other = vkey.replace(/^([^+]+\+[0-9a-f]{8}\+).*/, `$1${'A'.repeat(44)}`); // not a key at all
  assert.equal((await verify('--witness', other)).code, 2);
  const folder = fs.mkdtempSync(`${b.state}-read-`);
  const forged = await until('a copy of one moment, while the log grows', async () => {
    fs.cpSync(b.file('ledger/public'), folder, {recursive: true});
    const note = fs.readFileSync(`${folder}/witnessed`, 'utf8');
    fs.writeFileSync(`${folder}/witnessed`, note.replace(/(— a\.localhost\/witness \S{20})(.)/, (_, head, c) => head + (c === 'A' ? 'B' : 'A')));
    const answer = await run(`${bin}/rempart`, ['verify', folder, '--json', '--witness', vkey]);
    return JSON.parse(answer.stdout).witnesses ? answer : null;
  });
  assert.equal(forged.code, 1, forged.stdout);
  assert.match(JSON.parse(forged.stdout).witnesses[0].problem, /signature/);
  fs.rmSync(folder, {recursive: true});
});

/*= S113 type=test: a log that was put back to an older copy and goes on differently is refused, and both sides say so */
test('another history is refused, on both sides', async () => {
  await b.down();
  const truth = fs.mkdtempSync(`${b.state}-truth-`);
  await keepAll(b.state, truth);
  await putBack(copy.before);
  fs.writeFileSync(b.file('rempart.yaml'), configOfB());
  await b.up();
  await until('that the witness remembers more', async () => (await stateOfA()).state === 'diverged');
  await until('the alarm in our log', async () => /witness\.diverged/.test(await operatorLog(b)));
  await until('the refusal in theirs, once ours has outgrown the one they saw',
    async () => /witness\.refused.*"log":"localhost\/log\/public"/.test(await operatorLog(a)), {seconds: 30});
  await red('another history', /a\.localhost\/witness refuses this log/);
  await b.down();
  fs.copyFileSync(`${truth}/ledger/public/witnessed`, b.file('ledger/public/witnessed'));
  const {code, stdout} = await b.rempart('verify', b.file('ledger'), '--json');
  assert.equal(code, 1);
  assert.match(stdout, /"file":"public\/witnessed".*(rolled back|does not continue)/);
  await putBack(truth);
  await b.up();
  await green();
  for (const folder of [truth, copy.before]) fs.rmSync(folder, {recursive: true});
});

test('a witness that is down stops nothing, and is named', async () => {
  await a.down();
  await until('"unreachable"', async () => (await stateOfA()).state === 'unreachable', {seconds: 30});
  await red('nobody cosigns any more', /the newest cosignature, by a\.localhost\/witness, is of/);
  assert.equal((await b.client().get('/trust')).status, 200);
  await a.up();
  await green();
  assert.equal((await b.status()).roles.find(role => role.name === 'core').restarts, 0);
});

test('a witness that is taken out of the configuration is no more spoken of', async () => {
  fs.writeFileSync(b.file('rempart.yaml'), `host: localhost\ngate:\n  listen: ${b.port}\n`);
  assert.equal((await b.rempart('reload')).code, 0);
  await until('a status without it', async () => JSON.parse((await b.rempart('status', '--json')).stdout).witnesses === undefined);
  assert.equal((await part()).status, 'not-met');
});


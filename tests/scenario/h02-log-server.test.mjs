// A copy of the log that only grows: followed, cut off, lied to, altered. On one machine, which S113 says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {crash} from '../lib/sabotage.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\n`}); });
after(() => stack?.stop());

const vault = (...parts) => stack.file('vault', ...parts);
const json = name => JSON.parse(fs.readFileSync(stack.file('run', name), 'utf8'));
const copy = () => json('vault-copy.json');
const verify = async folder => run(path.join(bin, 'rempart'), ['verify', folder, '--json']);
const sizeOf = folder => Number(fs.readFileSync(path.join(folder, 'checkpoint'), 'utf8').split('\n')[1]);
const events = async kind => {
  const {stdout} = await stack.rempart('ledger', 'tail', 'operator', '-n', '2000', '--json');
  return stdout.trim().split('\n').filter(line => line.includes(`"${kind}"`));
};
// Everything that every tree of the log has now, whatever comes meanwhile.
const trees = () => fs.readdirSync(stack.file('ledger')).filter(name => fs.existsSync(stack.file('ledger', name, 'checkpoint')));
const followed = () => {
  const sizes = trees().map(tree => [tree, sizeOf(stack.file('ledger', tree))]);
  return until('the copy to follow', () => sizes.every(([tree, size]) => sizeOf(vault(tree)) >= size), {seconds: 20});
};

test('with the log’s key in its file, the role starts, and the copy verifies offline', async () => {
  const {stdout: key} = await stack.rempart('ledger', 'key');
  assert.match(key, /^localhost\/log\/public\+[0-9a-f]{8}\+\S+\n$/);
  assert.ok(!fs.existsSync(stack.file('run/vault-copy.json')));
  fs.appendFileSync(stack.file('rempart.yaml'), `vault:\n  log: ${key}`);
  assert.equal((await stack.rempart('reload')).code, 0);
  await until('a whole copy', () => copy().state === 'up_to_date' && copy().whole_s > 0, {seconds: 20});
  await followed();
  const {code, stdout} = await verify(vault());
  assert.equal(code, 0, stdout);
  await until('counted', () => json('vault.json').entries > 0);
  const status = await stack.rempart('status');
  assert.equal(status.code, 0, status.stdout);
  assert.match(status.stdout, /copy of the log, behind: \d+ s, 0 entries\n/);
  assert.match(status.stdout, /log kept here: \d+ entries, \d+ trees, last grown 20\S+; 0 refusals/);
});

test('what people do is there within seconds, their own trees and all', async () => {
  await stack.firstAdministrator();
  await until('a tree of theirs', () => trees().some(name => /^[0-9a-f]{32}$/.test(name)), {seconds: 20});
  await followed();
});

test('a role that is killed, and a reload of core, are made up for without an alarm', async () => {
  await crash(stack, 'vault');
  await followed();
  assert.equal((await stack.rempart('reload')).code, 0);
  await followed();
  await crash(stack, 'core');
  await followed();
  await until('up to date', () => copy().state === 'up_to_date');
  assert.deepEqual(await events('vault.refused'), []);
  assert.equal((await verify(vault())).code, 0);
});

const part = async () => (await stack.probe('isolated-log-server')).parts.find(one => one.id === 'log-tamper-refused');

test('S113 says that a copy on the log’s own machine is not enough, and the tries are on record apart', async () => {
  const seen = await part();
  assert.equal(seen.status, 'not-met', seen.detail);
  assert.match(seen.detail, /takes a machine of its own/);
  const lines = fs.readFileSync(vault('journal/refused.jsonl'), 'utf8').trim().split('\n').map(line => JSON.parse(line));
  const probed = lines.filter(line => line.from === 'hunt').map(line => `${line.message} ${line.reason}`);
  for (const tried of ['ENTRIES changed in the meantime', 'ENTRIES access denied', 'HEAD signature does not verify', 'HEAD used already', 'SEGMENT not found']) {
    assert.ok(probed.includes(tried), `${tried} in ${probed}`);
  }
  assert.ok(probed.some(line => / the other side breaks the protocol$/.test(line)), 'reading and deleting');
  await until('all tries counted', () => json('vault.json').probed >= 9);
});

test('an altered file is named by the verifier, and a role that finds it does not begin', async () => {
  const pid = await stack.pid('vault');
  const kept = await until('entries that fill no tile', () => {
    process.kill(pid, 'SIGSTOP'); // nothing newer takes this file's place meanwhile
    if (sizeOf(vault('operator')) % 256) return sizeOf(vault('operator'));
    process.kill(pid, 'SIGCONT');
  });
  const file = vault(`operator/tile/entries/${String(Math.floor(kept / 256)).padStart(3, '0')}.p/${kept % 256}`);
  const before = fs.readFileSync(file), altered = Buffer.from(before);
  altered[40] ^= 1;
  fs.writeFileSync(file, altered);
  const {code, stdout} = await verify(vault());
  assert.equal(code, 1, stdout);
  assert.match(stdout, /operator\/tile\/entries\/\d+\.p\/\d+/);
  process.kill(pid, 'SIGKILL');
  await until('said', () => /rempart-vault: vault: .*vault\/operator\/tile\/entries\/\d+\.p\/\d+: an entry is not the one in the tree/.test(stack.output));
  fs.writeFileSync(file, before);
});

test('an older log that goes on differently is refused, and the copy stays', async () => {
  await stack.down();
  await run('cp', ['-a', stack.file('ledger'), stack.file('older')]);
  await stack.up();
  await followed();
  await stack.down();
  const kept = sizeOf(vault('operator'));
  fs.renameSync(stack.file('ledger'), stack.file('newer'));
  fs.renameSync(stack.file('older'), stack.file('ledger'));
  await stack.up();
  await until('refused', () => copy().state === 'refused', {seconds: 30});
  await until('an event', async () => (await events('vault.refused')).length === 1);
  const status = await stack.rempart('status');
  assert.equal(status.code, 1);
  assert.match(status.stdout, /copy of the log.*\(!: /);
  const seen = await part();
  assert.equal(seen.status, 'failing', seen.detail);
  assert.ok(sizeOf(vault('operator')) >= kept);
  assert.equal((await verify(vault())).code, 0);
  assert.match(fs.readFileSync(vault('journal/refused.jsonl'), 'utf8'), /"from":"core".*"message":"HEAD"/);
});

test('with the newer log back the copy goes on; with an older one that is to stay, a new copy begins', async () => {
  await stack.down();
  fs.renameSync(stack.file('ledger'), stack.file('restored'));
  fs.renameSync(stack.file('newer'), stack.file('ledger'));
  await stack.up();
  await until('caught up', async () => copy().state === 'up_to_date' && (await events('vault.caught_up')).length === 1, {seconds: 20});
  assert.equal((await part()).status, 'not-met');
  await stack.down();
  fs.renameSync(stack.file('ledger'), stack.file('newer'));
  fs.renameSync(stack.file('restored'), stack.file('ledger'));
  fs.renameSync(vault(), stack.file('vault-until-then'));
  await stack.up();
  await followed(); // the state on record may be the last run's
  await until('a new copy', () => copy().state === 'up_to_date', {seconds: 20});
  for (const folder of [vault(), stack.file('vault-until-then')]) {
    const {code, stdout} = await verify(folder);
    assert.equal(code, 0, stdout);
  }
});

// The operator's day with keys: the sheet of paper, a rotation, a key file that is lost.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import {crash} from '../lib/sabotage.mjs';
import {bin, run, Stack, until} from '../lib/stack.mjs';

let stack, person, sheet;
before(async () => {
  stack = await Stack.start();
  person = await stack.firstAdministrator();
});
after(() => stack?.stop());

const keys = (command, {input, lang = 'C.UTF-8', args = []} = {}) =>
  run(path.join(bin, 'rempart'), ['keys', command, ...args, '--state', stack.state],
    {input, env: {...stack.env, LANG: lang, LC_ALL: lang}});
const code = text => text.match(/(?:[A-Z2-7]{4}-){8}[A-Z2-7]{4}/)?.[0];
const inventory = async () => JSON.parse((await keys('status', {args: ['--json']})).stdout);
const write = async text => person.submit(await person.get('/'), {text});

test('the recovery sheet is printed once, in French or English; a new one must be asked for', async () => {
  const first = await keys('recovery');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /RECOVERY SHEET/);
  assert.ok(code(first.stdout), first.stdout);
  const again = await keys('recovery');
  assert.equal(again.code, 2);
  assert.equal(code(again.stdout), undefined);
  const renewed = await keys('recovery', {lang: 'fr_FR.UTF-8', args: ['--renew']});
  assert.match(renewed.stdout, /FICHE DE SECOURS/);
  sheet = code(renewed.stdout);
  assert.notEqual(sheet, code(first.stdout));
  const files = (await run('find', [stack.state, '-type', 'f'])).stdout.split('\n'); // some live for a moment only
  assert.ok(files.includes(stack.file('kms/root.recovery')));
  const found = files.filter(name => name && fs.existsSync(name) && fs.readFileSync(name).includes(sheet));
  assert.deepEqual(found, [], 'the code is written nowhere');
});

/*= S85 type=test */
test('after a rotation new keys have the new version and old notes still open', async () => {
  assert.equal((await write('written under version one')).status, 200);
  assert.equal((await keys('rotate')).code, 0);
  const masters = (await inventory()).keys.filter(key => key.kind === 'master');
  assert.deepEqual(masters.map(key => [key.version, key.state]).sort(), [[1, 'deactivated'], [2, 'active']]);
  await crash(stack, 'core'); // forgets every lease
  await until('the old note', async () => (await person.get('/')).text.includes('written under version one'));
});

test('without its key file the service stays sealed, says so, and the sheet opens it', async () => {
  const file = stack.file('kms/unseal.key');
  fs.rmSync(file);
  await crash(stack, 'kms');
  const status = await keys('status');
  assert.equal(status.code, 1);
  assert.match(status.stdout, /^sealed$/m);
  const refused = await stack.rempart('tenant', 'create', 'Never');
  assert.equal(refused.code, 3, refused.stdout + refused.stderr);
  assert.equal((await keys('unseal', {input: `${sheet.replace(/^..../, 'AAAA')}\n`})).code, 2, 'a mistyped code');
  assert.equal((await keys('unseal', {input: `${sheet}\n`})).code, 0);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600, 'a new key file');
  await crash(stack, 'kms'); // and that one opens it
  await until('unsealed', async () => !(await inventory()).sealed);
  assert.equal((await write('after the paper')).status, 200);
  const {stdout} = await stack.rempart('tenant', 'list');
  assert.ok(!stdout.includes('Never'), 'no half-made tenant');
});

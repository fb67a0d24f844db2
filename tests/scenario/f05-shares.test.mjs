// The key service unsealed by several people: three of five shares, one after the other; what is mistyped,
// given twice, of another split or simply wrong is refused in words and on record.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack, person, shares, former, sheet;

const keys = (args, input) => run(path.join(bin, 'rempart'), ['keys', ...args, '--state', stack.state], {input, env: {...stack.env, LANG: 'C'}});
const give = share => keys(['unseal'], `${share}\n`);
const sealed = async () => JSON.parse((await keys(['status', '--json'])).stdout).sealed;
// Everything in the operator's log: what is looked for may be older than the last twenty.
const events = async () => fs.readdirSync(stack.file('ledger/operator/tile/entries'), {recursive: true, withFileTypes: true})
  .filter(one => one.isFile()).map(one => fs.readFileSync(path.join(one.path, one.name), 'latin1')).join('');
async function split(count, threshold) {
  const {code, stdout, stderr} = await keys(['split', '--shares', String(count), '--threshold', String(threshold)]);
  assert.equal(code, 0, stderr);
  const found = [...stdout.matchAll(/^ *\d+ {2}([A-Z2-7-]{79})$/gm)].map(([, share]) => share);
  assert.equal(found.length, count, stdout);
  return found;
}

before(async () => {
  stack = await Stack.start();
  person = await stack.firstAdministrator();
  sheet = /^ {2}([A-Z2-7-]{44})$/m.exec((await keys(['recovery'])).stdout)[1];
});
after(() => stack?.stop());

test('split: what is not a threshold is refused; the shares are printed once, and the event says how many', async () => {
  for (const args of [['--shares', '5'], ['--shares', '5', '--threshold', '6'], ['--shares', '5', '--threshold', '1'], ['--shares', '17', '--threshold', '2']]) {
    assert.equal((await keys(['split', ...args])).code, 2, args.join(' '));
  }
  former = await split(3, 2);
  shares = await split(5, 3);
  assert.equal(new Set([...former, ...shares]).size, 8);
  await until('kms.split', async () => /kms\.split/.test(await events()));
  const disk = fs.readdirSync(stack.file('kms')).filter(name => name !== 'tenants').map(name => fs.readFileSync(stack.file('kms', name), 'latin1')).join('');
  for (const share of shares) assert.ok(!disk.includes(share.slice(0, 20)));
});

test('keys.unseal: shares starts sealed; each kind of wrong share is refused in words', async () => {
  await stack.down();
  fs.appendFileSync(stack.file('rempart.yaml'), 'keys:\n  unseal: shares\n');
  await stack.up();
  await stack.startNotes();
  assert.equal(await sealed(), true);
  const mistyped = await give(shares[0].replace(/^../, two => (two === 'AA' ? 'BB' : 'AA')));
  assert.deepEqual([mistyped.code, /a letter is wrong/.test(mistyped.stderr)], [1, true], mistyped.stderr);
  const other = await give(former[0]);
  assert.deepEqual([other.code, /another split/.test(other.stderr)], [1, true], other.stderr);
  const first = await give(shares[4]);
  assert.deepEqual([first.code, first.stdout], [1, 'share taken; 2 more to come\n']);
  const twice = await give(shares[4]);
  assert.match(twice.stderr, /given already/);
  assert.equal(await sealed(), true);
  await until('the refusals on record', async () => { const text = await events(); return /share: mistyped/.test(text) && /share: of another split/.test(text) && /share: given already/.test(text); });
});

test('three of five, in any order and hand, open it; then nothing else on this disk does', async () => {
  assert.equal((await give(shares[1].toLowerCase().toUpperCase())).stdout, 'share taken; 1 more to come\n');
  const last = await give(shares[2]);
  assert.deepEqual([last.code, last.stdout], [0, 'unsealed\n'], last.stderr);
  assert.equal(await sealed(), false);
  await until('the notes', async () => (await person.get('/')).status === 200, {seconds: 30});
  assert.deepEqual(fs.readdirSync(stack.file('kms')).sort(), ['keyring', 'root.recovery', 'root.shares', 'tenants']);
  await until('the opening on record', async () => { const text = await events(); return text.includes('kms.share') && text.includes('"by":"shares"'); });
});

test('shares that were altered with a right check open nothing and are forgotten; the sheet still opens', async () => {
  await stack.down();
  await stack.up();
  assert.equal(await sealed(), true);
  const {createHash} = await import('node:crypto');
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const c of shares[0].replaceAll('-', '')) bits += letters.indexOf(c).toString(2).padStart(5, '0');
  const bytes = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  bytes[20] ^= 1;
  createHash('sha256').update(bytes.subarray(0, 38)).digest().copy(bytes, 38, 0, 2);
  const forged = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('').match(/.{5}/g).map(five => letters[parseInt(five, 2)]).join('');
  await give(shares[1]);
  await give(shares[2]);
  const tried = await give(forged.match(/.{4}/g).join('-'));
  assert.match(tried.stderr, /together these shares open nothing/);
  assert.equal(await sealed(), true);
  assert.equal((await give(shares[1])).stdout, 'share taken; 2 more to come\n');
  assert.equal((await give(sheet)).code, 0);
  assert.equal(await sealed(), false);
});

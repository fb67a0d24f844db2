// Master keys that lie with the data, and two machines that are one: S86 is red.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {Machines, why} from '../lib/machines.mjs';
import {turnsRed} from '../lib/sabotage.mjs';
import {until} from '../lib/stack.mjs';

let machines, keys, data;
before(async () => {
  machines = await Machines.start();
  ({keys, data} = machines ?? {});
  // The first keys are made once the log, on the other machine, has taken that they are.
  if (keys) await until('the ring of keys', () => fs.existsSync(keys.file('kms/keyring')));
});
after(() => machines?.stop());

const it = (what, body) => test(what, async t => machines ? body(t) : t.skip(why));

/*= S86 type=test */
it('a ring of keys that was forgotten with the data turns S86 red', async () => {
  const copy = data.file('db/forgotten');
  await turnsRed(data, {
    promise: 'keys-apart', probe: 'keys.no_master_here',
    sabotage: () => fs.writeFileSync(copy, fs.readFileSync(keys.file('kms/keyring')), {mode: 0o644}), mend: () => fs.rmSync(copy),
  });
});

/*= S86 type=test */
it('a key service that turns out to be on this very machine turns S86 red', async () => {
  await turnsRed(data, {promise: 'keys-apart', probe: 'keys.other_host', sabotage: () => machines.again('same'), mend: () => machines.again('own')});
  assert.equal((await data.sentence('S86')).status, 'proven');
});

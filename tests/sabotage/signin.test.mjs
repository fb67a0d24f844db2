// The second factor made optional, one-time codes that no longer work, keys that open nothing; the page says so.
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import {canaries, editFile, sql, turnsRed} from '../lib/sabotage.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

/*= S99, S100 type=test */
test('a second factor that the operator made optional turns S99 and S100 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'second-factor', probe: 'signin.password_alone',
    sabotage: async () => {
      back = editFile(stack.file('rempart.yaml'), text => text + 'sign_in:\n  second_factor: optional\n');
      await stack.down();
      await stack.up();
    },
    mend: async () => {
      back();
      await stack.down();
      await sql(stack.file('db/system.db'), 'DELETE FROM session');
      await stack.up();
    },
  });
});

/*= S101 type=test */
test('a seed exchanged in the database turns the one-time codes of S101 red', async () => {
  const system = stack.file('db/system.db');
  const [a] = canaries(stack).map(one => one.tenant);
  const seeds = (await sql(system, `SELECT hex(id) || ' ' || hex(totp_sealed) FROM person WHERE tenant = x'${a}'`)).trim().split('\n');
  await turnsRed(stack, {
    promise: 'factor-modes', probe: 'signin.totp',
    sabotage: () => sql(system, `UPDATE person SET totp_sealed = (SELECT totp_sealed FROM person WHERE tenant != x'${a}' AND totp_sealed IS NOT NULL LIMIT 1) WHERE tenant = x'${a}'`),
    mend: () => sql(system, seeds.map(line => line.split(' ')).map(([id, seed]) => `UPDATE person SET totp_sealed = x'${seed}' WHERE id = x'${id}';`).join(' ')),
  });
  fs.accessSync(stack.state);
});

/*= S101, S102 type=test */
for (const {promise, probe, file} of [
  {promise: 'factor-modes', probe: 'signin.webauthn_platform', file: 'passkey-platform'},
  {promise: 'hardware-keys', probe: 'signin.webauthn_roaming', file: 'passkey-roaming'}]) {
  test(`keys whose rows somebody put in each other's place turn ${promise} red`, async () => {
    const system = stack.file('db/system.db');
    let rows;
    await turnsRed(stack, {
      promise, probe,
      sabotage: async () => {
        await until('both keys', async () => Number(await sql(system, 'SELECT count(*) FROM passkey')) === 2);
        rows = (await sql(system, 'SELECT hex(id) || \' \' || hex(sealed) FROM passkey')).trim().split('\n').map(row => row.split(' '));
        const [[one, a], [two, b]] = rows;
        await sql(system, `UPDATE passkey SET sealed = x'${b}' WHERE id = x'${one}'; UPDATE passkey SET sealed = x'${a}' WHERE id = x'${two}'`);
      },
      mend: async () => { for (const [id, sealed] of rows ?? []) await sql(system, `UPDATE passkey SET sealed = x'${sealed}' WHERE id = x'${id}'`); },
    });
    fs.accessSync(stack.file('probe', file));
  });
}

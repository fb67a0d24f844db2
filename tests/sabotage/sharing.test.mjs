// What leaves an organisation only as its people said begins to leave anyhow; the page says so.
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack, run} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

/*= S173 type=test */
test('a gate that lets every link be made turns S173 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'careful-sharing', probe: 'customer.forbidden_share',
    // Before core is asked, the gate itself answers that the link is made.
    sabotage: async () => {
      back = await editGate(stack, text => text.replaceAll('location ^~ /.rempart/share/ {', place =>
        `location = /.rempart/api/v1/shares { default_type application/json; return 201 '{"link":"https://localhost/"}'; }\n        ${place}`));
    },
    mend: () => back(),
  });
});

/*= S175 type=test */
test('an intruder who puts a grant back into the database turns S175 red', async () => {
  const [{tenant}] = JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8')).people;
  const file = stack.file(`tenants/${tenant.slice(0, 2)}/${tenant.slice(2, 4)}/${tenant}.db`);
  let going = true, loop;
  await turnsRed(stack, {
    promise: 'account-watch', probe: 'customer.grant_revoked',
    sabotage: () => {
      loop = (async () => {
        while (going) await run('sqlite3', ['-cmd', '.timeout 1000', file, 'UPDATE access_grant SET ended_ms = 0 WHERE ended_ms > 0']);
      })();
    },
    mend: async () => { going = false; await loop; },
  });
});

// What leaves an organisation only as its people said begins to leave anyhow, or does not leave when they say; the page says so.
import {after, before, test} from 'node:test';
import {canaries, editGate, tenantFile, turnsRed} from '../lib/sabotage.mjs';
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
  const file = tenantFile(stack, canaries(stack)[0].tenant);
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

/*= S70 type=test */
test('a gate that keeps an organisation from its export turns S70 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'data-ownership', probe: 'tenant.export_reimport',
    sabotage: async () => {
      back = await editGate(stack, text => text.replace('location ^~ /.rempart/id/ {', place =>
        `location = /.rempart/id/export { return 403; }\n        ${place}`));
    },
    mend: () => back(),
  });
});

/*= S174 type=test */
test('a gate that drops labels on their way in turns S174 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'data-labels', probe: 'customer.labels_kept',
    sabotage: async () => {
      back = await editGate(stack, text => text.replaceAll('location ^~ /.rempart/share/ {', place =>
        `location ^~ /.rempart/api/v1/spaces/canary-labels { set $args ""; fastcgi_pass rempart_core; }\n        ${place}`));
    },
    mend: () => back(),
  });
});

// A row edited in a database file hands one tenant's data to another, or staff are let in; the page says so.
import {after, before, test} from 'node:test';
import {canaries, editGate, proven, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({app: null});
  await proven(stack, 'tenant-isolation', 'tenant.api_cross_read');
});
after(() => stack?.stop());

/*= S66, S67, S68 type=test */
test('a neighbour\'s rows put where a tenant finds them turn S66 to S68 red', async () => {
  // Core believes neither a session nor a membership moved by hand; so the rows themselves are moved.
  const [a, b] = canaries(stack).map(one => tenantFile(stack, one.tenant));
  await turnsRed(stack, {
    promise: 'tenant-isolation', probe: 'tenant.api_cross_read',
    sabotage: () => sql(a, `ATTACH '${b}' AS b; INSERT INTO record SELECT number + 1000000, app, collection, id, version, changed_ms, sealed, label, trashed_ms FROM b.record`),
    mend: () => sql(a, `ATTACH '${b}' AS b; DELETE FROM record WHERE id IN (SELECT id FROM b.record)`),
  });
});

/*= S67 type=test */
test('a row copied from one tenant\'s file into another\'s turns S66 to S68 red', async () => {
  const [a, b] = canaries(stack).map(one => tenantFile(stack, one.tenant));
  await turnsRed(stack, {
    promise: 'tenant-isolation', probe: 'tenant.files_cross_read',
    sabotage: () => sql(b, `ATTACH '${a}' AS a; INSERT INTO record SELECT number + 1000000, app, 'stolen', id, version, changed_ms, sealed, label, trashed_ms FROM a.record LIMIT 1`),
    mend: () => sql(b, "DELETE FROM record WHERE collection = 'stolen'"),
  });
});

/*= S104 type=test */
test('a gate that answers staff what is for the machine\'s owner turns S104 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'no-arbitrary-access', probe: 'admin.staff_read_refused',
    sabotage: async () => {
      back = await editGate(stack, text => text.replaceAll('location ^~ /.rempart/share/ {', place =>
        `location = /.rempart/api/v1/admin/export { default_type application/gzip; return 200 'everything'; }\n        ${place}`));
    },
    mend: () => back(),
  });
});

/*= S104 type=test */
test('a grant written into the database past the program turns S104 red', async () => {
  const file = tenantFile(stack, canaries(stack)[1].tenant);
  await turnsRed(stack, {
    promise: 'no-arbitrary-access', probe: 'admin.staff_access_explained',
    sabotage: () => sql(file, `INSERT INTO access_grant VALUES (x'${'5a'.repeat(16)}', randomblob(32), 'canary', 1, randomblob(16),
      ${Date.now()}, ${Date.now() + 3600_000}, randomblob(32), 0, 0)`),
    mend: () => sql(file, `DELETE FROM access_grant WHERE id = x'${'5a'.repeat(16)}'`),
  });
});

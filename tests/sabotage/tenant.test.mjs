// A row edited in a database file hands one tenant's data to another; the page says so.
import {after, before, test} from 'node:test';
import {canaries, crash, proven, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack, system;
before(async () => {
  stack = await Stack.start({app: null});
  system = stack.file('db/system.db');
  await proven(stack, 'tenant-isolation', 'tenant.api_cross_read');
});
after(() => stack?.stop());

/*= S66, S67, S68 type=test */
test('a session moved into another tenant turns S66 to S68 red', async () => {
  const [a, b] = canaries(stack).map(one => one.tenant);
  await turnsRed(stack, {
    promise: 'tenant-isolation', probe: 'tenant.api_cross_read',
    sabotage: async () => {
      // Both rows: a session without a membership is not believed.
      await sql(system, `UPDATE membership SET tenant = x'${b}' WHERE tenant = x'${a}'; UPDATE session SET tenant = x'${b}' WHERE tenant = x'${a}'`);
      await crash(stack, 'core'); // the table that the gate reads is made anew from the database
    },
    mend: async () => {
      await sql(system, `DELETE FROM session; UPDATE membership SET tenant = x'${a}' WHERE person IN (SELECT id FROM person WHERE tenant = x'${a}')`);
      await crash(stack, 'core');
    },
  });
});

/*= S67 type=test */
test('a row copied from one tenant\'s file into another\'s turns S66 to S68 red', async () => {
  const [a, b] = canaries(stack).map(one => tenantFile(stack, one.tenant));
  await turnsRed(stack, {
    promise: 'tenant-isolation', probe: 'tenant.files_cross_read',
    sabotage: () => sql(b, `ATTACH '${a}' AS a; INSERT INTO record SELECT number + 1000000, app, 'stolen', id, version, changed_ms, sealed FROM a.record LIMIT 1`),
    mend: () => sql(b, 'DELETE FROM record WHERE number > 1000000'),
  });
});

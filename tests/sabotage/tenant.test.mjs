// A row edited in a database file hands one tenant's data to another; the page says so.
import {after, before, test} from 'node:test';
import {canaries, proven, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
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
    mend: () => sql(a, 'DELETE FROM record WHERE number > 1000000'),
  });
});

/*= S67 type=test */
test('a row copied from one tenant\'s file into another\'s turns S66 to S68 red', async () => {
  const [a, b] = canaries(stack).map(one => tenantFile(stack, one.tenant));
  await turnsRed(stack, {
    promise: 'tenant-isolation', probe: 'tenant.files_cross_read',
    sabotage: () => sql(b, `ATTACH '${a}' AS a; INSERT INTO record SELECT number + 1000000, app, 'stolen', id, version, changed_ms, sealed, label, trashed_ms FROM a.record LIMIT 1`),
    mend: () => sql(b, 'DELETE FROM record WHERE number > 1000000'),
  });
});

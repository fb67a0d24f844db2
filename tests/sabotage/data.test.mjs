// Plaintext left lying about, and a record stored bare; the page says so.
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import {canaries, proven, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';
import {storeOf} from '../lib/store.mjs';

let stack;
before(async () => {
  stack = await Stack.start({app: null});
  await proven(stack, 'tenant-isolation', 'tenant.api_cross_read'); // something is planted
});
after(() => stack?.stop());

/*= S82 type=test */
test('a dump with customers\' text in it turns S82 red', async () => {
  const dump = stack.file('db/debug-dump.txt');
  await turnsRed(stack, {
    promise: 'aes-at-rest', probe: 'data.plaintext_hunt',
    sabotage: () => {
      const marker = fs.readFileSync(stack.file('probe/planted'), 'utf8').trim().split('\n').at(-1);
      fs.writeFileSync(dump, `debug: record {"canary":"${marker}"}\n`, {mode: 0o644});
    },
    mend: () => fs.rmSync(dump),
  });
});

test('the same text in base64 is found too', async () => {
  const dump = stack.file('tenants/core.1234');
  await turnsRed(stack, {
    promise: 'aes-at-rest', probe: 'data.plaintext_hunt',
    sabotage: () => {
      const marker = fs.readFileSync(stack.file('probe/planted'), 'utf8').trim().split('\n').at(-1);
      fs.writeFileSync(dump, Buffer.from(`x{"canary":"${marker}"}`).toString('base64'), {mode: 0o644});
    },
    mend: () => fs.rmSync(dump),
  });
});

/*= S82 type=test */
test('the same text in a row of PostgreSQL is found too', {skip: !storeOf('x/db/system.db') && 'the store is files'}, async () => {
  await turnsRed(stack, {
    promise: 'aes-at-rest', probe: 'data.plaintext_hunt',
    sabotage: () => {
      const marker = fs.readFileSync(stack.file('probe/planted'), 'utf8').trim().split('\n').at(-1);
      return sql(stack.file('db/system.db'), `UPDATE tenant SET name = name || '${marker}' WHERE internal = 1`);
    },
    mend: () => sql(stack.file('db/system.db'), 'UPDATE tenant SET name = left(name, length(name) - 32) WHERE internal = 1'),
  });
});

/*= S82 type=test */
test('a record written without encryption turns S82 red', async () => {
  const file = tenantFile(stack, canaries(stack)[0].tenant);
  await turnsRed(stack, {
    promise: 'aes-at-rest', probe: 'data.aes_header',
    sabotage: () => sql(file, `INSERT INTO record VALUES (1000001, 'canary', 'bare', randomblob(16), 1, 1, CAST('{"note":"in clear, for all to read"}' AS BLOB), 2, 0)`),
    mend: () => sql(file, "DELETE FROM record WHERE collection = 'bare'"),
  });
});

/*= S89 type=test */
test('a record that is deleted past the application turns S89 red', async () => {
  const file = tenantFile(stack, canaries(stack)[0].tenant);
  await turnsRed(stack, {
    promise: 'kept-while-used', probe: 'retention.deletions_justified',
    // The oldest: the number of the newest would be taken by what a probe writes meanwhile.
    sabotage: () => sql(file, 'CREATE TABLE kept AS SELECT * FROM record ORDER BY number LIMIT 1; DELETE FROM record WHERE number = (SELECT number FROM kept)'),
    mend: () => sql(file, 'INSERT INTO record SELECT * FROM kept; DROP TABLE kept'),
  });
});

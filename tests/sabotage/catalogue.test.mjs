// A role slipped into the database by whoever has its file: what the catalogue denies the member's canary is answered, and
// S105's part turns red; green again once the row is as it was.
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {sql, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

/*= S105 type=test */
test('an administrator’s role slipped into the database turns S105’s part red', async () => {
  const {tenant} = JSON.parse(fs.readFileSync(stack.file('canary/member.json'), 'utf8'));
  const file = stack.file('db/system.db');
  const person = await sql(file, `SELECT hex(person) FROM membership WHERE tenant = x'${tenant.replaceAll('-', '')}' AND roles = 1`);
  const give = roles => sql(file, ['membership', 'session'].map(table => `UPDATE ${table} SET roles = ${roles} WHERE person = x'${person}';`).join(' '));
  await turnsRed(stack, {promise: 'least-privilege', probe: 'admin.catalogue_kept', sabotage: () => give(3), mend: () => give(1)});
});

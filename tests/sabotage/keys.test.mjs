// A stored key that no key of ours wrapped, or that nobody wrapped; the page says so.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {canaries, partNow, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack, file, wrapped;
before(async () => {
  stack = await Stack.start({app: null});
  file = tenantFile(stack, canaries(stack)[0].tenant);
  wrapped = await sql(file, 'SELECT hex(wrapped) FROM tenant_key');
});
after(() => stack?.stop());

const mend = () => sql(file, `UPDATE tenant_key SET wrapped = x'${wrapped}'`);

/*= S84 type=test */
test('a key wrapped by a foreign master key turns S84 red', async () => {
  // "RPW1" stays; the sixteen bytes that name the master key become somebody else's.
  const foreign = wrapped.slice(0, 8) + 'DEADBEEF'.repeat(4) + wrapped.slice(40);
  await turnsRed(stack, {
    promise: 'own-keys', probe: 'keys.inventory',
    sabotage: () => sql(file, `UPDATE tenant_key SET wrapped = x'${foreign}'`), mend,
  });
});

/*= S85 type=test */
test('a key stored bare turns S85 red', async () => {
  await turnsRed(stack, {
    promise: 'wrapped-keys', probe: 'keys.wrapped_only',
    sabotage: () => sql(file, 'UPDATE tenant_key SET wrapped = randomblob(32)'), mend,
  });
});

/*= S86 type=test */
test('on one machine S86 is honestly not met', async () => {
  for (const probe of ['keys.other_host', 'keys.no_master_here']) {
    const {status, detail} = await partNow(stack, 'keys-apart', probe);
    assert.equal(status, 'not-met', detail);
    assert.match(detail, /must run on a different machine/);
  }
});

// A ledger that stands still, and a counter that ran ahead of the log; the page says so.
import {after, before, test} from 'node:test';
import {canaries, proven, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({app: null});
  await proven(stack, 'customer-audit-log', 'audit.canary_visible');
});
after(() => stack?.stop());

/*= S114 type=test */
test('a ledger that was stopped turns S114 red', async () => {
  let pid;
  await turnsRed(stack, {
    promise: 'customer-audit-log', probe: 'audit.canary_visible', unseen: true, // nobody signs in without a ledger
    sabotage: async () => { pid = await stack.pid('ledger'); process.kill(pid, 'SIGSTOP'); },
    mend: () => process.kill(pid, 'SIGCONT'),
  });
});

/*= S114 type=test */
test('an event that the database counted and the log never had turns S114 red', async () => {
  // The second canary's tenant: nothing writes there meanwhile.
  const file = tenantFile(stack, canaries(stack)[1].tenant);
  await turnsRed(stack, {
    promise: 'customer-audit-log', probe: 'audit.complete',
    sabotage: () => sql(file, 'UPDATE outbox_state SET last = last + 1'),
    mend: () => sql(file, 'UPDATE outbox_state SET last = last - 1'),
  });
});

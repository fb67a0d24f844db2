// A ledger that stands still, a log that is rewritten, and a counter that ran ahead of it; the page says so.
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {canaries, sql, startsProven, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({app: null});
  await startsProven(stack, 'customer-audit-log', 'audit.canary_visible');
  await startsProven(stack, 'data-ownership', 'tenant.export_reimport'); // which writes into the second canary's tenant, once a week
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

/*= S111 type=test */
test('a ledger that takes nothing turns S111 red', async () => {
  let pid;
  await turnsRed(stack, {
    promise: 'five-streams', probe: 'log.streams_canary',
    sabotage: async () => { pid = await stack.pid('ledger'); process.kill(pid, 'SIGSTOP'); },
    mend: () => process.kill(pid, 'SIGCONT'),
  });
});

/*= S111 type=test */
test('an intruder who rewrites the fault log as it is written turns S111 red', async () => {
  const folder = stack.file('ledger/operator/tile/entries');
  let timer;
  await turnsRed(stack, {
    promise: 'five-streams', probe: 'log.streams_canary',
    sabotage: () => {
      timer = setInterval(() => {
        for (const name of fs.readdirSync(folder, {recursive: true})) {
          const file = path.join(folder, name);
          try {
            const text = fs.readFileSync(file, 'latin1');
            if (text.includes('canary.fault')) fs.writeFileSync(file, text.replaceAll('canary.fault', 'canary.quiet'), 'latin1');
          } catch { /* a folder, or a tile that has just been replaced */ }
        }
      }, 5);
    },
    mend: () => clearInterval(timer),
  });
});

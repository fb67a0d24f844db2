// A key kept back from its destruction, a file put back after it, a closing left lying: the page says so.
import {after, before, test} from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {proven, sql, tenantFile, turnsRed} from '../lib/sabotage.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack, kept;

const canaryEnds = async () => JSON.parse((await stack.rempart('tenant', 'list', '--json')).stdout).tenants.filter(one => one.name === 'canary-end');

// What an insider keeps of an organisation while it lives: its half, and its database.
before(async () => {
  stack = await Stack.start({app: null});
  await proven(stack, 'purge-live', 'retention.purge_canary');
  const {id} = (await canaryEnds()).find(one => !one.state);
  const half = stack.file('kms/tenants', id), database = tenantFile(stack, id);
  kept = {id, half, halfBytes: fs.readFileSync(half), database, databaseBytes: fs.readFileSync(stack.file('canary', `end-${id}.db`))};
  const closed = await stack.rempart('tenant', 'close', 'canary-end', '--days', '0', '--confirm', 'canary-end');
  assert.equal(closed.code, 0, closed.stderr);
  await until('closed, and another one lives', async () => (await canaryEnds()).some(one => one.id !== id && !one.state), {seconds: 60});
  assert.ok(!fs.existsSync(half) && !fs.existsSync(database));
});
after(() => stack?.stop());

/*= S90 type=test */
test('a key that somebody kept back turns S90 red', async () => {
  await turnsRed(stack, {
    promise: 'purge-live', probe: 'retention.purge_canary',
    sabotage: () => {
      const {uid, gid} = fs.statSync(stack.file('kms/keyring'));
      fs.writeFileSync(kept.half, kept.halfBytes, {mode: 0o600});
      fs.chownSync(kept.half, uid, gid);
    },
    mend: () => fs.rmSync(kept.half),
  });
});

/*= S90 type=test */
test('a closed organisation’s file that is there again turns S90 red', async () => {
  await turnsRed(stack, {
    promise: 'purge-live', probe: 'retention.purge_canary',
    sabotage: () => {
      fs.mkdirSync(path.dirname(kept.database), {recursive: true});
      fs.writeFileSync(kept.database, kept.databaseBytes, {mode: 0o640});
    },
    mend: () => fs.rmSync(kept.database),
  });
});

/*= S90 type=test */
test('a closing that is left lying for half a year turns S90 red', async () => {
  const half = Date.now() - 190 * 24 * 3600 * 1000;
  await turnsRed(stack, {
    promise: 'purge-live', probe: 'retention.purge_oldest',
    sabotage: () => sql(stack.file('db/system.db'), `INSERT INTO tenant_closing (tenant, asked_ms, due_ms) VALUES (zeroblob(16), ${half}, ${Date.now() + 3600000})`),
    mend: () => sql(stack.file('db/system.db'), 'DELETE FROM tenant_closing WHERE tenant = zeroblob(16)'),
  });
});

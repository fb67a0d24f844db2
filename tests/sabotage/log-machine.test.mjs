// The log's copy on a machine of its own: S113's part is proven, and red when that machine is away. A log that is put back to an
// older state: tests/scenario/h02, which needs no second machine for it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {LogMachines} from '../lib/log-machine.mjs';
import {why} from '../lib/machines.mjs';
import {proven, turnsRed} from '../lib/sabotage.mjs';
import {bin, run, until} from '../lib/stack.mjs';

let machines, data, logs;
before(async () => {
  machines = await LogMachines.start();
  ({data, logs} = machines ?? {});
});
after(() => machines?.stop());

const it = (what, body) => test(what, async t => machines ? body(t) : t.skip(why));
const promise = 'isolated-log-server', probe = 'log.tamper_refused';
const told = async kind => {
  const {stdout} = await data.rempart('ledger', 'tail', 'operator', '-n', '2000', '--json');
  return stdout.split('\n').filter(line => line.includes(`"${kind}"`)).length;
};
const verify = () => run(path.join(bin, 'rempart'), ['verify', logs.file('vault')]);

/*= S113 type=test */
it('everything that was logged is on another machine, which takes nothing back', async () => {
  await until('a whole copy', () => machines.copy().state === 'up_to_date' && machines.copy().whole_s > 0, {seconds: 30});
  await proven(data, promise, probe);
  assert.ok(!fs.existsSync(data.file('vault')), 'no copy lies with the log itself');
  const {code, stdout, stderr} = await verify();
  assert.equal(code, 0, stdout + stderr);
});

/*= S113 type=test */
it('a log machine that is away turns S113 red, and nothing else waits for it', async () => {
  await turnsRed(data, {
    promise, probe,
    sabotage: async () => {
      await logs.down();
      assert.equal((await data.client().get('/trust')).status, 200);
      await until('said', async () => machines.copy().state === 'behind' && await told('vault.behind') === 1, {seconds: 25});
    },
    mend: async () => {
      await logs.up();
      await machines.meet();
    },
  });
  await until('caught up', async () => machines.copy().state === 'up_to_date' && await told('vault.caught_up') === 1);
  assert.equal((await verify()).code, 0);
});

// The gate's lists lose an entry, as by an operator's slip of the hand; the page says so.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

async function gate(...args) {
  const {code, stdout, stderr} = await stack.rempart('gate', ...args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}
const canary = async action => (await gate('list', '--json')).split('\n').map(line => JSON.parse(line))
  .find(entry => entry.action === action && entry.path?.startsWith('/.rempart/canary/'));

for (const action of ['deny', 'allow']) {
  /*= S58 type=test */
  test(`an entry of the ${action} list that is gone turns S58 red`, async () => {
    const {id, path, reason} = await canary(action);
    await turnsRed(stack, {
      promise: 'application-firewall', probe: 'gate.lists',
      sabotage: () => gate('remove', id),
      mend: () => gate(action, '--path', path, '--reason', reason),
    });
  });
}

/*= S52 type=test */
test('a page that does not come turns S52 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'ddos-mitigation', probe: 'ddos.availability',
    sabotage: async () => {
      back = await editGate(stack, text => text.replace(/location = \/trust \{ fastcgi_pass rempart_core; \}/g, 'location = /trust { return 502; }'));
    },
    mend: () => back(),
  });
});

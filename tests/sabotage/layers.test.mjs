// One layer of several falls; the sentence that counts on all of them says so.
import {after, before, test} from 'node:test';
import {editGate, proven, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

/*= S36 type=test */
test('an application firewall that is off turns S36 red, whatever the other layers do', {
  skip: process.getuid() !== 0 && 'only as root have the roles users of their own, which one layer counts on',
}, async () => {
  await proven(stack, 'ddos-mitigation', 'ddos.flood_drill'); // which would begin after two minutes only
  let back;
  await turnsRed(stack, {
    promise: 'defence-in-depth', probe: 'network.layers',
    sabotage: async () => {
      back = await editGate(stack, text => text.replace(/^ *rempart_waf "[^"]*" on;$/gm, ''));
      await stack.probe('application-firewall');
    },
    mend: async () => {
      await back();
      await stack.probe('application-firewall');
    },
  });
});

// Old TLS versions and suites without forward secrecy are let in by hand; the page says so.
import {after, before, test} from 'node:test';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

const loosen = (protocols, ciphers) => text => text
  .replace(/ssl_protocols [^;]*;/g, `ssl_protocols ${protocols};`)
  .replace(/ssl_ciphers [^;]*;/g, `ssl_ciphers ${ciphers};`);

/*= S73, S74 type=test */
test('TLS 1.0 and 1.1 switched on turn S73 and S74 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'tls-everywhere', probe: 'tls.versions',
    sabotage: async () => { back = await editGate(stack, loosen('TLSv1 TLSv1.1 TLSv1.2 TLSv1.3', '"ALL:@SECLEVEL=0"')); },
    mend: () => back(),
  });
});

/*= S78 type=test */
test('a suite with RSA key exchange turns S78 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'forward-secrecy', probe: 'tls.forward_secrecy',
    sabotage: async () => {
      // RSA key exchange needs an RSA certificate: tickets are the other way to lose secrecy.
      back = await editGate(stack, text => text.replace(/ssl_session_tickets off;/g, 'ssl_session_tickets on;'));
    },
    mend: () => back(),
  });
});

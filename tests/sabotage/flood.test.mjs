// The gate lets a flood through, or lets it hurt others; the page says so.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

const flood = {promise: 'ddos-mitigation', probe: 'ddos.flood_drill'};

async function reloadWith(text) {
  fs.writeFileSync(stack.file('rempart.yaml'), text);
  const {code, stdout, stderr} = await stack.rempart('reload');
  assert.equal(code, 0, stdout + stderr);
}

/*= S51 type=test */
test('limits that are gone from the gate turn S51 red', async () => {
  let back;
  await turnsRed(stack, {
    ...flood,
    sabotage: async () => { back = await editGate(stack, text => text.replace(/^ *rempart_limit address .*$/m, '')); },
    mend: () => back(),
  });
});

/*= S51 type=test */
test('limits that an operator raises beyond any use turn S51 red', async () => {
  const good = fs.readFileSync(stack.file('rempart.yaml'), 'utf8');
  await turnsRed(stack, {
    ...flood,
    sabotage: () => reloadWith(`${good}limits:\n  sign_in_per_second: 100000\n`),
    mend: () => reloadWith(good),
  });
});

/*= S51, S52 type=test */
test('a limit that counts all clients as one, so that a flood shuts out the others, turns S52 red', async () => {
  let back;
  await turnsRed(stack, {
    ...flood,
    sabotage: async () => {
      back = await editGate(stack, text => text
        .replace('limit_req_status 429;', 'limit_req_zone $server_name zone=slip:1m rate=300r/s;\n    limit_req zone=slip burst=60 nodelay;\n    limit_req_status 429;'));
    },
    mend: () => back(),
  });
});

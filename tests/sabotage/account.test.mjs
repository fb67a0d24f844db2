// What customers' people can do for their own accounts stops working; the page says so.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack, list;
const known = ['correcthorsebatterystaple', 'correct horse battery staple', 'thequickbrownfoxjumpsoverthelazydog'];
const writeList = passwords => fs.writeFileSync(list, passwords.map(one => crypto.createHash('sha1').update(one).digest('hex').toUpperCase())
  .sort().map(hash => `${hash}:9\n`).join(''));
before(async () => {
  list = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-list-')), 'leaked.txt');
  writeList(known);
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\nsign_in:\n  breached_list: ${list}\n`});
});
after(async () => {
  await stack?.stop();
  fs.rmSync(path.dirname(list), {recursive: true, force: true});
});

/*= S170 type=test */
test('a form that takes any password turns S170 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'strong-passwords', probe: 'customer.weak_password',
    // Before core is asked, the gate itself answers that all went well.
    sabotage: async () => {
      back = await editGate(stack, text => text.replace('location ^~ /.rempart/id/ {', place =>
        `location = /.rempart/id/password { if ($request_method = POST) ` +
        `{ return 303 /.rempart/id/account?done=password; } fastcgi_pass rempart_core; }\n        ${place}`));
    },
    mend: () => back(),
  });
});

/*= S170 type=test */
test('a list of leaked passwords that knows none of them any more turns S170 red', async () => {
  await turnsRed(stack, {
    promise: 'strong-passwords', probe: 'customer.weak_password',
    sabotage: () => writeList(['nobody', 'chose', 'these']), // of the same length, in the file that core holds open
    mend: () => writeList(known),
  });
});

/*= S175 type=test */
test('an intruder who puts ended sessions back into the gate’s table turns S175 red', async () => {
  const PAGE = 4096, SLOT = 128, USED = 4, LIVE = 1, REVOKED = 2;
  const seen = new Map();
  let timer;
  await turnsRed(stack, {
    promise: 'account-watch', probe: 'customer.session_revoked',
    sabotage: () => {
      const file = fs.openSync(stack.file('run/sessions.tab'), 'r+');
      timer = setInterval(() => {
        const table = Buffer.alloc(fs.fstatSync(file).size);
        fs.readSync(file, table, 0, table.length, 0);
        for (let at = PAGE; at + SLOT <= table.length; at += SLOT) {
          const slot = table.subarray(at, at + SLOT);
          if (slot[USED] === LIVE) seen.set(at, Buffer.from(slot));
          else if (slot[USED] === REVOKED && seen.has(at)) fs.writeSync(file, seen.get(at), 0, SLOT, at);
        }
      }, 1); // the second session lives for some milliseconds only
    },
    mend: () => clearInterval(timer),
  });
});

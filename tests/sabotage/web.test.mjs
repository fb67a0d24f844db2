// The gate's headers and cookies are switched off by hand; the page says so.
import {after, before, test} from 'node:test';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

// Sets a directive of ours in the whole configuration, wherever it stands.
const set = (directive, value) => text => {
  const without = text.replace(new RegExp(`^\\s*${directive} [^;]*;\\n`, 'gm'), '');
  return without.replace(/^http \{$/m, `http {\n    ${directive} ${value};`);
};

/*= S79, S80 type=test */
test('no HSTS header turns S79 and S80 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'hsts', probe: 'web.hsts',
    sabotage: async () => { back = await editGate(stack, set('rempart_hsts', 'off')); },
    mend: () => back(),
  });
});

/*= S80 type=test */
test('plain HTTP that no longer leads to HTTPS turns S80 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'hsts', probe: 'web.https_redirect',
    sabotage: async () => { back = await editGate(stack, text => text.replace(/^.*error_page\s+497.*$/gm, '')); },
    mend: () => back(),
  });
});

/*= S81 type=test */
test('cookies left as the application made them turn S81 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'secure-cookies', probe: 'web.cookies',
    sabotage: async () => { back = await editGate(stack, set('rempart_cookies', 'off')); },
    mend: () => back(),
  });
});

/*= S1, S2, S3 type=test */
test('a page that leaves sentences out turns S1 to S3 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'who-we-are', probe: 'page.coverage',
    sabotage: async () => {
      back = await editGate(stack, text => text.replace('location = /trust.json { fastcgi_pass rempart_core; }',
        `location = /trust.json { return 200 '{"promises":[]}'; }`));
    },
    mend: () => back(),
  });
});

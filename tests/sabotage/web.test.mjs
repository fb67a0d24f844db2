// The gate's headers and cookies are switched off by hand; the page says so.
import fs from 'node:fs';
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

/*= S172 type=test */
test('a gate that hides which browser comes turns S172 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'current-software', probe: 'customer.outdated_notice',
    sabotage: async () => {
      back = await editGate(stack, text => text.replace('fastcgi_param REQUEST_SCHEME $scheme;', line =>
        `${line}\n    fastcgi_param HTTP_USER_AGENT "";`));
    },
    mend: () => back(),
  });
});

/*= S177, S178 type=test */
test('a document on shared responsibility that is gone, or leaves an owner out, turns S177 and S178 red', async () => {
  const duty = {id: 'x', ...Object.fromEntries(['title', 'ours', 'our_owner', 'yours'].map(key => [key, {fr: 'x', en: 'x'}]))};
  const answers = {
    'responsibility': 'return 404;',
    'responsibility.json': `default_type application/json; return 200 '${JSON.stringify({duties: Array(12).fill(duty), added: []})}';`,
  };
  for (const [name, answer] of Object.entries(answers)) {
    let back;
    await turnsRed(stack, {
      promise: 'shared-responsibility', probe: 'customer.responsibility_page',
      sabotage: async () => {
        back = await editGate(stack, text => text.replace('location ^~ /trust/ {', place =>
          `location = /trust/${name} { ${answer} }\n        ${place}`));
      },
      mend: () => back(),
    });
  }
});

/*= S87 type=test */
test('an old copy of the page about encryption turns S87 red', async () => {
  let back;
  const old = stack.file('gate/pages/old.html');
  await turnsRed(stack, {
    promise: 'encryption-details', probe: 'page.encryption_details',
    sabotage: async () => {
      const page = (await stack.client({lang: 'fr'}).get('/trust/encryption')).text;
      const yesterday = new Date(Date.now() - 25 * 3600e3).toISOString().replace(/\.\d+/, '');
      fs.writeFileSync(old, page.replace(/datetime="[^"]*"/, `datetime="${yesterday}"`), {mode: 0o644});
      back = await editGate(stack, text => text.replace(/location = \/trust \{/g,
        place => `location = /trust/encryption { default_type text/html; alias gate/pages/old.html; }\n        ${place}`));
    },
    mend: async () => {
      await back();
      fs.rmSync(old);
    },
  });
});

/*= S87 type=test */
test('a page about encrypted data that is gone turns S87 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'encryption-details', probe: 'page.encryption_details',
    sabotage: async () => {
      back = await editGate(stack, text => text.replace(/location = \/trust \{/g, place => `location = /trust/encrypted-data { return 404; }\n        ${place}`));
    },
    mend: () => back(),
  });
});

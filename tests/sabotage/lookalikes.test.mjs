// S176: the canary's baits are flagged, and a feed delivers. Then the operator calls half the world honest, loses the
// register's way in, and the feed stops: each part says so, and is good again once that is mended.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {partNow, proven, sql, turnsRed} from '../lib/sabotage.mjs';
import {Stack, bin, run, until} from '../lib/stack.mjs';

const promise = 'phishing-awareness', flagged = 'customer.lookalike_flagged', feed = 'customer.lookalike_feed';
const text = (port, watch) => `host: localhost\ngate:\n  listen: ${port}\n${watch}`;
const watch = 'watch:\n  domains: [moncoffre.fr]\n  honest: [moncoffre-login.example.net]\n';
let stack;

const becomes = (probe, status, detail) => until(`${probe} ${status}`, async () => {
  const part = await partNow(stack, promise, probe);
  if (part.status !== status) throw new Error(`${part.status}: ${part.detail}`);
  assert.match(part.detail, detail);
  return true;
}, {seconds: 100, every: 500});

async function configure(lines) {
  fs.writeFileSync(stack.file('rempart.yaml'), text(stack.port, lines));
  const {code, stderr} = await stack.rempart('reload');
  assert.equal(code, 0, stderr);
}

before(async () => { stack = await Stack.start({app: null, config: port => text(port, watch)}); });
after(() => stack?.stop());

/*= S176 type=test */
test('an operator who calls all of .com honest turns the canary’s part red', async () => {
  await turnsRed(stack, {promise, probe: flagged,
    sabotage: () => configure(watch.replace('honest: [', 'honest: [com, ')),
    mend: () => configure(watch)});
  await until('what the canary planted is taken away again', async () =>
    await sql(stack.file('db/system.db'), "SELECT count(*) FROM register_record WHERE register IN ('lookalikes', '~lookalikes')") === '0');
});

/*= S176 type=test */
test('without any name to watch it is not met, and says what would meet it', async () => {
  await configure('');
  await becomes(flagged, 'not-met', /watch\.domains/);
  await configure(watch);
  await proven(stack, promise, flagged);
});

/*= S176 type=test */
test('a feed that stops is no feed: the part is proven only while names come', async () => {
  await becomes(feed, 'not-met', /rempart domain look -/);
  assert.equal((await stack.rempart('domain', 'look', 'example.org')).code, 0);
  await becomes(feed, 'not-met', /rempart domain look -/); // what is typed by hand is no feed
  const {code} = await run(path.join(bin, 'rempart'), ['domain', 'look', '-', '--state', stack.state], {input: 'example.org\n', env: stack.env});
  assert.equal(code, 0);
  await becomes(feed, 'proven', /a feed delivered names 0 h ago/);
  const shift = days => sql(stack.file('db/system.db'), `UPDATE lookalike_feed SET at_ms = at_ms + ${days} * 86400000`);
  await shift(-4);
  await becomes(feed, 'not-met', /within 3 days/);
  await shift(4);
  await becomes(feed, 'proven', /a feed delivered names 0 h ago/);
});

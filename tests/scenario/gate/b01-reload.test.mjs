// A changed rempart.yaml reaches the gate by the supervisor's SIGHUP, without a new master and
// without a pause; a bad one changes nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {echoApp} from '../../lib/upstream.mjs';
import {Stack, sleep, until} from '../../lib/stack.mjs';

let stack, app;
before(async () => {
  app = await echoApp();
  stack = await Stack.start({app: null, config: port => `host: localhost
gate:
  listen: ${port}
  body_max_kib: 4
apps:
  - name: echo
    upstream: ${app.url}
    sign_in: none
`});
});
after(async () => { await stack?.stop(); await app?.close(); });

const edit = change => {
  const file = stack.file('rempart.yaml');
  fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
  process.kill(stack.child.pid, 'SIGHUP');
};
const upload = () => stack.client().request('POST', '/upload', {body: 'x'.repeat(8000)}).then(answer => answer.status);

test('a larger limit holds after a reload, the master stays', async () => {
  const master = await stack.pid('gate');
  assert.equal(await upload(), 413);
  let served = 0, failed = 0, over = false;
  const visitor = (async () => {
    while (!over) (await stack.client().get('/').catch(() => null))?.status === 200 ? served++ : failed++;
  })();
  edit(text => text.replace('body_max_kib: 4', 'body_max_kib: 64'));
  await until('the larger limit', async () => await upload() === 200);
  over = true;
  await visitor;
  assert.equal(await stack.pid('gate'), master);
  assert.equal(failed, 0, `${failed} of ${served + failed} requests failed during the reload`);
});

/* a bad day: a typing error in the configuration */
test('a file that is wrong is named, and the gate goes on as before', async () => {
  edit(text => text.replace('body_max_kib: 64', 'body_max_kib: lots'));
  await until('the complaint', () => /body_max_kib|stays as it was/.test(stack.output));
  await sleep(500);
  assert.equal(await upload(), 200);
});

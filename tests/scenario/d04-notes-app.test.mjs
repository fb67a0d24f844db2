// The example application: a keyword is found, a label shown, a version and the trash give back what was.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {after, before, test} from 'node:test';
import {Stack} from '../lib/stack.mjs';

let stack, person;
before(async () => { stack = await Stack.start(); person = await stack.enrol(stack.firstLink); });
after(() => stack?.stop());

const submit = async (fields, action) => person.submit(await person.get('/'), fields, {action});
const first = text => /href="\/notes\/([0-9a-f]{32})"/.exec(text)[1];

test('a note with a keyword and a label is found by the keyword', async () => {
  await submit({text: 'la confiture', tag: 'cuisine', label: 'personal'}, '/notes');
  await submit({text: 'la voiture', tag: 'garage'}, '/notes');
  const found = await person.get('/?tag=cuisine');
  assert.equal(found.status, 200, found.text);
  assert.match(found.text, /la confiture/);
  assert.match(found.text, /personal ·/);
  assert.doesNotMatch(found.text, /la voiture/);
});

test('an earlier version and the trash give a note back', async () => {
  const id = first((await person.get('/?tag=cuisine')).text);
  const change = await person.submit(await person.get(`/notes/${id}`), {text: 'le citron'}, {action: `/notes/${id}`});
  assert.match(change.text, /le citron/);
  assert.match((await person.get('/?tag=cuisine')).text, /le citron/, 'the keyword stays');
  const history = await person.get(`/notes/${id}/versions`);
  assert.match(history.text, /la confiture/);
  assert.match((await person.submit(history, {}, {action: 'restore'})).text, /la confiture/);
  await person.submit(await person.get('/?tag=cuisine'), {}, {action: `${id}/delete`});
  assert.doesNotMatch((await person.get('/')).text, /la confiture/);
  const trash = await person.get('/trash');
  assert.match(trash.text, /la confiture/);
  assert.match((await person.submit(trash, {}, {action: 'restore'})).text, /la confiture/);
});

test('a file goes through the application as it comes, and comes back in parts', async () => {
  const bytes = crypto.randomBytes(700000), boundary = '----file';
  const form = /name="form" value="([^"]+)"/.exec((await person.get('/files')).text)[1];
  const part = (head, content) => Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`), content, Buffer.from('\r\n')]);
  const send = token => person.request('POST', '/files', {headers: {'content-type': `multipart/form-data; boundary=${boundary}`},
    body: Buffer.concat([part('name="form"', Buffer.from(token)), part('name="file"; filename="plan.bin"\r\nContent-Type: image/png', bytes), Buffer.from(`--${boundary}--\r\n`)])});
  assert.equal((await send('forged')).status, 403);
  assert.equal((await send(form)).status, 303);
  const list = await person.get('/files');
  assert.match(list.text, /plan\.bin<\/a> <small>700\skB</);
  const at = /href="(\/files\/[0-9a-f]{32})"/.exec(list.text)[1];
  const read = await person.get(at);
  assert.ok(read.body.equals(bytes));
  assert.match(read.headers['content-disposition'], /plan\.bin/);
  const some = await person.request('GET', at, {headers: {range: 'bytes=65530-65545'}});
  assert.deepEqual([some.status, some.body.equals(bytes.subarray(65530, 65546))], [206, true]);
});

test('a note is shared by a link, unless its label forbids it', async () => {
  await submit({text: 'pour tout le monde', tag: 'partage'}, '/notes');
  const shared = await person.submit(await person.get('/?tag=partage'), {}, {action: '/share'});
  const link = new URL(/href="(https:[^"]+\/share\/[^"]+)"/.exec(shared.text)[1]);
  assert.equal((await stack.client().get(link.pathname)).status, 200);
  await submit({text: 'pour nous seuls', tag: 'secret', label: 'sensitive'}, '/notes');
  const refused = await person.submit(await person.get('/?tag=secret'), {}, {action: '/share'});
  assert.equal(refused.status, 403);
  assert.match(refused.text, /labelled sensitive/);
});

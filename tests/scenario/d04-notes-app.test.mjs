// The example application: a keyword is found, a label shown, a version and the trash give back what was.
import assert from 'node:assert/strict';
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

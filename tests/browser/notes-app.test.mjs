// The example application's pages in a real browser: search, versions, trash, in both languages.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Stack} from '../lib/stack.mjs';
import {accessibility, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';

let stack, person;
before(async () => { stack = await Stack.start(); person = await stack.enrol(stack.firstLink); });
after(() => stack?.stop());

const first = text => /href="\/notes\/([0-9a-f]{32})"/.exec(text)[1];

test('its pages fit small windows and both languages', async () => {
  const browser = await browserFor(stack);
  await person.submit(await person.get('/'), {text: 'la confiture', tag: 'cuisine', label: 'personal'}, {action: '/notes'});
  const id = first((await person.get('/?tag=cuisine')).text);
  try {
    for (const [lang, width, dark] of [['fr', 360, false], ['en', 1440, true]]) {
      const page = await pageIn(browser, {lang, width, dark});
      await page.context().addCookies(Object.entries(person.cookies).map(([name, value]) => ({name, value, url: stack.origin, secure: true})));
      for (const [name, target] of [['list', '/'], ['found', '/?tag=cuisine'], ['versions', `/notes/${id}/versions`], ['trash', '/trash'], ['files', '/files']]) {
        await page.goto(stack.origin + target);
        assert.equal(await page.locator('html').getAttribute('lang'), lang);
        assert.equal(await overflows(page), false, `${name} ${width}`);
        assert.deepEqual(await accessibility(page), [], name);
        assert.equal(await page.title(), `${await page.locator('h1').innerText()} – Notes`);
        for (const time of await page.locator('time').allInnerTexts()) assert.match(time, /^\d+ \S+ \d{4} .*\d UTC$/, name);
        await picture(page, `notes-${name}-${lang}`);
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  } finally {
    await browser.close();
  }
});

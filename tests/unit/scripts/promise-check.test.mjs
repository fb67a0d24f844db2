/* promise-check.test.mjs — the checker accepts the tree's promises and refuses each kind of fault.
 *
 * Every case copies the real promises, breaks one thing and expects the finding that names it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

const tree = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../..');
const TLS = 'promises/073-tls-everywhere.yaml';

function run(root) {
  const { status, stdout } = spawnSync(process.execPath, [path.join(tree, 'scripts/promise-check'), '--root', root], { encoding: 'utf8' });
  return { status, stdout };
}

function copyOfTree(t) {
  const root = mkdtempSync(path.join(tmpdir(), 'promise-check-'));
  t.after(() => rmSync(root, { recursive: true }));
  cpSync(path.join(tree, 'promises'), path.join(root, 'promises'), { recursive: true });
  mkdirSync(path.join(root, 'src/promise'), { recursive: true });
  cpSync(path.join(tree, 'src/promise/probes.def'), path.join(root, 'src/promise/probes.def'));
  return root;
}

test('the promises of this tree are clean', (t) => {
  const { status, stdout } = run(copyOfTree(t));
  assert.equal(status, 0, stdout);
  assert.match(stdout, /165 sentences/);
});

const faults = [
  ['a sentence that is missing', TLS, /  S74: .*\n/, '', /S74 stands in no file/],
  ['a sentence twice', TLS, '  S74: ', '  S75: ', /sentence 'S75' also stands in/],
  ['a heading as a sentence', TLS, '  S74: ', '  S72: ', /S72 is not a sentence/],
  ['an empty English text', TLS, /, en: "In transit[^"]*"/, ', en: ""', /:4: en: empty text/],
  ['a language that is missing', TLS, /, en: "In transit[^"]*"/, '', /:4: 'en' is missing/],
  ['an ordinary space before a French semicolon', TLS, 'générée\u00A0;', 'générée ;', /U\+00A0/],
  ['a straight apostrophe', TLS, 'n’offre', "n'offre", /straight quotation mark/],
  ['a space before an English colon', TLS, 'ciphers: web', 'ciphers : web', /space before punctuation/],
  ['an unknown parameter', TLS, 'Every connection', 'Every {client} connection', /unknown parameter \{client\}/],
  ['a text without quotes', TLS, 'section: encryption', 'section: "encryption', /073-tls-everywhere.yaml:2: /],
  ['an unknown section', TLS, 'section: encryption', 'section: secrets', /unknown section 'secrets'/],
  ['a section out of order', TLS, 'section: encryption', 'section: customers', /goes back in the page's order/],
  ['an unknown key', TLS, 'grade: A', 'grade: A\n    colour: red', /unknown key 'colour'/],
  ['a key twice', TLS, 'grade: A', 'grade: A\n    grade: B', /key 'grade' twice/],
  ['an unknown grade', TLS, 'grade: A', 'grade: F', /grade: expected A, B/],
  ['a period without unit', TLS, 'period: 30s', 'period: 30', /period: expected a number/],
  ['a validity under the period', TLS, 'validity: 90s', 'validity: 10s', /validity must be over one period/],
  ['an unknown cost', TLS, 'cost: cheap', 'cost: free', /cost: expected cheap/],
  ['a cheap part that runs seldom', TLS, 'period: 30s', 'period: 60s', /cheap parts run every 30s/],
  ['a part id that stands elsewhere', TLS, 'id: tls-versions', 'id: cookie-attributes', /part 'cookie-attributes' also stands in/],
  ['a promise id that is not its file name', TLS, 'id: tls-everywhere', 'id: tls', /file's name must be 073-tls.yaml/],
  ['a built probe without saboteur', TLS, /    sabotage: .*\n/, '', /probe tls.versions is built, its sabotage is missing/],
  ['a saboteur of an unbuilt probe', TLS, 'tls.versions', 'tls.nothing', /tls.nothing is not in probes.def/],
  ['a probe of the program that proves nothing', TLS, 'tls.versions', 'tls.nothing', /probe tls.versions proves no promise/],
  ['a tab', TLS, '  - id', '\t- id', /a tab/],
  ['an unknown framework', TLS, 'iso27001: [', 'iso9001: [', /unknown framework 'iso9001'/],
];

for (const [name, file, from, to, finding] of faults) {
  test(`refused: ${name}`, (t) => {
    const root = copyOfTree(t);
    const text = readFileSync(path.join(root, file), 'utf8');
    const broken = text.replace(from, to);
    assert.notEqual(broken, text, 'the fault was planted');
    writeFileSync(path.join(root, file), broken);
    const { status, stdout } = run(root);
    assert.equal(status, 1);
    assert.match(stdout, finding);
  });
}

test('refused: a saboteur that is not in the tree', (t) => {
  const root = copyOfTree(t);
  mkdirSync(path.join(root, 'tests/sabotage'), { recursive: true });
  writeFileSync(path.join(root, 'tests/sabotage/web.test.mjs'), '');
  const { status, stdout } = run(root);
  assert.equal(status, 1);
  assert.match(stdout, /073-tls-everywhere.yaml:\d+: tests\/sabotage\/tls.test.mjs is not in the tree/);
});

test('refused: a file that is no promise', (t) => {
  const root = copyOfTree(t);
  writeFileSync(path.join(root, 'promises/notes.txt'), 'x\n');
  assert.match(run(root).stdout, /notes.txt:1: is not a promise file/);
});

test('a missing sentence is told with its file when the whole file is gone', (t) => {
  const root = copyOfTree(t);
  rmSync(path.join(root, TLS));
  const { stdout } = run(root);
  assert.match(stdout, /S73 stands in no file/);
  assert.match(stdout, /probe tls.versions proves no promise/);
});

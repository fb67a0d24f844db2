// stack.mjs — a whole Rempart in a folder of its own, on a free loopback port, for one test file.
//
//   const stack = await Stack.start({app: 'notes'});   // starts rempart up, waits for "ready"
//   const person = await stack.firstAdministrator();   // enrols by the printed link
//   await stack.stop();                                 // ends what it started, removes the folder
//
// Environment: REMPART_BIN (the folder of the programs, default build/bin).
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Client, totp} from './client.mjs';
import {storeAt} from './store.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const bin = path.resolve(process.env.REMPART_BIN || path.join(root, 'build/bin'));

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// Asks until it is true; the error says what never came.
export async function until(what, ask, {seconds = 15, every = 100} = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const value = await ask();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`never came: ${what}${last ? ` (${last.message})` : ''}`);
    await sleep(every);
  }
}

const listens = port => new Promise(resolve => {
  const server = net.createServer().on('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

// Below those that the kernel lends to whoever connects: one of them could be taken again before it is used.
export async function freePort() {
  for (;;) {
    const port = 16000 + Math.floor(Math.random() * 16000);
    if (await listens(port)) return port;
  }
}

// Runs a program to its end: {code, stdout, stderr}.
export function run(program, args, {input, seconds = 60, ...options} = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {stdio: ['pipe', 'pipe', 'pipe'], ...options});
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    let stdout = '', stderr = '';
    child.stdout.on('data', data => { stdout += data; });
    child.stderr.on('data', data => { stderr += data; });
    child.on('error', reject);
    child.on('close', code => { clearTimeout(timer); resolve({code, stdout, stderr}); });
    child.stdin.end(input);
  });
}

// What the suite said last, for whoever reads why a test failed: the runner shows it for such files only.
const tell = log => console.log((log ?? '').trimEnd().split('\n').slice(-40).map(line => line.slice(0, 240)).join('\n'));

export class Stack {
  // config: text of rempart.yaml, a function of the port, or nothing (one app, "notes").
  // store: where its databases are, if not in files.
  static async start({app = 'notes', config, port, state, upstream, store, env = {}, through = [], expectReady = true} = {}) {
    const stack = new Stack();
    stack.port = port ?? await freePort();
    stack.state = state ?? fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-'));
    fs.chmodSync(stack.state, 0o755);
    stack.env = {...process.env, LANG: 'C.UTF-8', ...env}; // what a start says is compared
    stack.through = through; // a program that starts rempart, with its arguments
    const file = path.join(stack.state, 'rempart.yaml');
    stack.store = store ?? storeAt(stack.state);
    if (!fs.existsSync(file)) {
      const text = typeof config === 'function' ? config(stack.port) : config ?? stack.defaultConfig(upstream);
      fs.writeFileSync(file, /^store:/m.test(text) ? text : `${stack.storeLine}${text}`);
    }
    try {
      await stack.up({expectReady});
      if (app === 'notes' && expectReady) await stack.startNotes();
    } catch (error) {
      await stack.stop(); // nobody else could: what is left running would keep the test from ending
      throw error;
    }
    return stack;
  }

  defaultConfig(upstream = 'unix:run/notes.sock') {
    return `${this.storeLine}host: localhost\ngate:\n  listen: ${this.port}\napps:\n  - name: notes\n` +
      `    upstream: ${upstream}\n    sign_in: required\n`;
  }

  get storeLine() { return this.store ? `store: "${this.store}"\n` : ''; }
  get origin() { return `https://localhost:${this.port}`; }
  file(...parts) { return path.join(this.state, ...parts); }
  get output() { return this.log; }

  async up({expectReady = true} = {}) {
    this.log = '';
    const [program, ...args] = [...this.through ?? [], path.join(bin, 'rempart'), 'up', '--state', this.state];
    this.child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe'], env: this.env});
    const add = data => { this.log += data; };
    this.child.stdout.on('data', add);
    this.child.stderr.on('data', add);
    this.ended = new Promise(resolve => {
      const end = code => { this.exitCode = code; resolve(code); };
      this.child.on('close', end).on('error', error => { add(`${error.message}\n`); end(127); }); // not built
    });
    if (!expectReady) return;
    await until(`"ready"; so far:\n${this.log}`, () => {
      if (this.exitCode !== undefined) throw new Error(`rempart ended with ${this.exitCode}:\n${this.log}`);
      return /^ready$/m.test(this.log);
    }, {seconds: 30, every: 30}).catch(error => {
      this.kill();
      throw new Error(`${error.message}\n${this.log}`);
    });
  }

  kill() { if (this.exitCode === undefined) this.child.kill('SIGKILL'); }

  async down() {
    if (this.exitCode === undefined) {
      this.child.kill('SIGTERM');
      const late = setTimeout(() => this.child.kill('SIGKILL'), 15000);
      await this.ended;
      clearTimeout(late);
    }
    this.exitCode = undefined;
    tell(this.log);
  }

  async startNotes({listen = 'run/notes.sock'} = {}) {
    this.notes?.kill('SIGKILL');
    fs.rmSync(this.file(listen), {force: true});
    this.notes = spawn(process.execPath, [path.join(root, 'examples/notes-app/app.js'), '--state', '.', '--listen', listen],
      {cwd: this.state, stdio: ['ignore', 'pipe', 'pipe'], env: this.env});
    this.notesLog = '';
    for (const stream of [this.notes.stdout, this.notes.stderr]) stream.on('data', data => { this.notesLog += data; });
    await until('the notes application', () => fs.existsSync(this.file(listen)));
  }

  async stop() {
    if (this.notes) this.notes.kill('SIGKILL');
    await this.down();
    if (process.env.REMPART_KEEP) console.log(`kept: ${this.state}`);
    else {
      const runFolder = fs.existsSync(this.file('run')) ? fs.realpathSync(this.file('run')) : null;
      fs.rmSync(this.state, {recursive: true, force: true});
      if (runFolder?.startsWith('/dev/shm/rempart-')) fs.rmSync(runFolder, {recursive: true, force: true});
    }
  }

  // The CLI on this installation.
  rempart(...args) {
    return run(path.join(bin, 'rempart'), [...args, '--state', this.state], {env: {...this.env, LANG: 'C.UTF-8'}, seconds: 150});
  }

  async status() { return JSON.parse(fs.readFileSync(this.file('run/status.json'), 'utf8')); }

  // The process of a role, as the supervisor knows it.
  async pid(role) {
    const {roles} = await this.status();
    return roles.find(one => one.name === role)?.pid;
  }

  client(options) { return new Client(this, options); }

  get firstLink() { return fs.readFileSync(this.file('run/first-admin-link'), 'utf8').trim(); }

  // Enrols the first administrator and returns a signed-in client with .email .password .seed.
  async firstAdministrator({password = 'correct horse battery staple 9', lang = 'en'} = {}) {
    return this.enrol(this.firstLink, {password, lang});
  }

  async enrol(link, {password = 'correct horse battery staple 9', lang = 'en'} = {}) {
    const person = this.client({lang});
    await person.enrol(link, password);
    return person;
  }

  async trust() { return (await this.client().get('/trust.json')).json(); }

  // The promise that holds this sentence, "S73".
  async sentence(id) {
    const {promises} = await this.trust();
    return promises.find(promise => promise.sentences.includes(id));
  }

  // Runs the promise's probes now, or the one that is named, and returns the promise's status.
  async probe(id) {
    const {code, stdout, stderr} = await this.rempart('promises', 'run', id, '--json');
    if (code > 1) throw new Error(`promises run ${id}: ${code} ${stdout} ${stderr}`);
    return JSON.parse(stdout);
  }
}

export {totp};

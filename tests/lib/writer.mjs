// writer.mjs — a person who keeps writing notes while something happens to the installation.
import assert from 'node:assert/strict';
import {sleep} from './stack.mjs';

const PAUSE_MS = 60; // between two writes of one writer: well under the limits of the gate

// A person who keeps writing numbered notes, and remembers how each was answered.
export class Writer {
  constructor(person, name) {
    Object.assign(this, {person, name, kept: [], number: 0, running: true, lastGood: Date.now(), longestGap: 0});
  }
  answered() {
    this.longestGap = Math.max(this.longestGap, Date.now() - this.lastGood);
    this.lastGood = Date.now();
  }
  async write() {
    const text = `${this.name} writes ${++this.number}.`;
    const page = await this.person.get('/', {timeout: 8000});
    if (page.status !== 200) return;
    const answer = await this.person.submit(page, {text}, {timeout: 8000});
    if (answer.status !== 200) return;
    this.kept.push(text);
    this.answered();
  }
  async run() {
    while (this.running) {
      await this.write().catch(() => {}); // a broken connection is what the test is about: not acknowledged
      await sleep(PAUSE_MS);
    }
  }
  // Every note of this person's organisation, page after page.
  async all() {
    const texts = [];
    for (let target = '/'; target;) {
      const page = await this.person.get(target);
      assert.equal(page.status, 200);
      texts.push(...[...page.text.matchAll(/\w+ writes \d+\./g)].map(([text]) => text));
      target = /href="(\/\?after=[^"]*)"/.exec(page.text)?.[1].replaceAll('&amp;', '&');
    }
    return texts;
  }
}

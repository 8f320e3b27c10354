import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readingOf } from '../../src/content-file.ts';
import { readFiles } from '../../src/content.ts';
import { contentFolder } from '../product.ts';

let folder: string;
let texts: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'content-file-'));
  texts = join(folder, 'content');
  file = join(folder, 'kept/content.bin');
  cpSync(contentFolder, texts, { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the content that is kept', () => {
  it('is what the files say, the first time and from then on', () => {
    const read = readFiles(texts);
    expect(readingOf(file, texts)).toEqual(read);
    const { mtimeMs } = statSync(file);
    expect(readingOf(file, texts)).toEqual(read);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
  });

  it('is not believed when a sign has been changed since', () => {
    appendFileSync(join(texts, 'conversation/lines.yaml'), '\nhello:\n  text: Hej igen.\n  uncited: conversation\n');
    expect(readingOf(file, texts).reading.lines.get('conversation/hello')?.text).toContain('Hej igen.');
  });

  it('is read afresh where the file was cut short', () => {
    writeFileSync(file, readFileSync(file).subarray(0, 1_000));
    expect(readingOf(file, texts).reading.lines.has('conversation/hello')).toBe(true);
  });

  it('is not kept where something is wrong with it, which is told each time', () => {
    appendFileSync(join(texts, 'conversation/lines.yaml'), '\nhello:\n  text: En gång till.\n');
    expect(readingOf(file, texts).problems).not.toEqual([]);
    expect(readingOf(file, texts).problems).not.toEqual([]);
  });

  it('need not be kept anywhere', () => {
    writeFileSync(join(folder, 'no-folder'), '');
    expect(readingOf(join(folder, 'no-folder/content.bin'), contentFolder).problems).toEqual([]);
  });
});

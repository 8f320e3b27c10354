import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { consoleLabels, converseInJson, converseInText, wrapped } from '../../../src/channels/console.ts';
import { createConversations } from '../../../src/conversations/conversations.ts';
import { createMemoryStore } from '../../../src/conversations/memory-store.ts';
import { createDemonstrationLedger } from '../../../src/ledger/demonstration-ledger.ts';
import { calendar, content, readUnderstanding } from '../../product.ts';

const now = () => new Date('2026-11-23T08:00:00+01:00');
const understanding = readUnderstanding();

async function printed(converse: typeof converseInText, ...messages: string[]): Promise<string> {
  const { ledger, personOf } = createDemonstrationLedger(now);
  const conversations = createConversations({
    content,
    understanding,
    calendar,
    store: createMemoryStore(),
    ledger,
    proving: undefined,
    proofLasts: { minutes: 30, idleMinutes: 10 },
    now,
    onTurn: () => undefined,
    onMistake: (mistake) => {
      throw mistake;
    },
  });
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(messages.map((message) => `${message}\n`).join(''));
  await converse({ input, output, hasColour: true }, { conversations, content, id: 'c', person: personOf('active') });
  output.end();
  return Buffer.concat(await output.toArray()).toString();
}

describe('the terminal, for programs', () => {
  it('prints the welcome, and one object for each message', async () => {
    const lines = (await printed(converseInJson, 'någon har snott kortet', '', 'ja')).trim().split('\n');
    const exchanges = lines.map((line) => JSON.parse(line) as { said: string | null; state: string; heard: string[] });
    expect(exchanges.map(({ said }) => said)).toEqual([null, 'någon har snott kortet', '', 'ja']);
    expect(exchanges.map(({ state }) => state)).toEqual([
      'conversation/listening',
      'lost-card/confirming',
      'lost-card/confirming',
      'lost-card/revoked',
    ]);
    expect(exchanges[1]).toMatchObject({
      heard: ['intent.lost-card'],
      replies: [{ suggests: [] }, { cites: expect.arrayContaining(['R42']) as unknown, suggests: ['Ja', 'Nej'] }],
      requests: [{ request: 'ledger.findCards', reference: 'c/cards' }],
    });
  });

  it('says the date of the text in every reply that cites', async () => {
    const lines = (await printed(converseInJson, 'vilken id-handling gäller')).trim().split('\n');
    expect(lines[1]).toContain('uppdaterad 22 mars 2022 och faktagranskad 11 oktober 2020');
    expect(lines[0]).not.toContain('uppdaterad');
  });
});

describe('the terminal, for people', () => {
  it('numbers what it suggests, and takes the number for it', async () => {
    const text = await printed(converseInText, 'jag har slagit fel kod tre gånger', '2');
    expect(text).toMatch(/^ {2}1 {2}Ja$/m);
    expect(text).toMatch(/^ {2}2 {2}Nej$/m);
    expect(text).toContain('PUK-kodbrev');
  });

  it('says which rules an answer rests on', async () => {
    expect(await printed(converseInText, 'vilken id-handling gäller')).toMatch(/Bygger på R37/);
  });

  it('writes no line wider than it is, and no colour where there is no screen', async () => {
    const text = await printed(converseInText, 'var fotograferar jag mig', 'hur får jag reservkort');
    expect(text.split('\n').filter((line) => line.length > 88)).toEqual([]);
    expect(text).not.toContain('\u001b');
  });

  it('has its own texts', () => {
    expect(consoleLabels.filter((label) => !content.lines.has(label))).toEqual([]);
  });
});

describe('wrapping', () => {
  it('breaks between words, and keeps a list item together', () => {
    expect(wrapped('ett två tre fyra', 8)).toBe('ett två\ntre fyra');
    expect(wrapped('- ett två tre', 9)).toBe('- ett två\n  tre');
    expect(wrapped('1. ett två tre', 10)).toBe('1. ett två\n   tre');
    expect(wrapped('ettordsomärlängre än', 8)).toBe('ettordsomärlängre\nän');
    expect(wrapped('ett\n\ntvå', 8)).toBe('ett\n\ntvå');
  });
});

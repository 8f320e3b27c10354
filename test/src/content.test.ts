import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Quotable } from '../../dialogs/vocabulary.ts';
import { createContent, type Line, readFiles } from '../../src/content.ts';
import type { Reply } from '../../src/turn.ts';

const { reading } = readFiles(join(import.meta.dirname, '../../content'));
const content = createContent(reading);

const today = '2026-11-23';
const caution = content.label('conversation/caution');

describe('a text that claims something', () => {
  it('says by which rules, according to whom, and how old that is', () => {
    expect(content.speak(saying('valid-id/answer'), today)).toMatchObject({
      cites: ['R37'],
      source: 'Enligt Vårdgivarguiden, uppdaterad 22 mars 2022 och faktagranskad 11 oktober 2020.',
    });
  });

  it('is followed by a caution, once, when a routine it tells of may have changed', () => {
    const { text } = content.speak(saying('photo-and-pickup/collectAtLindhagen'), today);
    expect(text.split(caution)).toEqual([expect.stringMatching(/\n\n$/), '']);
  });

  it('is followed by none when no routine has', () => {
    expect(content.speak(saying('valid-id/answer'), today).text).not.toContain(caution);
  });
});

describe('a text that claims nothing', () => {
  it('names no source', () => {
    expect(content.speak(saying('conversation/stopped'), today)).toEqual({
      text: 'Då avbryter vi.',
      cites: [],
      suggests: [],
      source: undefined,
    });
  });
});

describe('a text whose rule lapses', () => {
  it('is spoken through the last day of the rule, and not on the day after', () => {
    const lastDay = content.speak(saying('upgrade/needsCodesFirst'), '2022-05-04');
    expect(lastDay.text).toContain('PUK-kodbrev');
    expect(lastDay.cites).toContain('R9');

    const dayAfter = content.speak(saying('upgrade/needsCodesFirst'), '2022-05-05');
    expect(dayAfter.text).toContain('ingen aktuell uppgift');
    expect(dayAfter.text).not.toContain('PUK-kodbrev');
    expect(dayAfter.cites).toEqual(['R50']);
  });

  it('is spoken ever after when it tells how things were', () => {
    expect(content.speak(saying('upgrade/howItWasDone'), today)).toMatchObject({
      text: expect.stringContaining('SITHS Mina sidor'),
      cites: ['R12', 'R14'],
    });
  });

  it('is not spoken after its own last day, though its rules are in force', () => {
    const brief = withLine('valid-id/answer', { until: '2026-11-22' });
    expect(brief.speak(saying('valid-id/answer'), '2026-11-22').text).toContain('körkort');
    expect(brief.speak(saying('valid-id/answer'), '2026-11-23').text).toContain('ingen aktuell uppgift');
  });
});

describe('a contact', () => {
  const text = (details = {}) => createContent(reading, details).speak(saying('conversation/human'), today).text;

  it('is called by its name alone when nothing more is set', () => {
    expect(text()).toMatch(/kontakta Serviceförvaltningens servicedesk\.$/);
  });

  it('has the number of this deployment, and of no other contact', () => {
    expect(text({ servicedesk: '08-123 45 67' })).toMatch(/Serviceförvaltningens servicedesk \(08-123 45 67\)\.$/);
    expect(text({ itPortal: 'portal.example' })).toMatch(/Serviceförvaltningens servicedesk\.$/);
  });

  it('has it in a caution too', () => {
    const reached = createContent(reading, { servicedesk: '08-123 45 67' });
    expect(reached.speak(saying('pin-trouble/canUnlock'), today).text).toContain('servicedesk (08-123 45 67)');
  });
});

describe('a fact', () => {
  it.each<[string, Quotable[string]]>([
    ['idag 13:30–15:00', { opening: { day: today, from: '13:30', to: '15:00' }, today }],
    ['imorgon 9:30–10:30', { opening: { day: '2026-11-24', from: '9:30', to: '10:30' }, today }],
    ['på onsdag 9:30–10:30', { opening: { day: '2026-11-25', from: '9:30', to: '10:30' }, today }],
    ['på söndag', { askedDay: '2026-11-29', today }],
    ['måndag den 30 november', { askedDay: '2026-11-30', today }],
    ['söndag den 22 november', { askedDay: '2026-11-22', today }],
    ['4 maj 2022', { day: '2022-05-04' }],
    ['reservkort', { word: 'reserve' }],
    ['spärren av kortet', { word: 'lost-card' }],
    ['K-1', { text: 'K-1' }],
    [
      '9:30–10:30 och 13:30–15:00',
      {
        slots: [
          { from: '9:30', to: '10:30', confirmed: true },
          { from: '13:30', to: '15:00', confirmed: true },
        ],
      },
    ],
  ])('is put as “%s”', (said, fact) => {
    const quoting = withLine('conversation/wayBack', { text: 'Så här: {{leftPath}}.' });
    const facts = fact === undefined ? {} : { leftPath: fact };
    expect(quoting.speak(saying('conversation/wayBack', facts), today).text).toBe(`Så här: ${said}.`);
  });

  it('is never guessed: a text that quotes what is not known is not spoken', () => {
    expect(() => content.speak(saying('lost-card/alreadyRevoked'), today)).toThrow('quotes revokedCard');
  });
});

describe('a reply', () => {
  it('suggests what its text does, and then what is offered, by title', () => {
    const reply: Reply = { ...saying('conversation/choices'), offers: ['lost-card', 'renew'] };
    const [own] = reading.lines.get('conversation/choices')?.suggests ?? [];
    const titleOf = (intent: string) => reading.taught.find((each) => each.intent === intent)?.title;
    expect(content.speak(reply, today).suggests).toEqual([own, titleOf('lost-card'), titleOf('renew')]);
  });

  it('has a text, or it is a mistake of ours', () => {
    expect(() => content.speak(saying('lost-card/nowhere'), today)).toThrow('lost-card/nowhere');
  });
});

function saying(line: string, facts: Quotable = {}): Reply {
  return { line, facts, offers: [] };
}

/** The content with one line written otherwise. */
function withLine(name: string, change: Partial<Line>) {
  const line = reading.lines.get(name);
  if (!line) throw new Error(`There is no ${name}`);
  return createContent({ ...reading, lines: new Map([...reading.lines, [name, { ...line, ...change }]]) });
}

import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Day } from '../../dialogs/card-validity.ts';
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

describe('a text that sends the student somewhere', () => {
  const at = (office: 'booth' | 'sodersjukhuset', day: Day, from: string, to: string): Quotable => ({
    [office === 'booth' ? 'nextAtBooth' : 'nextAtSodersjukhuset']: { opening: { day, from, to }, today },
  });
  const next = { ...at('booth', today, '8:00', '16:00'), ...at('sodersjukhuset', today, '13:30', '15:00') };
  const visitsIn = (line: string, facts: Quotable = next, from = content) =>
    from.speak(saying(line, facts), today).visits ?? [];

  it('comes with where, when and with what, by the rules of the visit', () => {
    expect(visitsIn('photo-and-pickup/notPhotographed')).toEqual([
      {
        name: 'photo-at-booth',
        title: 'Fotografera dig i fotoautomaten',
        rows: [
          { name: 'Var', value: 'Fotoautomaten, Lindhagensterassen 1, plan 2' },
          { name: 'När', value: 'Drop-in måndag den 23 november 8:00–16:00' },
        ],
        opening: { day: today, from: '8:00', to: '16:00' },
        cites: ['R24'],
      },
      {
        name: 'photo-at-sodersjukhuset',
        title: 'Fotografera dig på Södersjukhuset',
        rows: [
          { name: 'Var', value: 'Kortkontoret Södersjukhuset, Receptionen, Hus 48, Sjukhusbacken 14' },
          { name: 'När', value: 'Drop-in måndag den 23 november 13:30–15:00' },
        ],
        bring: { name: 'Ta med', items: ['giltig id-handling'] },
        opening: { day: today, from: '13:30', to: '15:00' },
        cites: ['R25', 'R26', 'R27'],
      },
    ]);
  });

  it('says to book where one books, with the link of this deployment, and names no time', () => {
    const reached = createContent(reading, { bookingCalendar: 'https://boka.example' });
    const [visit] = visitsIn('photo-and-pickup/collectAtLindhagen', next, reached);
    expect(visit).not.toHaveProperty('opening');
    expect(visit?.rows.at(-1)?.value).toContain('bokningskalendern (https://boka.example)');
  });

  it('says nothing of what to bring where the guidance does not', () => {
    expect(visitsIn('new-card/needsReserveCard')).toEqual([expect.not.objectContaining({ bring: expect.anything() })]);
  });

  it('goes by the day that was asked about, when that is later than the next opening and sure', () => {
    const wednesday = '2026-11-25';
    const asking = (day: Day, confirmed: boolean): Quotable => ({
      ...next,
      askedDay: { askedDay: day, today },
      slotsAtSodersjukhuset: {
        slots: [
          { from: '9:30', to: '10:30', confirmed },
          { from: '13:30', to: '15:00', confirmed },
        ],
      },
    });
    const openingFor = (facts: Quotable) => visitsIn('sos-office/openThatDay', facts)[0]?.opening;
    expect(openingFor(asking(wednesday, true))).toEqual({ day: wednesday, from: '9:30', to: '10:30' });
    expect(openingFor(asking(wednesday, false))).toEqual({ day: today, from: '13:30', to: '15:00' });
    expect(openingFor(asking(today, true))).toEqual({ day: today, from: '13:30', to: '15:00' });
    expect(openingFor(asking('2026-11-20', true))).toEqual({ day: today, from: '13:30', to: '15:00' });
  });

  it('adds the caution of its visit, and cites no rule that only the visit has', () => {
    const { text, cites } = content.speak(saying('photo-bring/answer', next), today);
    expect(text.split(caution)).toHaveLength(2);
    expect(cites).toEqual(['R27', 'R37', 'R50']);
  });

  it('sends nobody by a rule that has lapsed on the day of the visit', () => {
    const lapsing = (until: Day) => {
      const rule = reading.rules.get('R24');
      if (!rule) throw new Error('There is no R24');
      return createContent({ ...reading, rules: new Map([...reading.rules, ['R24', { ...rule, until }]]) });
    };
    const namesIn = (until: Day, day: Day) =>
      visitsIn('photo-bring/answer', { ...next, ...at('booth', day, '8:00', '16:00') }, lapsing(until)).map(
        ({ name }) => name,
      );
    expect(namesIn('2026-11-24', '2026-11-24')).toEqual(['photo-at-booth', 'photo-at-sodersjukhuset']);
    expect(namesIn('2026-11-24', '2026-11-25')).toEqual(['photo-at-sodersjukhuset']);
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

/** What is said, as Teams shows it: within its limits, with every suggestion, and no button that outlives its question. */
import { describe, expect, it } from '@jest/globals';
import type { Activity } from 'botbuilder';
import fc from 'fast-check';
import { z } from 'zod';
import {
  LARGEST,
  privateChatWith,
  toPlainActivity,
  toTeamsActivities,
} from '../../../../src/channels/bot-framework/outgoing.ts';
import { Pressed } from '../../../../src/channels/bot-framework/incoming.ts';
import type { Said } from '../../../../src/conversations/store.ts';
import { content } from '../../../product.ts';

const { rules } = content;
const said = (more: Partial<Said> = {}): Said => ({
  text: 'Hej.',
  cites: [],
  suggests: [],
  source: undefined,
  ...more,
});
const inTeams = (one: Said, isShared = false) => toTeamsActivities(one, 7, isShared, rules);
const bytesOf = (activity: Partial<Activity>): number => Buffer.byteLength(JSON.stringify(activity), 'utf16le');
const titlesIn = ({ suggestedActions }: Partial<Activity>) => suggestedActions?.actions.map(({ title }) => title);

const Button = z.strictObject({
  type: z.literal('Action.Submit'),
  title: z.string().min(1),
  data: z.strictObject({
    ...Pressed.shape,
    msteams: z.strictObject({
      type: z.literal('messageBack'),
      displayText: z.string(),
      text: z.string(),
      value: Pressed,
    }),
  }),
});
const ButtonCard = z.strictObject({
  type: z.literal('AdaptiveCard'),
  $schema: z.url(),
  version: z.literal('1.5'),
  lang: z.literal('sv'),
  body: z
    .array(z.strictObject({ type: z.literal('ActionSet'), spacing: z.literal('Small'), actions: z.tuple([Button]) }))
    .min(1),
});
const buttonsIn = (activity: Partial<Activity> | undefined) =>
  ButtonCard.parse(activity?.attachments?.[0]?.content).body.map(({ actions: [button] }) => button);

const visit = {
  name: 'photo-at-booth',
  title: 'Fotografera dig',
  rows: [{ name: 'Var', value: 'Lindhagen' }],
  cites: ['R24'],
};
const link = { title: 'Logga in', url: 'https://kortlotsen.example/sign-in' };

describe('what is suggested', () => {
  it('is suggested under the text in a private chat, up to three', () => {
    const [text, ...more] = inTeams(said({ suggests: ['Ja', 'Nej', 'Vet inte'] }));
    expect(titlesIn(text)).toEqual(['Ja', 'Nej', 'Vet inte']);
    expect(more).toEqual([]);
  });

  it.each<[string, Said, boolean]>([
    ['there are more', said({ suggests: ['Ett', 'Två', 'Tre', 'Fyra'] }), false],
    ['there is a card', said({ suggests: ['Ja'], visits: [visit] }), false],
    ['there is a link', said({ suggests: ['Ja'], link }), false],
    ['others read along', said({ suggests: ['Ja'] }), true],
  ])('is buttons of a card of its own, which comes last, where %s', (_where, one, isShared) => {
    const activities = inTeams(one, isShared);
    expect(activities.map(titlesIn).filter((titles) => titles !== undefined)).toEqual([]);
    const buttons = buttonsIn(activities.at(-1));
    expect(buttons.map(({ title }) => title)).toEqual(one.suggests);
    for (const { title, data } of buttons) {
      expect(data).toEqual({
        kortlotsen: { says: title, under: 7 },
        msteams: {
          type: 'messageBack',
          displayText: title,
          text: title,
          value: { kortlotsen: { says: title, under: 7 } },
        },
      });
    }
  });

  it('is everything that is ever suggested, or a button could not bring it back', () => {
    const all = [...content.lines.values()].flatMap(({ suggests }) => suggests);
    expect(all.length).toBeGreaterThan(50);
    for (const says of all) expect(Pressed.safeParse({ kortlotsen: { says, under: 1 } }).success).toBe(true);
  });
});

describe('what is said', () => {
  it('parts a text from its cards, and each of those from the next, since Teams does so anyway', () => {
    const activities = inTeams(said({ cites: ['R24'], link, visits: [visit], source: 'Enligt vägledningen.' }));
    expect(activities.map(({ text, attachments = [] }) => [text !== undefined, attachments.length])).toEqual([
      [true, 0],
      [false, 1],
      [false, 1],
    ]);
    expect(activities[0].entities).toHaveLength(1);
  });

  it('is never over the limit of Teams, whatever line of the content it is', () => {
    const cites = [...rules.keys()].slice(0, 12);
    const lines = [...content.lines.values()];
    expect(lines.length).toBeGreaterThan(500);
    for (const { text } of lines) {
      for (const each of inTeams(said({ text, cites, source: 'Enligt vägledningen.' }), true))
        expect(bytesOf(each)).toBeLessThan(LARGEST);
    }
  });

  it('comes in parts when it is long: in order, each under the limit, with no word lost and the rules with the last', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'å', 'ö', '-', '.', '𝒳', '"', '<', '\u0000'),
      minLength: 1,
      maxLength: 60,
    });
    const text = fc
      .array(fc.tuple(word, fc.constantFrom(' ', '\n', '\n\n')), { minLength: 1, maxLength: 900 })
      .map((words) => words.flat().join('').trim());
    fc.assert(
      fc.property(text, fc.boolean(), (written, isShared) => {
        const activities = inTeams(
          said({ text: written, cites: ['R24'], source: 'Enligt.', suggests: ['Ja'] }),
          isShared,
        );
        const spoken = activities.filter((each) => each.text !== undefined);
        const joined = spoken.map((each) => each.text).join(' ');
        expect(joined.split(/\s+/)).toEqual(`${written.replaceAll('<', '&lt;')} Enligt. [1]`.split(/\s+/));
        for (const each of activities) expect(bytesOf(each)).toBeLessThan(LARGEST);
        expect(spoken.map(({ entities = [] }) => entities.length)).toEqual(
          spoken.map((_, nth) => (nth === spoken.length - 1 ? 1 : 0)),
        );
        if (!isShared) expect(titlesIn(spoken.at(-1) ?? {})).toEqual(['Ja']);
      }),
      { numRuns: 60 },
    );
  });

  it('is not cut in the middle of a sign, where there is nothing else to cut at', () => {
    const written = `a${'𝒳'.repeat(9_000)}`;
    const parts = inTeams(said({ text: written })).map(({ text = '' }) => text);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part).not.toMatch(/\p{Cs}/u);
    expect(parts.join('')).toBe(written);
  });

  it.each([
    ['a tag', '<b>hej</b>', '&lt;b>hej&lt;/b>'],
    ['a sign that is written as HTML writes it', '&lt;b&gt;', '&amp;lt;b&amp;gt;'],
    ['a picture', '![x](https://evil.example/p.png)', '!\\[x](https://evil.example/p.png)'],
    ['a link to something that runs', '[x](javascript:alert(1))', '[x\\](javascript:alert(1))'],
    ['where such a link leads, told further down', '[x]: javascript:alert(1)', '[x\\]: javascript:alert(1)'],
  ])('shows %s as it was written', (_what, written, sent) => {
    expect(inTeams(said({ text: written })).map(({ text }) => text)).toEqual([sent]);
  });

  it('keeps the Markdown that our own chat shows', () => {
    const written = '**Ja**, se [här](https://example.se/?a=1&b=2) & [ring](tel:08)\n\n- ett\n- två';
    expect(inTeams(said({ text: written })).map(({ text }) => text)).toEqual([written]);
    for (const { text } of content.lines.values()) if (text !== '') expect(inTeams(said({ text }))[0].text).toBe(text);
  });

  it('never is an empty part, however much room there is between two words', () => {
    const texts = inTeams(said({ text: `${' '.repeat(9_000)}hej${' '.repeat(9_000)}` })).map(({ text }) => text);
    expect(texts).toEqual(['hej']);
  });

  it('has its link also when it is said plainly, and no half of a sign', () => {
    const link = { title: 'Logga in', url: 'https://kortlotsen.example/sign-in/abc' };
    const { text } = toPlainActivity(said({ text: `a${'𝒳'.repeat(9_000)}`, link, suggests: ['Ja'] }));
    expect(text).not.toMatch(/\p{Cs}/u);
    expect(text?.endsWith('\nLogga in: https://kortlotsen.example/sign-in/abc\n- Ja')).toBe(true);
  });

  it('bears no label that it was made up by a machine, since it was not', () => {
    expect(JSON.stringify(inTeams(said({ cites: ['R24'], source: 'Enligt.' })))).not.toMatch(
      /AIGenerated|additionalType/,
    );
  });

  it('can be said as plainly as can be, with what there is to choose among, and within the limit', () => {
    const plain = toPlainActivity(said({ text: 'x'.repeat(50_000), suggests: ['Ja', 'Nej'], visits: [visit] }));
    expect(bytesOf(plain)).toBeLessThan(LARGEST);
    expect(toPlainActivity(said({ suggests: ['Ja', 'Nej'] }))).toMatchObject({
      textFormat: 'plain',
      text: 'Hej.\n- Ja\n- Nej',
    });
  });
});

describe('a chat of one’s own', () => {
  it('is opened from Teams alone, where there is one', () => {
    const link = privateChatWith('4711');
    expect(link('bot/msteams/19:a')).toBe('https://teams.microsoft.com/l/chat/0/0?users=28:4711');
    expect(link('bot/webchat/a')).toBeUndefined();
  });
});

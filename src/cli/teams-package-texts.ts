/**
 * What is said of the app in Teams: the names of its texts, and how long each
 * may be there. The limits are those of Microsoft's schema, put here so that
 * an editor hears of them by the name of the text.
 */
import type { Intent } from '../../dialogs/intents.ts';
import type { Content } from '../content.ts';

/** The first is that of everybody whose Teams is in none of them. */
export const languages = ['sv', 'en'] as const;
export type Language = (typeof languages)[number];

/** What the menu suggests to write, by what it is to be understood as. Teams shows ten at most. */
export const openings = [
  'lost-card',
  'pin-forgotten',
  'order-first-card',
  'photo-where-when',
  'renew',
  'reserve-get',
  'card-status',
  'talk-to-human',
] as const satisfies readonly Intent[];

/** In characters, of the app in one language. */
const LONGEST = { name: 30, fullName: 100, short: 80, full: 4_000 } as const;
/** Of an opening, and of what it leads to. */
const LONGEST_OPENING = 128;
const LONGEST_AIM = 4_000;

/** The longest that texts may be, by their names. */
export const teamsLimits: ReadonlyMap<string, number> = new Map([
  ...languages.flatMap((language) =>
    Object.entries(LONGEST).map(([name, longest]): [string, number] => [`teams/${name}.${language}`, longest]),
  ),
  ...openings.flatMap((opening): [string, number][] => [
    [`teams/opening.${opening}`, LONGEST_OPENING],
    ...languages.map((language): [string, number] => [`teams/opening.${opening}.${language}`, LONGEST_AIM]),
  ]),
]);

/** The parts of the page of instructions, in order, each a heading and a text. */
export const sections = [
  'register',
  'settings',
  'upload',
  'access',
  'try',
  'update',
  'remove',
  'data',
  'sources',
] as const;
export type Section = (typeof sections)[number];

export const teamsLabels: readonly string[] = [
  ...teamsLimits.keys(),
  ...[
    ...['title', 'intro'],
    ...['Name', 'Version', 'App', 'Domain', 'Permission', 'Identity'].map((row) => `package${row}`),
    ...sections.flatMap((section) => [`${section}Title`, `${section}Text`]),
    ...['registerTable', 'settingsTable', 'settingName', 'settingValue', 'secret', 'dataRecords', 'dataPrivacy'],
  ].map((name) => `teams/${name}`),
];

export type AppTexts = Record<keyof typeof LONGEST, string> & { openings: { says: string; aim: string }[] };

/** An opening is sent as it stands, so it is in Swedish whatever the language. */
export function appTextsIn(language: Language, content: Pick<Content, 'label'>): AppTexts {
  const label = (name: string) => content.label(`teams/${name}`);
  return {
    name: label(`name.${language}`),
    fullName: label(`fullName.${language}`),
    short: label(`short.${language}`),
    full: label(`full.${language}`),
    openings: openings.map((opening) => ({
      says: label(`opening.${opening}`),
      aim: label(`opening.${opening}.${language}`),
    })),
  };
}

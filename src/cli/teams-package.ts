/**
 * `kortlotsen teams package`: the app that a tenant uploads to Teams, and a
 * page of instructions for whoever does.
 *
 * What is in it comes from the settings and the content, and the same give the
 * same bytes. It is checked against Microsoft's own schema, which comes with
 * their package: nothing is fetched. The zip holds no secret.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppManifestUtils, type TeamsManifestV1D30 } from '@microsoft/app-manifest';
import { zipSync } from 'fflate';
import type { Content } from '../content.ts';
import type { PackageSettings } from '../settings.ts';
import { instructionsPage } from './teams-package-page.tsx';
import { appTextsIn, type Language, languages } from './teams-package-texts.ts';

export type TeamsPackageWorld = {
  settings: PackageSettings;
  content: Pick<Content, 'label'>;
  /** Of the product, which is that of the app. */
  version: string;
  /** The folder with color.png and outline.png. */
  icons: string;
};

type Manifest = TeamsManifestV1D30.TeamsManifestV1D30;

const SCHEMAS = 'https://developer.microsoft.com/json-schemas/teams/v1.30';
const ICONS = { color: 'color.png', outline: 'outline.png' };
const ZIP = 'kortlotsen-teams.zip';
const PAGE = 'kortlotsen-teams.html';

/** The earliest that a zip can tell, and in any time zone the same. */
const NO_TIME = new Date(1980, 0, 1, 12);

/** Writes both files into the folder, and returns where they are. */
export async function writeTeamsPackage(folder: string, world: TeamsPackageWorld): Promise<string[]> {
  const { settings, content, version, icons } = world;
  const manifests = languages.map((language) => ({ language, manifest: manifestIn(language, world) }));
  // Each language by itself, so that its texts are measured as those of the manifest are.
  for (const { language, manifest } of manifests) {
    const complaints = await AppManifestUtils.validateAgainstSchema(manifest);
    if (complaints.length > 0)
      throw new Error(`Teams would not take the app in ${language}. See content check.\n${complaints.join('\n')}`);
  }

  const [color, outline] = await Promise.all([ICONS.color, ICONS.outline].map((name) => readFile(join(icons, name))));
  if (!color || !outline) throw new Error('The app has no icons');
  const zip = zipSync(
    {
      'manifest.json': inJson(manifestIn(languages[0], world)),
      ...Object.fromEntries(
        manifests.map(({ language, manifest }) => [fileOf(language), inJson(localizationOf(manifest))]),
      ),
      [ICONS.color]: color,
      [ICONS.outline]: outline,
    },
    { mtime: NO_TIME, level: 9 },
  );
  const page = instructionsPage({ settings, content, version, file: ZIP, icon: color.toString('base64') });

  await mkdir(folder, { recursive: true });
  const written: [string, Uint8Array | string][] = [
    [ZIP, zip],
    [PAGE, page],
  ];
  return Promise.all(
    written.map(async ([name, holds]) => {
      const place = join(folder, name);
      await writeFile(place, holds);
      return place;
    }),
  );
}

const inJson = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
const fileOf = (language: Language): string => `${language}.json`;

function manifestIn(language: Language, { settings, content, version }: TeamsPackageWorld): Manifest {
  const { appId, publicUrl, accent, developer } = settings;
  const { name, fullName, short, full, openings } = appTextsIn(language, content);
  const [first, ...others] = languages;
  return {
    $schema: `${SCHEMAS}/MicrosoftTeams.schema.json`,
    manifestVersion: '1.30',
    version,
    // One app of Teams is one registration of a bot, so it needs no id of its own.
    id: appId,
    developer: {
      name: developer.name,
      websiteUrl: developer.websiteUrl,
      privacyUrl: developer.privacyUrl,
      termsOfUseUrl: developer.termsUrl,
    },
    name: { short: name, full: fullName },
    description: { short, full },
    icons: { ...ICONS },
    accentColor: accent,
    localizationInfo: {
      defaultLanguageTag: first,
      defaultLanguageFile: fileOf(first),
      additionalLanguages: others.map((other) => ({ languageTag: other, file: fileOf(other) })),
    },
    bots: [
      {
        botId: appId,
        scopes: ['personal', 'team', 'groupChat'],
        isNotificationOnly: false,
        supportsFiles: false,
        supportsCalling: false,
        supportsVideo: false,
        // Where others read along, nobody is to be led to ask about a card of their own.
        commandLists: [
          {
            scopes: ['personal'],
            commands: openings.map(({ says, aim }) => ({ title: says, description: aim })),
          },
        ],
      },
    ],
    // Who has signed in is told by the sender's id. Nothing is sent to somebody who has not added the app.
    permissions: ['identity'],
    // Of the pages where one signs in, and where a receipt and a visit are fetched.
    validDomains: [new URL(publicUrl).hostname],
    defaultInstallScope: 'personal',
    defaultGroupCapability: { team: 'bot', groupchat: 'bot' },
  };
}

/** The texts of a manifest, by where in it each of them stands, as Teams reads them for one language. */
function localizationOf({ name, description, bots = [] }: Manifest): Record<string, string> {
  const commands = bots.flatMap(({ commandLists = [] }, bot) =>
    commandLists.flatMap((list, at) =>
      list.commands.flatMap(({ title, description: aim = '' }, index): [string, string][] => {
        const place = `bots[${bot}].commandLists[${at}].commands[${index}]`;
        return [
          [`${place}.title`, title],
          [`${place}.description`, aim],
        ];
      }),
    ),
  );
  return {
    $schema: `${SCHEMAS}/MicrosoftTeams.Localization.schema.json`,
    'name.short': name.short,
    'name.full': name.full ?? name.short,
    'description.short': description.short,
    'description.full': description.full,
    ...Object.fromEntries(commands),
  };
}

/** The app for Teams, as it is read back from the disk. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppManifestUtils } from '@microsoft/app-manifest';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { unzipSync } from 'fflate';
import { z } from 'zod';
import { writeTeamsPackage } from '../../../src/cli/teams-package.ts';
import { languages, openings, teamsLimits } from '../../../src/cli/teams-package-texts.ts';
import { readPackageSettings } from '../../../src/settings.ts';
import { content, readUnderstanding, root } from '../../product.ts';

const APP = '7c1f9a52-6f0e-4c3e-9f0a-5a1b2c3d4e5f';
const TENANT = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const environment = {
  MicrosoftAppId: APP,
  MicrosoftAppTenantId: TENANT,
  MicrosoftAppPassword: 'dold-nyckel',
  KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se',
  KORTLOTSEN_ACCENT: '#7a0052',
  TEAMS_DEVELOPER_NAME: 'Regionen & kort',
  TEAMS_DEVELOPER_URL: 'https://region.example.se/kort',
  TEAMS_TERMS_URL: 'https://region.example.se/villkor',
};

const schemas = join(
  dirname(createRequire(import.meta.url).resolve('@microsoft/app-manifest/package.json')),
  'build/json-schemas/teams/v1.30',
);

const Manifest = z.looseObject({
  localizationInfo: z.object({
    defaultLanguageTag: z.string(),
    defaultLanguageFile: z.string(),
    additionalLanguages: z.array(z.object({ languageTag: z.string(), file: z.string() })),
  }),
  bots: z.tuple([
    z.looseObject({
      commandLists: z.tuple([
        z.object({
          scopes: z.array(z.string()),
          commands: z.array(z.object({ title: z.string(), description: z.string() })),
        }),
      ]),
    }),
  ]),
});

type Label = (name: string, facts?: Record<string, string>) => string;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'teams-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Writes the package and reads it back: what the zip holds, and the page beside it. */
async function packed(
  changed: Record<string, string> = {},
  label: Label = (name, facts) => content.label(name, facts),
) {
  const settings = readPackageSettings({ ...environment, ...changed });
  const icons = join(root, 'src/cli/teams-package-icons');
  const [zip = '', page = ''] = await writeTeamsPackage(join(folder, 'out'), {
    settings,
    content: { label },
    version: '1.2.3',
    icons,
  });
  const bytes = await readFile(zip);
  const files = unzipSync(bytes);
  const text = (name: string) => Buffer.from(files[name] ?? []).toString();
  const strings = (name: string) => z.record(z.string(), z.string()).parse(JSON.parse(text(name)));
  return {
    bytes,
    files,
    manifest: Manifest.parse(JSON.parse(text('manifest.json'))),
    manifestFile: text('manifest.json'),
    strings,
    page: await readFile(page, 'utf8'),
    zip,
  };
}

describe('the app for Teams', () => {
  it('holds what Teams asks for, and nothing else', async () => {
    const { files, zip } = await packed();
    expect(Object.keys(files).sort()).toEqual(['color.png', 'en.json', 'manifest.json', 'outline.png', 'sv.json']);
    expect(zip).toBe(join(folder, 'out/kortlotsen-teams.zip'));
  });

  it('is valid by Microsoft’s own schema, read where nothing can be fetched', async () => {
    const { zip, manifestFile } = await packed();
    const place = join(dirname(zip), 'manifest.json');
    await writeFile(place, manifestFile);
    const [, complaints] = await AppManifestUtils.readAndValidateTeamsManifest(place);
    expect(complaints).toEqual([]);
  });

  it('is the bot of the settings, for one person, a team and a group', async () => {
    const { manifest } = await packed();
    expect(manifest).toMatchObject({
      manifestVersion: '1.30',
      version: '1.2.3',
      id: APP,
      developer: {
        name: 'Regionen & kort',
        websiteUrl: 'https://region.example.se/kort',
        privacyUrl: 'https://kortlotsen.example.se/records',
        termsOfUseUrl: 'https://region.example.se/villkor',
      },
      accentColor: '#7a0052',
      bots: [
        {
          botId: APP,
          scopes: ['personal', 'team', 'groupChat'],
          supportsFiles: false,
          isNotificationOnly: false,
          commandLists: [{ scopes: ['personal'] }],
        },
      ],
      permissions: ['identity'],
      validDomains: ['kortlotsen.example.se'],
      defaultInstallScope: 'personal',
    });
    expect(manifest).not.toHaveProperty('webApplicationInfo');
  });

  it('leads to no domain but those of the settings, and to Microsoft’s for its schemas', async () => {
    const { manifestFile, strings } = await packed({ TEAMS_PRIVACY_URL: 'https://annan.example.se/uppgifter' });
    const said = [manifestFile, ...languages.map((language) => JSON.stringify(strings(`${language}.json`)))].join('\n');
    const hosts = [...said.matchAll(/\bhttps?:\/\/([^/"\s]+)/g)].map(([, host]) => host);
    expect(new Set(hosts)).toEqual(new Set(['developer.microsoft.com', 'region.example.se', 'annan.example.se']));
    expect(
      said.match(/[\w-]+\.(com|net|org|se)\b/g)?.filter((domain) => !/^(microsoft|example)\./.test(domain)),
    ).toEqual([]);
  });

  it('has the files of its languages, which are valid and have the same texts in them', async () => {
    const { manifest, strings, files } = await packed();
    const { defaultLanguageTag, defaultLanguageFile, additionalLanguages } = manifest.localizationInfo;
    expect([defaultLanguageTag, defaultLanguageFile]).toEqual(['sv', 'sv.json']);
    expect(additionalLanguages).toEqual([{ languageTag: 'en', file: 'en.json' }]);
    // It is of draft 4, which differs from what this validator reads in nothing that it uses.
    const { $schema: _, ...schema } = z
      .looseObject({})
      .parse(JSON.parse(await readFile(join(schemas, 'MicrosoftTeams.Localization.schema.json'), 'utf8')));
    const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
    formats.default(ajv);
    const validate = ajv.compile(schema);
    for (const file of [defaultLanguageFile, ...additionalLanguages.map((each) => each.file)]) {
      expect(files).toHaveProperty([file]);
      expect(validate(strings(file)) ? [] : validate.errors).toEqual([]);
      expect(validate({ ...strings(file), 'name.short': 'x'.repeat(31) })).toBe(false);
    }
    expect(Object.keys(strings('en.json'))).toEqual(Object.keys(strings('sv.json')));
    expect(strings('en.json')['description.short']).toMatch(/^Questions/);
    expect(strings('sv.json')['description.short']).toMatch(/^Frågor/);
  });

  it('has texts that are within their limits, in both languages', () => {
    const tooLong = [...teamsLimits].filter(([name, longest]) => Array.from(content.label(name)).length > longest);
    expect(tooLong).toEqual([]);
    expect(teamsLimits.get('teams/name.en')).toBe(30);
  });

  it.each(['name.sv', 'short.en', 'full.sv', 'opening.renew'])(
    'is not written when the text %s is too long, and says where to look',
    async (name) => {
      const label: Label = (line, facts) => (line === `teams/${name}` ? 'x'.repeat(4_001) : content.label(line, facts));
      await expect(packed({}, label)).rejects.toThrow(/^Teams would not take the app in (sv|en)\. See content check\./);
    },
  );

  it('suggests to write, in Swedish in both languages, what the bot understands as it is meant', async () => {
    const { manifest, strings } = await packed();
    const [{ commandLists }] = manifest.bots;
    const titles = commandLists[0].commands.map(({ title }) => title);
    const { understand } = readUnderstanding();
    expect(titles.map((title) => understand(title))).toMatchObject(
      openings.map((intent) => ({ decision: 'answer', intent })),
    );
    expect(titles.length).toBeLessThanOrEqual(10);
    for (const language of languages) {
      const texts = strings(`${language}.json`);
      expect(titles.map((_, index) => texts[`bots[0].commandLists[0].commands[${index}].title`])).toEqual(titles);
    }
  });

  it('has icons of the sizes that Teams asks for, the small one with transparency', async () => {
    const { files } = await packed();
    const headOf = (name: string) => {
      const bytes = Buffer.from(files[name] ?? []);
      return { kind: bytes.toString('latin1', 1, 4), width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
    };
    expect(headOf('color.png')).toEqual({ kind: 'PNG', width: 192, height: 192 });
    expect(headOf('outline.png')).toEqual({ kind: 'PNG', width: 32, height: 32 });
    // RGBA, which is colour type 6.
    expect(files['outline.png']?.[25]).toBe(6);
  });

  it('is the same, byte for byte, whenever it is made of the same settings', async () => {
    const { bytes } = await packed();
    expect((await packed()).bytes.equals(bytes)).toBe(true);
    // Noon on 1 January 1980, as a zip writes it, and not the time that it is.
    expect([bytes.readUInt16LE(10), bytes.readUInt16LE(12)]).toEqual([0x6000, 0x0021]);
    expect((await packed({ TEAMS_DEVELOPER_NAME: 'En annan' })).bytes.equals(bytes)).toBe(false);
  });
});

describe('the instructions', () => {
  it('say what to register and what to set, with the values of the settings and never the secret', async () => {
    const { page, files } = await packed();
    for (const value of [APP, TENANT, 'SingleTenant', 'https://kortlotsen.example.se/api/messages', '1.2.3'])
      expect(page).toContain(value);
    for (const name of ['MicrosoftAppId', 'MicrosoftAppTenantId', 'MicrosoftAppType', 'MicrosoftAppPassword'])
      expect(page).toContain(name);
    const all = [page, ...Object.values(files).map((file) => Buffer.from(file).toString('latin1'))].join('\n');
    expect(all).not.toContain(environment.MicrosoftAppPassword);
  });

  it('tell it all in order, from registering to where data go', async () => {
    const { page } = await packed();
    expect([...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)).toEqual([
      'Registrera Kortlotsen hos Microsoft',
      'Ställ in Kortlotsen',
      'Ladda upp appen',
      'Bestäm vem som kan använda den',
      'Pröva',
      'Uppdatera',
      'Ta bort',
      'Vart uppgifterna tar vägen',
      'Microsofts egna sidor',
    ]);
    expect(page).toContain('<a href="https://kortlotsen.example.se/records">');
  });

  it('lead to the privacy page of the settings besides our own', async () => {
    const { page } = await packed({ TEAMS_PRIVACY_URL: 'https://annan.example.se/uppgifter?a=1&b="2"' });
    expect(page).toContain('https://kortlotsen.example.se/records');
    expect(page).toMatch(/<a href="https:\/\/annan\.example\.se\/uppgifter\?a=1&amp;b=&quot;2&quot;">/);
  });

  it('need nothing but themselves to be read', async () => {
    const { page } = await packed();
    expect(page.match(/<(script|iframe|link rel="stylesheet")/g)).toBeNull();
    expect([...page.matchAll(/(?:src="|url\()(?!data:)/g)]).toEqual([]);
  });
});

/** The commands as a user runs them: the built program, in a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readSettings } from '../../../src/settings.ts';
import { root } from '../../product.ts';
import { hubSetting } from '../channels/direct-line/client.ts';

type Ran = { code: number | null; out: string; err: string };

function run(args: readonly string[], input = '', environment: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'dist/kortlotsen.js'), ...args], {
      env: { PATH: process.env.PATH, ...environment },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    child.on('close', (code) => {
      resolve({ code, out, err });
    });
    child.stdin.end(input);
  });
}

type Line = {
  said: string | null;
  state: string;
  replies: { text: string; cites: string[] }[];
  requests: { request: string }[];
};

const linesOf = ({ out }: Ran): Line[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const AT = ['--at', '2026-11-23T08:00'];

describe('kortlotsen converse', () => {
  it('leads through a path, answers in between, and goes on with it', async () => {
    const messages = 'jag har slagit fel kod tre gånger\nnär är sös öppet på onsdag?\nnej jag har kastat brevet\n';
    const lines = linesOf(await run(['converse', '--json', ...AT], messages));
    expect(lines.map(({ state }) => state)).toEqual([
      'conversation/listening',
      'pin-trouble/askingHasPuk',
      'pin-trouble/askingHasPuk',
      'pin-trouble/needsCodeLetter',
    ]);
    expect(lines[2]?.replies[0]?.text).toContain('på onsdag 9:30–10:30 och 13:30–15:00');
    expect(lines[3]?.replies[0]?.cites).toContain('R15');
  });

  it.each([
    ['2022-04-20', 'upgrade/askingCardKind'],
    ['2022-05-04', 'upgrade/lastDay'],
    ['2026-11-23', 'upgrade/askingWasUpgraded'],
  ])('says of an upgrade on %s what holds that day', async (day, state) => {
    const lines = linesOf(await run(['converse', '--json', '--at', day], 'kan jag uppgradera mitt kort?\n'));
    expect(lines[1]?.state).toBe(state);
  });

  it('says another thing of a ledger that is down than of one that is slow', async () => {
    const after = async (ledger: string) =>
      linesOf(
        await run(['converse', '--json', '--as', 'active', '--ledger', ledger, ...AT], 'någon har snott kortet\nja\n'),
      );
    const [down, slow] = await Promise.all(['down', 'slow'].map(after));
    expect(down?.map(({ state }) => state)).toContain('lost-card/ledgerIsDown');
    expect(slow?.map(({ state }) => state)).toContain('lost-card/uncertain');
    expect(slow?.at(-1)?.requests.map(({ request }) => request)).toEqual(['ledger.revoke', 'servicedesk.handoff']);
    expect(down?.at(-1)?.requests.map(({ request }) => request)).not.toContain('ledger.revoke');
  });

  it('says word for word the same to a protected person and to one without a card', async () => {
    const messages = 'någon har snott kortet\nkolla mitt kort\nspärra kortet\n';
    const said = async (as: string) =>
      linesOf(await run(['converse', '--json', '--as', as, ...AT], messages)).map(({ replies, state }) => ({
        replies,
        state,
      }));
    const [hidden, none] = await Promise.all(['protected', 'no-card'].map(said));
    expect(hidden).toEqual(none);
  });

  it('names a contact only if the settings give one', async () => {
    const said = async (environment: Record<string, string>) =>
      (await run(['converse', '--json', ...AT], 'hur når jag servicedesk\n', environment)).out;
    expect(await said({})).not.toMatch(/\(08/);
    expect(await said({ KORTLOTSEN_SERVICEDESK: '08-000 00 00' })).toContain('servicedesk (08-000 00 00)');
  });

  it.each([
    [['converse', '--at', 'igår'], /2026-11-23T08:00/],
    [['converse', '--as', 'nobody'], /no-card/],
    [['converse', '--ledger', 'broken'], /up, down, slow/],
    [['nonsense'], /unknown command/],
  ])('says what to do about %j', async (args, remedy) => {
    const { code, err } = await run(args);
    expect(code).toBe(1);
    expect(err).toMatch(remedy);
  });

  it('does not start on broken settings, and says all that is wrong with them', async () => {
    const { code, out, err } = await run(['converse'], '', { KORTLOTSEN_SERVICEDESK: '', KORTLOTSEN_IT_PORTAL: '<b>' });
    expect({ code, out }).toEqual({ code: 10, out: '' });
    expect(err).toMatch(/KORTLOTSEN_SERVICEDESK[^]*KORTLOTSEN_IT_PORTAL/);
  });
});

describe('kortlotsen understand', () => {
  it('prints one object a line, with the fields of its contract', async () => {
    const { out } = await run(['understand'], 'någon har snott kortet\n\nvad blir det för mat\n');
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ text, intent, decision }) => [text, intent, decision])).toEqual([
      ['någon har snott kortet', 'lost-card', 'answer'],
      ['', expect.anything(), 'fallback'],
      ['vad blir det för mat', 'out-of-scope', 'fallback'],
    ]);
    expect(Object.keys(lines[0] ?? {})).toEqual(['text', 'intent', 'decision', 'candidates']);
  });

  it('explains itself when asked to', async () => {
    const { out } = await run(['understand', '--explain'], 'fått leg men inga siffror från telia\n');
    expect(JSON.parse(out)).toMatchObject({
      because: { guidance: expect.arrayContaining([expect.objectContaining({ rule: 'R31' })]) },
    });
  });
});

describe('kortlotsen direct-line hub', () => {
  it('gives a secret once, and the setting that takes it', async () => {
    const { code, out } = await run(['direct-line', 'hub', 'skolan', '--origin', 'https://a.se', 'https://b.se']);
    expect(code).toBe(0);
    const secret = /shown once: (\S{43})$/m.exec(out)?.[1] ?? '';
    const setting = /Add to DIRECT_LINE_HUBS.*: (\S+)$/m.exec(out)?.[1];
    expect(setting).toBe(hubSetting('skolan', secret, ['https://a.se', 'https://b.se']));
    expect(readSettings({ DIRECT_LINE_HUBS: setting }).hubs).toMatchObject([
      { name: 'skolan', origins: ['https://a.se', 'https://b.se'] },
    ]);
  });

  it.each([[['Skolan']], [['skolan', '--origin', 'https://a.se/chatt']], [['skolan', '--origin', '*']]])(
    'gives none that could not be set, %j',
    async (asked) => {
      const { code, out, err } = await run(['direct-line', 'hub', ...asked]);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^Write the name in small letters and digits/);
    },
  );
});

describe('kortlotsen teams package', () => {
  const settings = {
    MicrosoftAppId: '7c1f9a52-6f0e-4c3e-9f0a-5a1b2c3d4e5f',
    MicrosoftAppTenantId: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
    KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se',
    TEAMS_DEVELOPER_NAME: 'Regionen',
    TEAMS_DEVELOPER_URL: 'https://region.example.se',
    TEAMS_TERMS_URL: 'https://region.example.se/villkor',
  };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'teams-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('writes the app and its instructions, of the version of the product, and says where they are', async () => {
    const out = join(folder, 'new/folder');
    const ran = await run(['teams', 'package', '--out', out], '', settings);
    const [page, zip] = ['kortlotsen-teams.html', 'kortlotsen-teams.zip'].map((name) => join(out, name));
    expect(ran).toEqual({ code: 0, out: `Written:\n  ${zip ?? ''}\n  ${page ?? ''}\n`, err: '' });
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await readFile(page ?? '', 'utf8')).toContain(`<dd>${version}</dd>`);
  });

  it('writes nothing of settings that Teams would not take, and says all that is wrong with them', async () => {
    const wrong = { ...settings, KORTLOTSEN_PUBLIC_URL: 'https://localhost:3978', TEAMS_TERMS_URL: 'http://a.se' };
    const { code, out, err } = await run(['teams', 'package', '--out', folder], '', wrong);
    expect({ code, out }).toEqual({ code: 10, out: '' });
    expect(err).toMatch(/KORTLOTSEN_PUBLIC_URL cannot be reached[^]*TEAMS_TERMS_URL is not https/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is told of by --help', async () => {
    const { code, out } = await run(['teams', 'package', '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/--out <folder>/);
  });
});

/**
 * The README is followed word for word: every command of its fenced blocks and
 * of its table, in the order they are written, by a shell, in a folder of its
 * own that has the built product.
 *
 * What a tour says is printed has to be: in each paragraph below a block of the
 * tour, what stands in `code` is looked for in what the block has printed, and
 * “press Ctrl+C” is done.
 *
 * Two things are otherwise than for a reader. `npm` and `npx` are little
 * scripts that run what package.json says without building or looking anything
 * up; and port 3978 is one that is free.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createDatabase } from './database/database.ts';
import { root } from './product.ts';
import { freePort } from './serving.ts';
import { life, newOwned } from './src/ledger/lives.ts';
import { keepWritten } from './written.ts';

/**
 * How a command is run, where its words are not all. A word in capitals, as NAME, stands for something: `stands` says
 * what. `ends` are its exit codes, 0 if nothing is said. One that is not run says why in `notRun`: then only the script,
 * the files and the options that it names have to be there.
 */
type How = {
  input?: string;
  stands?: Record<string, string>;
  files?: Record<string, string>;
  environment?: () => Promise<Record<string, string>> | Record<string, string>;
  ends?: readonly number[];
  prints?: RegExp | undefined;
  serves?: true;
  notRun?: string;
};

/** The commands that the README names, by their first words: the longest that fit. */
const table: Record<string, How> = {
  curl: {},
  echo: {},
  printf: {},
  sed: {},
  'kortlotsen serve': { serves: true },
  'kortlotsen converse': { input: 'jag har tappat kortet\n', prints: /Är kortet borta, eller har du glömt det hemma/ },
  'kortlotsen understand': { input: 'jag har tappat kortet\n', prints: /"intent":"lost-card"/ },
  'kortlotsen content check': { prints: /^Allt är i sin ordning/ },
  'kortlotsen content diff': {
    stands: { 'NEW-GUIDANCE': 'page.txt' },
    files: { 'page.txt': 'Var noga med att förnya ditt eTjänstekort minst 10 veckor innan det går ut.\n' },
    // Something has changed.
    ends: [1],
    prints: /R17/,
  },
  'kortlotsen content age': { prints: /R42/ },
  'kortlotsen content replay': { stands: { NEW: 'content' }, prints: /Inget besvaras annorlunda/ },
  'kortlotsen content reload': {
    environment: async () => ({ DATABASE_URL: await createDatabase('empty') }),
    // Nobody serves there.
    ends: [1],
    prints: /^Ingen process är igång/,
  },
  'kortlotsen switch list': {},
  'kortlotsen switch off': { stands: { PATH: 'sos-office', NAME: 'drift', TEXT: 'prov' } },
  'kortlotsen switch on': { stands: { PATH: 'sos-office', NAME: 'drift', TEXT: 'prov' } },
  'kortlotsen switch log': {},
  'kortlotsen contact-page': { stands: { FILE: 'contact.html' } },
  'kortlotsen ledger verify': { prints: /^The chain is whole/ },
  'kortlotsen ledger export': { prints: /"hash":/ },
  'kortlotsen ledger record': {
    files: { happenings: `${JSON.stringify(life(newOwned())[0])}\n` },
    prints: /^1 happenings were recorded/,
  },
  'kortlotsen ledger serve': { serves: true },
  'kortlotsen ledger client': { stands: { NAME: 'skolan' }, prints: /shown once: \S{43}/ },
  'kortlotsen servicedesk audit': { stands: { DAY: '2026-11-23' } },
  'kortlotsen servicedesk lessons': {},
  'kortlotsen teams package': {
    stands: { FOLDER: 'teams' },
    environment: () => ({
      MicrosoftAppId: '7c1f9a52-6f0e-4c3e-9f0a-5a1b2c3d4e5f',
      MicrosoftAppTenantId: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
      KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se',
      TEAMS_DEVELOPER_NAME: 'Regionen',
      TEAMS_DEVELOPER_URL: 'https://region.example.se/kort',
      TEAMS_TERMS_URL: 'https://region.example.se/villkor',
    }),
    prints: /kortlotsen-teams\.zip/,
  },
  'kortlotsen privacy export': { stands: { IDENTIFIER: 'active' }, prints: /^\{/ },
  'kortlotsen privacy forget': { stands: { IDENTIFIER: 'active' }, prints: /^\{/ },
  'kortlotsen diagram': {},
  'kortlotsen settings': {},
  'kortlotsen backup': { stands: { FOLDER: 'backup' } },
  'kortlotsen restore': {
    stands: { FOLDER: 'backup' },
    environment: async () => ({ DATABASE_URL: await createDatabase('empty') }),
  },
  'npm start': { serves: true },
  'npm ci': { notRun: 'it would install anew beneath every other test' },
  'npm cit': { notRun: 'it is what runs this test' },
  'npm run evaluate': { notRun: 'it takes minutes' },
  'npx jest': { notRun: 'it is for a ledger that is somewhere else' },
};

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

/** In milliseconds: some thirty programs are started, on a machine that others may be busy on. */
const PATIENCE = 240_000;

describe('the README', () => {
  let home: string;
  let port: number;
  let database: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    home = copyProduct();
    [port, database] = await Promise.all([freePort(), createDatabase()]);
  });
  afterAll(async () => {
    await stopAll();
    rmSync(home, { recursive: true, force: true });
  });

  /** A reader who presses Ctrl+C where a server runs. */
  async function stopAll(): Promise<void> {
    const codes = await Promise.all(servers.splice(0).map((server) => server.stop()));
    expect(codes).toEqual(codes.map(() => 0));
  }

  const portsOf = (text: string) => text.replaceAll(`:${port}`, ':3978');
  const portsIn = (text: string) => text.replaceAll(':3978', `:${port}`);

  /** Runs one line of shell, and gives what it has printed; of a server, until it is there. */
  async function follow(line: string, environment: Record<string, string>): Promise<string> {
    const how = howOf(line);
    if (how.notRun !== undefined) {
      expect(await missingIn(line, home)).toEqual([]);
      return '';
    }
    for (const [name, text] of Object.entries(how.files ?? {})) writeFileSync(join(home, name), text);
    const stands = Object.entries(how.stands ?? {});
    const words = stands.reduce((told, [name, value]) => told.replaceAll(name, value), line);
    const [unknown] = /(?<= )[A-Z]+(?:[-_][A-Z]+)*(?= |$)/.exec(words) ?? [];
    if (unknown !== undefined) throw new Error(`Say in the table above what ${unknown} stands for in: ${line}`);
    const command = portsIn(how.serves ? `exec ${words}` : words);
    const started = startShell(command, home, { ...environment, ...(await how.environment?.()) });
    if (how.serves) {
      const server = await started.served();
      servers.push(server);
      return portsOf(server.told);
    }
    const { code, told } = await started.ended(how.input ?? '');
    expect({ line, told, isRight: (how.ends ?? [0]).includes(code ?? -1) }).toEqual({ line, told, isRight: true });
    if (how.prints) expect(told).toMatch(how.prints);
    return portsOf(told);
  }

  it('says of every command how it is run here', () => {
    const unknown = [...linesOf(readme), ...rowsOf(readme)].filter((line) => howOf(line, undefined) === undefined);
    expect(unknown.map((line) => `say in the table of this test how it is to be run: ${line}`)).toEqual([]);
    expect(rowsOf(readme).length).toBeGreaterThan(20);
  });

  it(
    'has a tour that shows what it says',
    async () => {
      const steps = tourIn(readme);
      expect(steps.length).toBeGreaterThan(5);
      for (const { lines, says, isStopped } of steps) {
        const environment = { KORTLOTSEN_DATA: join(home, 'data'), PORT: String(port) };
        let told = '';
        for (const line of lines) told += await follow(line, environment);
        for (const said of says) expect(told).toContain(said);
        if (isStopped) await stopAll();
      }
      await stopAll();
    },
    PATIENCE,
  );

  it(
    'names commands that do what it says, in its other blocks and its table',
    async () => {
      const inTour = new Set(tourIn(readme).flatMap(({ lines }) => lines));
      const lines = [...new Set([...linesOf(readme), ...rowsOf(readme)])].filter((line) => !inTour.has(line));
      const environment = { DATABASE_URL: database, PORT: '0' };
      const serving = lines.filter((line) => howOf(line).serves);
      const served = Promise.all(serving.map((line) => follow(line, environment)));
      try {
        for (const line of lines) if (!serving.includes(line)) await follow(line, environment);
      } finally {
        await served;
        await stopAll();
      }
    },
    PATIENCE,
  );
});

describe('the other documents', () => {
  const documents = ['content', 'dialogs', 'src']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
        .map((entry) => join(relative(root, entry.parentPath), entry.name)),
    )
    .sort();

  it(
    'name commands and options that there are',
    async () => {
      const commands = documents.flatMap((file) =>
        linesOf(readFileSync(join(root, file), 'utf8'), 'any')
          .filter((line) => /(?:^|[|&;$] *|npx |bin\/)kortlotsen /.test(line))
          .map((line) => ({ file, line })),
      );
      expect(commands.length).toBeGreaterThan(4);
      const wrong = [];
      for (const { file, line } of commands)
        wrong.push(...(await missingIn(line, root)).map((what) => `${file}: ${what}`));
      expect(wrong).toEqual([]);
    },
    PATIENCE,
  );
});

/** What a line names and there is not: a script of npm, a file of tests, a command or an option of ours. */
async function missingIn(line: string, home: string): Promise<string[]> {
  const run = /^npm run (\S+)/.exec(line)?.[1] ?? { 'npm start': 'start', 'npm cit': 'test' }[line];
  if (run !== undefined) {
    const script = scripts[run];
    if (script === undefined) return [`npm run ${run}`];
    const ours = /node dist\/kortlotsen\.js (.*)/.exec(script)?.[1];
    return ours === undefined ? [] : missingIn(`kortlotsen ${ours}`, home);
  }
  const [, tests] = /npx jest (\S+)/.exec(line) ?? [];
  if (tests !== undefined)
    return existsSync(join(root, tests)) || existsSync(join(root, `${tests}.test.ts`)) ? [] : [tests];
  const [, written] = /kortlotsen (.*?)(?: *[|<>&;].*)?$/.exec(line) ?? [];
  if (written === undefined) return [];
  const words = written.replace(/[[\]]/g, '').split(' ');
  const options = words.filter((word) => word.startsWith('-'));
  const name = words.slice(
    0,
    [...words, '-'].findIndex((word) => word.startsWith('-')),
  );
  const help = await helpOf(name);
  // Of a command that there is none of, the one above it is told.
  const usage = /^Usage: kortlotsen (?<command>(?:[a-z-]+ )*)\[options\](?<more> \[command\])?/m.exec(help);
  const command = usage?.groups?.command?.trim() ?? '';
  if (!usage || usage.groups?.more !== undefined || !name.join(' ').startsWith(command)) return [name.join(' ')];
  return options.filter((option) => !new RegExp(`^  (?:-\\w, )?${option}(?: |$)`, 'm').test(help));
}

const helps = new Map<string, Promise<string>>();

/** What the built program says of a command of its own. */
function helpOf(command: readonly string[]): Promise<string> {
  const key = command.join(' ');
  const known =
    helps.get(key) ??
    startShell(`node dist/kortlotsen.js ${key} --help`, root, {})
      .ended('')
      .then(({ told }) => told);
  helps.set(key, known);
  return known;
}

function howOf(line: string): How;
function howOf(line: string, otherwise: undefined): How | undefined;
function howOf(line: string): How | undefined {
  const words = line
    .replace(/^.*\| *(?=npx )/, '')
    .replace(/^(?:[A-Z_]+=\S+ )+/, '')
    .replace(/^npx (?=kortlotsen )/, '');
  const [name] = Object.keys(table)
    .filter((each) => words === each || words.startsWith(`${each} `))
    .sort((one, other) => other.length - one.length);
  const how = name === undefined ? undefined : table[name];
  // What is piped into it is its input, and has an answer of its own.
  return how && line.includes('|') ? { ...how, input: '', prints: undefined } : how;
}

/** The commands of fenced blocks: those that are said to be of no other language, or any. */
function linesOf(markdown: string, which?: 'any'): string[] {
  return [...markdown.matchAll(/^```(?<language>\w*)\n(?<body>[^]*?)^```$/gm)].flatMap(({ groups = {} }) =>
    which === 'any' || ['', 'sh', 'bash'].includes(groups.language ?? '') ? commandsIn(groups.body ?? '') : [],
  );
}

/** A line a command, and a command on each side of &&; without what is said of it. */
const commandsIn = (block: string): string[] =>
  block
    .split('\n')
    .flatMap((line) => line.replace(/\s+#\s.*$/, '').split(' && '))
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The commands of the table. What stands in brackets may be left out, and is tried both ways. */
function rowsOf(markdown: string): string[] {
  const [, rows = ''] = /^\| command +\|.*\n\|[ -|]*\n((?:\|.*\n)+)/m.exec(markdown) ?? [];
  return rows
    .split('\n')
    .flatMap((row) => [...(row.split(/(?<!\\)\|/)[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, command = '']) => command))
    .flatMap((command) =>
      command.includes('[') ? [command.replace(/ \[[^\]]*\]/g, ''), command.replace(/[[\]]/g, '')] : [command],
    );
}

type Step = { lines: string[]; says: string[]; isStopped: boolean };

/** Each block of the tour, with what the paragraphs below it say is printed. */
function tourIn(markdown: string): Step[] {
  const [, tour = ''] = /^## A tour\n([^]*?)^## /m.exec(markdown) ?? [];
  return [...tour.matchAll(/^```\n(?<block>[^]*?)^```\n(?<text>[^]*?)(?=^```|$(?![^]))/gm)].map(({ groups = {} }) => ({
    lines: commandsIn(groups.block ?? ''),
    says: [...(groups.text ?? '').matchAll(/`([^`]+)`/g)]
      .map(([, said = '']) => said)
      .filter((said) => said !== 'content/'),
    isStopped: (groups.text ?? '').replace(/\s+/g, ' ').includes('press Ctrl+C'),
  }));
}

type Server = { told: string; stop: () => Promise<number | null> };

/** A line of shell, with nothing of our own environment but where programs are. */
function startShell(line: string, cwd: string, environment: Record<string, string>) {
  const path = [join(cwd, 'bin'), process.env.PATH].join(delimiter);
  const child: ChildProcess = spawn('/bin/sh', ['-c', line], {
    cwd,
    env: { LOG_LEVEL: 'silent', HOME: cwd, ...environment, PATH: path },
    stdio: 'pipe',
    // Ctrl+C reaches all of a line, as it does in a terminal.
    detached: true,
  });
  let told = '';
  let heard: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      heard();
    });
  }
  const closed = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  return {
    async ended(input: string) {
      child.stdin?.on('error', () => undefined).end(input);
      return { code: await closed, told };
    },
    async served(): Promise<Server> {
      const ready = new Promise<void>((resolve) => {
        heard = () => {
          if (told.includes('Kortlotsen is at')) resolve();
        };
      });
      await Promise.race([
        ready,
        closed.then((code) => Promise.reject(new Error(`${line} ended with ${code}: ${told}`))),
      ]);
      return {
        told,
        async stop() {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
          return closed.finally(() => {
            keepWritten('errors')(told);
          });
        },
      };
    },
  };
}

/** What a clone has after a build, in a folder where commands may write; what they only read is linked. */
function copyProduct(): string {
  const home = mkdtempSync(join(tmpdir(), 'readme-'));
  // The account that PostgreSQL runs as, when the tests are run by root, has to reach it.
  chmodSync(home, 0o755);
  const isNeeded = (path: string) => !/\.map$|\/dist\/(?:bench.*|evaluation\.html)$/.test(path);
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true, filter: isNeeded });
  cpSync(join(root, 'content'), join(home, 'content'), { recursive: true });
  for (const name of ['src', 'dialogs', 'node_modules', 'package.json', 'README.md'])
    symlinkSync(join(root, name), join(home, name));
  const scriptsOf = {
    npx: `[ "$1" = kortlotsen ] || { echo "npx $1 is not what this test runs" >&2; exit 127; }\nshift\nexec node '${home}/dist/kortlotsen.js' "$@"`,
    npm: `[ "$1" = start ] || { echo "npm $1 is not what this test runs" >&2; exit 127; }\nexec ${scripts.start ?? 'false'}`,
  };
  // Not every machine that tests has it.
  const hasCurl = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'curl')));
  const curl = `exec node -e 'fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)' "$1"`;
  mkdirSync(join(home, 'bin'));
  for (const [name, text] of Object.entries({ ...scriptsOf, ...(!hasCurl && { curl }) }))
    writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return home;
}

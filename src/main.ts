#!/usr/bin/env node
/**
 * The composition root: every part is made and joined here. Nothing else reads
 * the environment, the arguments or the clock.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { lines } from '../dialogs/chart.ts';
import { intents } from '../dialogs/intents.ts';
import { createCalendar, timeOf } from './calendar.ts';
import { consoleLabels, converseInJson, converseInText } from './channels/console.ts';
import { reportLabels } from './cli/evaluation-report.ts';
import { runContentCheck } from './cli/content-check.ts';
import { teamsLabels, teamsLimits } from './cli/teams-package-texts.ts';
import { understandLines } from './cli/understand.ts';
import { type Content, createContent, programLines, visitLabels } from './content.ts';
import { readingOf } from './content-file.ts';
import type { Expected } from './content-check.ts';
import { createConversations } from './conversations/conversations.ts';
import { createMemoryStore } from './conversations/memory-store.ts';
import { type DemonstrationName, demonstrationNames } from './ledger/demonstration-holders.ts';
import { createDemonstrationLedger } from './ledger/demonstration-ledger.ts';
import { inCondition, type LedgerCondition, withDeadline } from './ledger/faults.ts';
import { privacyLabels } from './privacy/records.ts';
import type { Service, ServiceWorld } from './cli/serve.ts';
import { createDeskHours, type Hours } from './servicedesk/hours.ts';
import { sessionLabels } from './servicedesk/sessions.ts';
import { Hub, readPackageSettings, readSettings, type Settings, type Variables, withSecrets } from './settings.ts';
import type { Database } from './storage/database.ts';
import { StartupProblem } from './startup-problem.ts';
import { modelFor } from './understanding/model-file.ts';
import { createUnderstanding, lessonsOf, type Understanding } from './understanding/understanding.ts';
import { accessibilityLabels } from './web/accessibility.tsx';
import { chatLabels } from './web/chat/texts.ts';
import { embeddingLabels } from './web/embedding.ts';
import { channelCardLabels } from './servicedesk/channel-cards.ts';
import { deskLabels, figureLabels, lessonLabels, plainPageLabels } from './servicedesk/labels.ts';
import { servicedeskLabels } from './servicedesk/texts.ts';
import { signInLabels, stockPageLabels } from './web/labels.ts';
import { receiptLabels } from './web/receipt.ts';
import { type ContactDetails, factNames } from './wording.ts';

const CONTENT = join(import.meta.dirname, '../content');
const MODEL = join(import.meta.dirname, '../dist/model.bin');
const READING = join(import.meta.dirname, '../dist/content.bin');
const SCRIPTS = join(import.meta.dirname, '../dist/web');
const SOURCES = join(import.meta.dirname, '../src');
const PRODUCT = join(import.meta.dirname, '../package.json');
const LEDGER_MIGRATIONS = { folder: join(SOURCES, 'ledger/migrations'), table: 'ledger_migrations' };
const MIGRATIONS = [{ folder: join(SOURCES, 'storage/migrations'), table: 'migrations' }, LEDGER_MIGRATIONS];

/** How long the terminal waits for its ledger, in milliseconds; short, since both are in one process. */
const LEDGER_DEADLINE = 1_000;

/** What the dialogs, the program and the terminal need of the content. */
const expected: Expected = {
  lines: new Set([...lines(), ...programLines]),
  labels: new Set([
    ...consoleLabels,
    ...reportLabels,
    ...chatLabels,
    ...accessibilityLabels,
    ...stockPageLabels,
    ...signInLabels,
    ...sessionLabels,
    ...receiptLabels,
    ...visitLabels,
    ...embeddingLabels,
    ...deskLabels,
    ...channelCardLabels,
    ...plainPageLabels,
    ...lessonLabels,
    ...figureLabels,
    ...servicedeskLabels,
    ...privacyLabels,
    ...teamsLabels,
  ]),
  teamsLimits,
  intents,
  facts: new Set(factNames),
};

const program = new Command('kortlotsen')
  .description('Leads students in healthcare education to the right path for their eTjänstekort.')
  .showHelpAfterError();

const AT = 'the time it is said to be, for trying; without an offset, Swedish time';

program
  .command('serve')
  .description('serve students in the web chat and in Teams')
  .option('--at <time>', AT, parseTime)
  .action(async ({ at }: { at?: Date }) => {
    const settings = readSettings(environment());
    const { serve } = await import('./cli/serve.ts');
    await runService(settings, at, (world) =>
      serve({ ...world, understanding: loadUnderstanding(world.content), migrations: MIGRATIONS }),
    );
  });

/** Runs until it is asked to stop. */
async function runService(
  settings: Settings,
  at: Date | undefined,
  start: (world: Omit<ServiceWorld, 'understanding' | 'migrations'>) => Promise<Service>,
): Promise<void> {
  if (at && settings.isProduction)
    throw new StartupProblem('settingsAreWrong', 'In production it is the time it is; leave --at out.');
  const { createLog } = await import('./log.ts');
  const content = loadContent(settings.contacts);
  const log = createLog(settings.logLevel);
  const service = await start({ settings, content, now: () => at ?? new Date(), log, scripts: SCRIPTS });
  const asked = stopAsked();
  const data = service.dataFolder ? ` Its data are in ${service.dataFolder}.` : '';
  process.stderr.write(`Kortlotsen is at ${service.origin}.${data} Stop it with Ctrl+C.\n`);
  await asked;
  await service.stop();
}

/** Asked once, it stops when it is done; asked again, at once. */
function stopAsked(): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  return new Promise((resolve) => {
    const hear = () => {
      for (const signal of signals) process.off(signal, hear);
      resolve();
    };
    for (const signal of signals) process.on(signal, hear);
  });
}

/** Nobody is at the other end of a terminal, so unless hours are to be tried a case is kept, and the bot goes on. */
const NEVER_OPEN: Hours = { spans: [], closedDays: [] };

type ConverseOptions = { json?: true; at?: Date; as?: DemonstrationName; ledger: LedgerCondition };

program
  .command('converse')
  .description('chat in the terminal')
  .option('--json', 'one message a line in, one JSON object a line out')
  .option('--at <time>', 'the time it is said to be; without an offset, Swedish time', parseTime)
  .addOption(new Option('--as <holder>', 'a demonstration holder, proved already').choices(demonstrationNames))
  .addOption(new Option('--ledger <condition>', 'how the card ledger is').choices(['up', 'down', 'slow']).default('up'))
  .action(async ({ json, at, as, ledger: condition }: ConverseOptions) => {
    const now = () => at ?? new Date();
    const { contacts, hasColour, proofLasts, servicedesk } = readSettings(environment());
    const content = loadContent(contacts);
    const { ledger: demonstration, personOf } = createDemonstrationLedger(now);
    const ledger = inCondition(demonstration, condition, LEDGER_DEADLINE);
    const person = as && personOf(as);
    const conversations = createConversations({
      content,
      understanding: loadUnderstanding(content),
      calendar: createCalendar(content.offices),
      ledger: withDeadline(ledger, LEDGER_DEADLINE),
      store: createMemoryStore(),
      proving: { way: 'known', person },
      proofLasts,
      servicedesk: servicedesk && createDeskHours(servicedesk.hours ?? NEVER_OPEN),
      now,
      onTurn: () => undefined,
      onMistake: (mistake) => process.stderr.write(`${mistake instanceof Error ? mistake.stack : 'A mistake'}\n`),
    });
    const terminal = { input: process.stdin, output: process.stdout, hasColour };
    const chat = { conversations, content, id: randomUUID(), person };
    await (json ? converseInJson(terminal, chat) : converseInText(terminal, chat));
  });

program
  .command('understand')
  .description('one utterance a line in, what it is understood as out')
  .option('--explain', 'say which examples, pieces of words and guidance spoke for it')
  .action(async ({ explain }: { explain?: true }) => {
    await understandLines(loadUnderstanding(loadContent()), process.stdin, process.stdout, explain ?? false);
  });

type EvaluateOptions = { folds: number; rounds: number; blind?: string; out: string };

program
  .command('evaluate')
  .description('measure how well texts are understood that were not trained on')
  .option('--folds <count>', 'in how many parts the examples are put', atLeast(2), 5)
  .option('--rounds <count>', 'how many times they are put so anew', atLeast(1), 2)
  .option('--blind <folder>', 'a folder of texts that nobody trained on, measured too')
  .option('--out <file>', 'where the report is written', 'dist/evaluation.html')
  .action(async ({ folds, rounds, blind, out }: EvaluateOptions) => {
    const { evaluate } = await import('./cli/evaluate.ts');
    const content = loadContent();
    const terminal = { output: process.stdout, progress: process.stderr };
    evaluate(content, loadUnderstanding(content), { folds, rounds, blind, out }, terminal);
  });

program
  .command('diagram')
  .description('draw the statechart as an SVG')
  .option('--out <file>', 'write it there, and not to standard output')
  .action(async ({ out }: { out?: string }) => {
    const { drawDiagram } = await import('./cli/diagram.ts');
    const svg = await drawDiagram();
    if (out) await writeFile(out, svg);
    else process.stdout.write(svg);
  });

program
  .command('content')
  .description('the Swedish, and what is wrong in it')
  .command('check')
  .description('find every mistake in content/, and say in Swedish what to do')
  .action(() => {
    process.exitCode = runContentCheck(CONTENT, expected, (text) => process.stdout.write(text));
  });

const ledger = program.command('ledger').description('the card ledger: its chain of events, and its API');

ledger
  .command('serve')
  .description('serve the ledger alone, for an assistant on another host')
  .option('--at <time>', AT, parseTime)
  .action(async ({ at }: { at?: Date }) => {
    const settings = readSettings(environment(), 'ledger');
    const { serveLedger } = await import('./cli/serve-ledger.ts');
    await runService(settings, at, (world) => serveLedger({ ...world, migrations: [LEDGER_MIGRATIONS] }));
  });

ledger
  .command('verify')
  .description('recompute the whole chain, and name the first event that does not fit')
  .option('--file <file>', 'verify what was exported, and not the database')
  .option('--expect <head>', 'POSITION:HASH as it was printed before: without it a cut-off end cannot be seen')
  .action(async ({ file, expect: written }: { file?: string; expect?: string }) => {
    const { headOf, verifyLedger } = await import('./cli/ledger.ts');
    const expect = written === undefined ? undefined : headOf(written);
    if (written !== undefined && !expect) throw new Error('Write a head as ledger verify prints it, POSITION:HASH.');
    const terminal = { write: tellOut, progress: process.stderr };
    process.exitCode = file
      ? await verifyLedger({ file }, expect, terminal)
      : await withDatabase('ledger', (database) => verifyLedger({ database }, expect, terminal));
  });

ledger
  .command('export')
  .description('every event as a line of canonical JSON with its hash, on standard output')
  .action(async () => {
    const { exportLedger } = await import('./cli/ledger.ts');
    await withDatabase('ledger', (database) => exportLedger(database, tellOut));
  });

ledger
  .command('record')
  .description('record what has happened: one happening a line on standard input, as JSON; all of it, or nothing')
  .option('--client <name>', 'who says so', 'import')
  .action(async ({ client }: { client: string }) => {
    const { recordHappenings } = await import('./cli/ledger.ts');
    const lines = createInterface({ input: process.stdin });
    process.exitCode = await withDatabase('ledger', async (database, settings) => {
      const { openLedger } = await import('./cli/ledger-parts.ts');
      const world = { database, settings, now: () => new Date(), scripts: SCRIPTS, onMistake: () => undefined };
      const { registry } = await openLedger(world);
      return recordHappenings(registry, lines, client, tellOut);
    });
  });

ledger
  .command('client <name>')
  .description('a new secret for somebody who is to use the API, and what to set for them')
  .option('--scopes <scopes...>', 'what they may do', ['cards:read', 'cards:revoke'])
  .action((name: string, { scopes }: { scopes: string[] }) => {
    const { secret, secretHash } = newSecret();
    tellSecret(secret, 'LEDGER_CLIENTS', `${name}:${secretHash}:${scopes.join('+')}`);
  });

program
  .command('direct-line')
  .description('the web chat’s protocol, for chats on other servers')
  .command('hub <name>')
  .description('a new secret for a server that is to begin conversations, and what to set for it')
  .option('--origin <origins...>', 'the pages that may use its conversations, as https://example.se', [])
  .action((name: string, { origin: origins }: { origin: string[] }) => {
    const { secret, secretHash } = newSecret();
    if (!Hub.safeParse({ name, secretHash, origins }).success)
      throw new Error('Write the name in small letters and digits, and each origin as https://example.se.');
    tellSecret(
      secret,
      'DIRECT_LINE_HUBS',
      [name, secretHash, ...(origins.length > 0 ? [origins.join('+')] : [])].join(':'),
    );
  });

const servicedesk = program.command('servicedesk').description('what agents and editors do there');

servicedesk
  .command('lessons')
  .description('what editors have decided of texts that were not understood, as examples for the content')
  .action(async () => {
    const { exportLessons } = await import('./servicedesk/lessons.ts');
    const content = loadContent();
    await withDatabase('assistant', async (database) => tellOut(await exportLessons(database, content)));
  });

servicedesk
  .command('audit')
  .description('what they have seen and done of holders’ cards: a step a line, as JSON, on standard output')
  .option('--since <day>', 'from that day on, as 2026-11-23; without it, all there is', parseTime)
  .action(async ({ since }: { since?: Date }) => {
    const { writeAudit } = await import('./cli/servicedesk-audit.ts');
    await withDatabase('assistant', (database) => writeAudit(database, since, tellOut));
  });

program
  .command('teams')
  .description('the app by which students meet it in Teams')
  .command('package')
  .description('write the app, and a page of instructions for whoever administers Teams')
  .option('--out <folder>', 'where both are written', '.')
  .action(async ({ out }: { out: string }) => {
    const settings = readPackageSettings(environment());
    const content = loadContent();
    const { writeTeamsPackage } = await import('./cli/teams-package.ts');
    const version = await readVersion();
    const icons = join(SOURCES, 'cli/teams-package-icons');
    const written = await writeTeamsPackage(out, { settings, content, version, icons });
    await tellOut(`Written:\n${written.map((file) => `  ${file}\n`).join('')}`);
  });

program
  .command('backup')
  .description('write all that must not be lost into a new folder, while others go on serving')
  .requiredOption('--out <folder>', 'where it is written; nothing may be there yet')
  .action(async ({ out }: { out: string }) => {
    const { backUp } = await import('./operations/backup.ts');
    const version = await readVersion();
    const world = { migrations: MIGRATIONS, version, now: () => new Date(), progress: process.stderr };
    const { tables, head } = await withServer(readSettings(environment(), 'command'), (url) =>
      backUp(out, { ...world, url }),
    );
    const rows = tables.reduce((sum, each) => sum + each.rows, 0);
    await tellOut(`${rows} rows of ${tables.length} tables are in ${out}. It holds personal data.\n`);
    if (head) await tellOut(`The ledger’s head is ${head.position}:${head.hash}\n`);
  });

program
  .command('restore <folder>')
  .description('fill an empty database with a backup, and verify the ledger in it')
  .action(async (folder: string) => {
    const [{ restore }, { openDatabase }, { verifyLedger }] = await Promise.all([
      import('./operations/backup.ts'),
      import('./storage/database.ts'),
      import('./cli/ledger.ts'),
    ]);
    await withServer(readSettings(environment(), 'command'), async (url) => {
      const progress = process.stderr;
      const { at, version, tables, head } = await restore(folder, { url, migrations: MIGRATIONS, progress });
      const rows = tables.reduce((sum, each) => sum + each.rows, 0);
      await tellOut(`${rows} rows of ${tables.length} tables are restored, as they were at ${at} in ${version}.\n`);
      if (!head) return;
      // As old as the backup: it is for whoever starts to bring it up to date.
      const database = await openDatabase(url, [], () => undefined);
      process.exitCode = await verifyLedger({ database }, head, { write: tellOut, progress });
      await database.close();
    });
  });

type SettingsOptions = { check?: true; ledger?: true };

program
  .command('settings')
  .description('every setting there is, as Markdown')
  .option('--check', 'say everything that is wrong in the environment instead, and start nothing')
  .option('--ledger', 'as a ledger that is served alone needs them')
  .action(async ({ check, ledger: isLedger }: SettingsOptions) => {
    const { settingsReference, unknownSettings } = await import('./cli/settings.ts');
    if (!check) {
      await tellOut(settingsReference());
      return;
    }
    const unknown = unknownSettings(environment());
    for (const name of unknown) await tellOut(`${name} is no setting; is it misspelled?\n`);
    readSettings(environment(), isLedger ? 'ledger' : 'assistant');
    await tellOut('The settings can be used.\n');
    if (unknown.length > 0) process.exitCode = 1;
  });

const privacy = program.command('privacy').description('what is kept of one person');

privacy
  .command('export <identifier>')
  .description('everything that is kept of whoever the provider of identity calls this, as JSON')
  .action(async (identifier: string) => {
    const { exportPerson } = await import('./privacy/person.ts');
    await withPerson(identifier, async (database, person) => {
      await tellOut(`${JSON.stringify(await exportPerson(database, person), undefined, 2)}\n`);
    });
  });

privacy
  .command('forget <identifier>')
  .description('remove their chats, proofs and links, and say what stays')
  .action(async (identifier: string) => {
    const { forgetPerson } = await import('./privacy/person.ts');
    await withPerson(identifier, async (database, person) => {
      await tellOut(`${JSON.stringify(await forgetPerson(database, person), undefined, 2)}\n`);
    });
  });

program
  .command('train', { hidden: true })
  .description('train the understanding on the content, and keep the model')
  .action(() => {
    loadUnderstanding(loadContent());
  });

/** The database of the assistant or of the ledger alone, up to date, for as long as the work takes. */
async function withDatabase<Result>(
  of: 'assistant' | 'ledger',
  work: (database: Database, settings: Settings) => Promise<Result>,
): Promise<Result> {
  const settings = readSettings(environment(), 'command');
  const { openDatabase } = await import('./storage/database.ts');
  return withServer(settings, async (url) => {
    const migrations = of === 'ledger' ? [LEDGER_MIGRATIONS] : MIGRATIONS;
    const database = await openDatabase(url, migrations, () => undefined);
    try {
      return await work(database, settings);
    } finally {
      await database.close();
    }
  });
}

/** Where the database is, as it is, for as long as the work takes. */
async function withServer<Result>(
  { databaseUrl, dataFolder }: Settings,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  if (databaseUrl !== undefined) return work(databaseUrl);
  const { startEmbeddedPostgres } = await import('./storage/embedded-postgres.ts');
  const embedded = await startEmbeddedPostgres(dataFolder);
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
}

/** A person of the ledger that the settings say, by what the provider of identity calls them. */
async function withPerson(
  identifier: string,
  work: (database: Database, person: string) => Promise<void>,
): Promise<void> {
  await withDatabase('assistant', async (database, settings) => {
    const { openLedger } = await import('./cli/ledger-parts.ts');
    const world = { database, settings, now: () => new Date(), scripts: SCRIPTS, onMistake: () => undefined };
    const { port } = await openLedger(world);
    const answer = await port.holderFor(identifier);
    if (answer.outcome !== 'found') throw new Error('The ledger does not answer; try again when it does.');
    await work(database, answer.holder);
  });
}

const readVersion = async (): Promise<string> =>
  z.object({ version: z.string() }).parse(JSON.parse(await readFile(PRODUCT, 'utf8'))).version;

/** The environment, with the secrets that are in files. */
const environment = (): Variables =>
  withSecrets(process.env, (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  });

function newSecret(): { secret: string; secretHash: string } {
  const secret = randomBytes(32).toString('base64url');
  return { secret, secretHash: createHash('sha256').update(secret).digest('hex') };
}

function tellSecret(secret: string, variable: string, setting: string): void {
  process.stdout.write(
    `Their secret, which is not kept and is shown once: ${secret}\n` +
      `Add to ${variable}, after a comma if there are others: ${setting}\n`,
  );
}

const tellOut = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (problem) => {
      if (problem) reject(problem);
      else resolve();
    });
  });

function parseTime(written: string): Date {
  const time = timeOf(written);
  if (!time) throw new InvalidArgumentError('Write a time as 2026-11-23T08:00.');
  return time;
}

function atLeast(least: number): (written: string) => number {
  return (written) => {
    const count = Number(written);
    if (!Number.isInteger(count) || count < least)
      throw new InvalidArgumentError(`Write a whole number from ${least}.`);
    return count;
  };
}

/** Content that cannot be spoken stops the start, with everything that is wrong in it. */
function loadContent(contacts: ContactDetails = {}): Content {
  const { reading, problems } = readingOf(READING, CONTENT);
  const missing = [...expected.lines, ...expected.labels].filter((line) => !reading.lines.has(line));
  if (problems.length + missing.length > 0) {
    runContentCheck(CONTENT, expected, (text) => process.stderr.write(text));
    throw new Error('The content cannot be used. Mend it as said above.');
  }
  return createContent(reading, contacts);
}

function loadUnderstanding(content: Content): Understanding {
  const tell = () => process.stderr.write(`${content.label('terminal/training')}\n`);
  return createUnderstanding(content, modelFor(MODEL, lessonsOf(content), tell));
}

try {
  await program.parseAsync();
} catch (mistake) {
  process.stderr.write(`${mistake instanceof Error ? mistake.message : String(mistake)}\n`);
  process.exitCode = mistake instanceof StartupProblem ? mistake.exitCode : 1;
}

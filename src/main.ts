#!/usr/bin/env node
/**
 * The composition root: every part is made and joined here. Nothing else reads
 * the environment, the arguments or the clock.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { addDays } from '../dialogs/card-validity.ts';
import { lines } from '../dialogs/chart.ts';
import { intents } from '../dialogs/intents.ts';
import { dayOf } from '../dialogs/vocabulary.ts';
import { createCalendar, instantOf, timeOf } from './calendar.ts';
import { consoleLabels, converseInJson, converseInText } from './channels/console.ts';
import { reportLabels } from './cli/evaluation-report.ts';
import { contentAgeLabels, runContentAge } from './cli/content-age.ts';
import { runContentCheck } from './cli/content-check.ts';
import { guidanceDiffLabels, runContentDiff } from './cli/content-diff.ts';
import { reloadLabels, replayLabels } from './cli/content-texts.ts';
import type { Edition } from './editions.ts';
import { createPreparing, prepareContent } from './cli/preparing.ts';
import { teamsLabels, teamsLimits } from './cli/teams-package-texts.ts';
import { understandLines } from './cli/understand.ts';
import { type Content, createContent, programLines, visitLabels } from './content.ts';
import { type ContentFolder, contentFolderAt } from './content-folder.ts';
import type { Expected } from './content-check.ts';
import { createConversations } from './conversations/conversations.ts';
import { createMemoryStore } from './conversations/memory-store.ts';
import { type DemonstrationName, demonstrationNames } from './ledger/demonstration-holders.ts';
import { createDemonstrationLedger } from './ledger/demonstration-ledger.ts';
import { inCondition, type LedgerCondition, withDeadline } from './ledger/faults.ts';
import { maskForAny } from './masking.ts';
import { privacyLabels } from './privacy/records.ts';
import type { Service, ServiceWorld } from './cli/serve.ts';
import { createDeskHours, type Hours } from './servicedesk/hours.ts';
import { sessionLabels } from './servicedesk/sessions.ts';
import {
  Hub,
  readFolders,
  readPackageSettings,
  readSettings,
  type Settings,
  type Variables,
  withSecrets,
} from './settings.ts';
import type { Database } from './storage/database.ts';
import { StartupProblem } from './startup-problem.ts';
import { createUnderstanding, lessonsOf, type Understanding } from './understanding/understanding.ts';
import { accessibilityLabels } from './web/accessibility.tsx';
import { chatLabels } from './web/chat/texts.ts';
import { contactPageLabels } from './web/contact-page.ts';
import { embeddingLabels } from './web/embedding.ts';
import { channelCardLabels } from './servicedesk/channel-cards.ts';
import { deskLabels, figureLabels, lessonLabels, plainPageLabels } from './servicedesk/labels.ts';
import { servicedeskLabels } from './servicedesk/texts.ts';
import { signInLabels, stockPageLabels } from './web/labels.ts';
import { receiptLabels } from './web/receipt.ts';
import { type ContactDetails, factNames } from './wording.ts';

const OWN_CONTENT = join(import.meta.dirname, '../content');
const BUILT = join(import.meta.dirname, '../dist');
const SCRIPTS = join(BUILT, 'web');
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
    ...contactPageLabels,
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
    ...guidanceDiffLabels,
    ...contentAgeLabels,
    ...reloadLabels,
    ...replayLabels,
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
    await runService(settings, at, (world) => {
      const prepare = createPreparing({
        program: import.meta.filename,
        command: ['content', 'prepare'],
        contacts: settings.contacts,
        onTraining: () => {
          world.log.info('content is trained on');
        },
        onUnkept: () => {
          world.log.warn('content was trained on and could not be kept');
        },
      });
      return serve({ ...world, understanding: loadUnderstanding(world.content), migrations: MIGRATIONS, prepare });
    });
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
  const starting = start({ settings, content, now: () => at ?? new Date(), log, scripts: SCRIPTS });
  // A terminal that is closed sends the same signal, and is then there no more.
  const hasTerminal = isatty(0);
  let hangUp = (): void => undefined;
  const hungUp = new Promise<void>((resolve) => (hangUp = resolve));
  process.on('SIGHUP', () => {
    if (hasTerminal && !isatty(0)) hangUp();
    else void starting.then(({ reload }) => reload?.()).catch(() => undefined);
  });
  const service = await starting;
  const asked = Promise.race([stopAsked(), hungUp]);
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
      calendar: createCalendar(content),
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

const contentCommand = program
  .command('content')
  .description('the Swedish: what is wrong in it, how old it is, and when it is used');

contentCommand
  .command('check')
  .description('find every mistake in content/, and say in Swedish what to do')
  .action(() => {
    process.exitCode = runContentCheck(contentFolder().folder, expected, (text) => process.stdout.write(text));
  });

contentCommand
  .command('reload')
  .description('ask all processes on the database to read the content anew, and tell what came of it in each')
  .option('--wait <seconds>', 'how long their answers are waited for', atLeast(1), 300)
  .action(async ({ wait }: { wait: number }) => {
    const { reloadContent } = await import('./cli/content-reload.ts');
    const words = readableContent();
    const work = (database: Database) => reloadContent(database, wait, words, tellOut);
    process.exitCode = await withDatabase('assistant', work);
  });

type ReplayCommand = { content: string; since?: Date; limit: number; json?: true };

contentCommand
  .command('replay')
  .description('which recorded conversations would be answered differently with another content; reads only')
  .requiredOption('--content <folder>', 'the new content, to be compared with the one in service')
  .option('--since <day>', 'conversations begun from that day on, as 2026-11-23', parseTime)
  .option('--limit <count>', 'the newest so many', atLeast(1), 1_000)
  .option('--json', 'one JSON object, for machines')
  .action(async ({ content: folder, since, limit, json }: ReplayCommand) => {
    const { replayContent } = await import('./cli/content-replay.ts');
    const work = async (database: Database, settings: Settings): Promise<void> => {
      const load = (from: ContentFolder): Edition => {
        const content = loadContent(settings.contacts, from);
        return { content, understanding: loadUnderstanding(content, from) };
      };
      const editions = [load(contentFolder()), load(contentFolder(folder))] as const;
      const { servicedesk } = settings;
      await replayContent(
        database,
        editions,
        { since, limit, isJson: json ?? false },
        { servicedesk: servicedesk && createDeskHours(servicedesk.hours) },
        { write: tellOut, progress: process.stderr },
      );
    };
    await withDatabase('assistant', work);
  });

contentCommand
  .command('prepare', { hidden: true })
  .description('check the content and train on it for a process that serves, on standard output')
  .action(() => {
    prepareContent(contentFolder(), expected, {
      write: (told) => process.stdout.write(told),
      say: (line) => process.stderr.write(line),
    });
  });

contentCommand
  .command('diff <file>')
  .description('compare a new copy of the guidance page, as text or HTML, and list the rules and texts it touches')
  .option('--json', 'as one JSON object')
  .action(async (copy: string, { json }: { json?: true }) => {
    const content = loadContent();
    const { reading } = contentFolder().read();
    process.exitCode = await runContentDiff(
      { folder: contentFolder().folder, copy, isJson: json ?? false },
      { content, reading },
      tellOut,
    );
  });

type AgeOptions = { days: number; at?: Date; json?: true };

contentCommand
  .command('age')
  .description('which answers rest on the oldest rules, times how often they were given')
  .option('--days <count>', 'of how many days it is counted how often', atLeast(1), 30)
  .option('--at <time>', AT, parseTime)
  .option('--json', 'one JSON object a rule')
  .action(async ({ days, at, json }: AgeOptions) => {
    const content = loadContent();
    const today = dayOf({ at: instantOf(at ?? new Date()) });
    const { databaseUrl, dataFolder } = readSettings(environment(), 'command');
    const given =
      databaseUrl !== undefined || existsSync(dataFolder)
        ? await withDatabase('assistant', async (database) => {
            const { readFigures } = await import('./servicedesk/figures.ts');
            return (await readFigures(database, { from: addDays(today, 1 - days), to: today })).rules;
          })
        : undefined;
    await runContentAge(
      { folder: contentFolder().folder, today, days, isJson: json ?? false },
      content,
      given,
      tellOut,
    );
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
    process.exitCode = await withDatabase('ledger', async (database, settings) => {
      const { openLedger } = await import('./cli/ledger-parts.ts');
      const world = { database, settings, now: () => new Date(), scripts: SCRIPTS, onMistake: () => undefined };
      const { registry } = await openLedger(world);
      // Begun no sooner than it is read: what a file has would be over before the database is open.
      return recordHappenings(registry, createInterface({ input: process.stdin }), client, tellOut);
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

type Reasoned = { by: string; reason: string };

const switches = program
  .command('switch')
  .description('switch a path, the ledger or the bot off; in effect in every process within a second');

switches
  .command('list', { isDefault: true })
  .description('what is switched off, and what there is a switch for')
  .action(async () => {
    const { listSwitches } = await import('./cli/switch.ts');
    await withDatabase('assistant', (database) => listSwitches(database, tellOut));
  });

for (const to of ['off', 'on'] as const) {
  switches
    .command(`${to} <name>`)
    .description(`switch it ${to}, which is audited`)
    .requiredOption('--by <name>', 'who does so')
    .requiredOption('--reason <text>', 'why')
    .action(async (name: string, { by, reason: written }: Reasoned) => {
      const { problemOf, turnSwitch } = await import('./cli/switch.ts');
      const reason = maskForAny(written, loadContent().masked).open.text;
      const problem = problemOf(name, { by, reason });
      if (problem !== undefined) throw new Error(problem);
      await withDatabase('assistant', (database) => turnSwitch(database, to, name, { by, reason }, tellOut));
    });
}

switches
  .command('log')
  .description('every time something was switched off or on: a change a line, as JSON, on standard output')
  .action(async () => {
    const { writeSwitchAudit } = await import('./cli/switch.ts');
    await withDatabase('assistant', (database) => writeSwitchAudit(database, tellOut));
  });

program
  .command('contact-page')
  .description('the page that is shown where no chat can be, for whoever stands before us to show when we are down')
  .option('--out <file>', 'write it there, and not to standard output')
  .action(async ({ out }: { out?: string }) => {
    const { contactFile } = await import('./web/contact-page.ts');
    const page = contactFile(loadContent(readSettings(environment(), 'command').contacts));
    if (out === undefined) await tellOut(page);
    else await writeFile(out, page);
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
  const withUrl = async (url: string) => {
    const migrations = of === 'ledger' ? [LEDGER_MIGRATIONS] : MIGRATIONS;
    const database = await openDatabase(url, migrations, () => undefined);
    try {
      return await work(database, settings);
    } finally {
      await database.close();
    }
  };
  return withServer(settings, withUrl);
}

/** Where the database is, as it is, for as long as the work takes. One of our own may be in use by a service meanwhile. */
async function withServer<Result>(
  { databaseUrl, dataFolder }: Settings,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  if (databaseUrl !== undefined) return work(databaseUrl);
  const { startEmbeddedPostgres } = await import('./storage/embedded-postgres.ts');
  const embedded = await startEmbeddedPostgres(dataFolder, { isGuest: true });
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

/** The folder that the setting names, or our own. */
function contentFolder(folder = readFolders(environment()).contentFolder): ContentFolder {
  const { dataFolder } = readFolders(environment());
  if (folder !== undefined && !existsSync(folder))
    throw new StartupProblem(
      'settingsAreWrong',
      `There is no folder with content at ${folder}; mend KORTLOTSEN_CONTENT or --content.`,
    );
  return contentFolderAt(folder ?? OWN_CONTENT, { own: OWN_CONTENT, built: BUILT, dataFolder });
}

/** Content that cannot be spoken stops the start, with everything that is wrong in it. */
function loadContent(contacts: ContactDetails = {}, from = contentFolder()): Content {
  const { reading, problems } = from.read();
  const missing = [...expected.lines, ...expected.labels].filter((line) => !reading.lines.has(line));
  if (problems.length + missing.length > 0) {
    runContentCheck(from.folder, expected, (text) => process.stderr.write(text));
    throw new Error('The content cannot be used. Mend it as said above.');
  }
  return createContent(reading, contacts);
}

/** The words of content that may have something wrong in it. Nothing, if it lacks them. */
function readableContent(): Content | undefined {
  const { reading } = contentFolder().read();
  const hasWords = reading.words && reading.offices && reloadLabels.every((line) => reading.lines.has(line));
  return hasWords ? createContent(reading) : undefined;
}

function loadUnderstanding(content: Content, from = contentFolder()): Understanding {
  const told = {
    onTraining: () => process.stderr.write(`${content.label('terminal/training')}\n`),
    onUnkept: () => process.stderr.write(`${content.label('terminal/unkept')}\n`),
  };
  return createUnderstanding(content, from.modelFor(lessonsOf(content), told));
}

try {
  await program.parseAsync();
} catch (mistake) {
  process.stderr.write(`${mistake instanceof Error ? mistake.message : String(mistake)}\n`);
  process.exitCode = mistake instanceof StartupProblem ? mistake.exitCode : 1;
}

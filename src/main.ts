#!/usr/bin/env node
/**
 * The composition root: every part is made and joined here. Nothing else reads
 * the environment, the arguments or the clock.
 */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { lines } from '../dialogs/chart.ts';
import { intents } from '../dialogs/intents.ts';
import { createCalendar, timeOf } from './calendar.ts';
import { consoleLabels, converseInJson, converseInText } from './channels/console.ts';
import { reportLabels } from './cli/evaluation-report.ts';
import { runContentCheck } from './cli/content-check.ts';
import { understandLines } from './cli/understand.ts';
import { type Content, createContent, programLines, readFiles } from './content.ts';
import type { Expected } from './content-check.ts';
import { createConversations } from './conversations/conversations.ts';
import { createMemoryStore } from './conversations/memory-store.ts';
import { type DemonstrationName, demonstrationHolders, demonstrationNames } from './ledger/demonstration-holders.ts';
import { createEmbeddedLedger } from './ledger/embedded-ledger.ts';
import { inCondition, type LedgerCondition, withDeadline } from './ledger/faults.ts';
import { createReceiptsInMemory } from './ledger/receipts.ts';
import { readSettings } from './settings.ts';
import { StartupProblem } from './startup-problem.ts';
import { modelFor } from './understanding/model-file.ts';
import { createUnderstanding, lessonsOf, type Understanding } from './understanding/understanding.ts';
import { chatPageLabels, signInLabels } from './web/labels.ts';
import { type ContactDetails, factNames } from './wording.ts';

const CONTENT = join(import.meta.dirname, '../content');
const MODEL = join(import.meta.dirname, '../dist/model.bin');
const SCRIPTS = join(import.meta.dirname, '../dist/web');
const MIGRATIONS = join(import.meta.dirname, '../src/storage/migrations');

/** How long the terminal waits for its ledger, in milliseconds; short, since both are in one process. */
const LEDGER_DEADLINE = 1_000;

/** What the dialogs, the program and the terminal need of the content. */
const expected: Expected = {
  lines: new Set([...lines(), ...programLines]),
  labels: new Set([...consoleLabels, ...reportLabels, ...chatPageLabels, ...signInLabels]),
  intents,
  facts: new Set(factNames),
};

const program = new Command('kortlotsen')
  .description('Leads students in healthcare education to the right path for their eTjänstekort.')
  .showHelpAfterError();

program
  .command('serve')
  .description('serve students in the web chat and in Teams')
  .option('--at <time>', 'the time it is said to be, for trying; without an offset, Swedish time', parseTime)
  .action(async ({ at }: { at?: Date }) => {
    const settings = readSettings(process.env);
    if (at && settings.isProduction)
      throw new StartupProblem('settingsAreWrong', 'In production it is the time it is; leave --at out.');
    const content = loadContent(settings.contacts);
    const [{ serve }, { createLog }] = await Promise.all([import('./cli/serve.ts'), import('./log.ts')]);
    const log = createLog(settings.logLevel);
    const service = await serve({
      settings,
      content,
      understanding: loadUnderstanding(content),
      now: () => at ?? new Date(),
      log,
      migrations: MIGRATIONS,
      scripts: SCRIPTS,
    });
    const asked = stopAsked();
    const data = service.dataFolder ? ` Its data are in ${service.dataFolder}.` : '';
    process.stderr.write(`Kortlotsen is at ${service.origin}.${data} Stop it with Ctrl+C.\n`);
    await asked;
    await service.stop();
  });

/** Asked once, it stops when it is done; asked again, at once. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve();
      });
  });
}

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
    const { contacts, hasColour } = readSettings(process.env);
    const content = loadContent(contacts);
    const embedded = createEmbeddedLedger(demonstrationHolders, now, createReceiptsInMemory());
    const ledger = inCondition(embedded, condition, LEDGER_DEADLINE);
    const conversations = createConversations({
      content,
      understanding: loadUnderstanding(content),
      calendar: createCalendar(content.offices),
      ledger: withDeadline(ledger, LEDGER_DEADLINE),
      store: createMemoryStore(),
      proving: { way: 'known', person: as },
      now,
      onTurn: () => undefined,
      onMistake: (mistake) => process.stderr.write(`${mistake instanceof Error ? mistake.stack : 'A mistake'}\n`),
    });
    const terminal = { input: process.stdin, output: process.stdout, hasColour };
    const chat = { conversations, content, id: randomUUID(), person: as };
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

program
  .command('train', { hidden: true })
  .description('train the understanding on the content, and keep the model')
  .action(() => {
    loadUnderstanding(loadContent());
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
  const { reading, problems } = readFiles(CONTENT);
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

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { lines } from '../../dialogs/chart.ts';
import { intents } from '../../dialogs/intents.ts';
import { runContentCheck } from '../../src/cli/content-check.ts';
import { teamsLimits } from '../../src/cli/teams-package-texts.ts';
import { checkContent, Checker, type Expected } from '../../src/content-check.ts';
import { programLines, readContent } from '../../src/content.ts';
import { type Kind, kinds, readFolder, readYaml, type SourceFile } from '../../src/source-file.ts';
import { factNames } from '../../src/wording.ts';

const content = join(import.meta.dirname, '../../content');
const whole = readFolder(content);
const { reading } = readContent(whole);

const shortened = withFewExamples();
afterAll(() => {
  rmSync(shortened, { recursive: true });
});

/** As they were before anything was changed, and parsed once for all tests. */
const unchanged = new Map(readFolder(shortened).map((file) => [file.name, file]));

/** As they are now: a file that was changed is another. */
const filesNow = (): SourceFile[] =>
  readFolder(folder).map((file) => {
    const before = unchanged.get(file.name);
    return before?.text === file.text ? before : file;
  });

const expected: Expected = {
  lines: new Set([...lines(), ...programLines]),
  labels: new Set(
    [...reading.lines.keys()].filter((name) =>
      /^(accessibility|chat|contact-page|content-age|desk|desk-channel|desk-pages|embedding|evaluation|figures|guidance-diff|lessons|privacy|receipt|reload|replay|servicedesk|servicedesk-sign-in|sign-in|teams|terminal|visit|web-chat)\//.test(
        name,
      ),
    ),
  ),
  teamsLimits,
  intents,
  facts: new Set(factNames),
};

/** Where the mistakes are made. What was changed is put right after each: to copy all anew would take far longer. */
const folder = mkdtempSync(join(tmpdir(), 'content-'));
cpSync(shortened, folder, { recursive: true });
afterEach(() => {
  const names = filesIn(shortened);
  for (const name of filesIn(folder)) if (!names.includes(name)) rmSync(join(folder, name));
  for (const name of names) {
    const [before, now] = [join(shortened, name), join(folder, name)];
    if (!existsSync(now) || !readFileSync(now).equals(readFileSync(before))) copyFileSync(before, now);
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const filesIn = (parent: string): string[] =>
  readdirSync(parent, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(relative(parent, entry.parentPath), entry.name));

/** What is wrong is on the row that was changed, unless it is known by what stands `on` it or by its number. */
type Mistake = {
  when: string;
  make: () => void;
  file: string;
  on?: string | number;
  about: string;
  detail?: unknown;
};

const RESERVE = 'reserve-card-at-lindhagen';
const RESERVE_MISSPELT = 'reserv-card-at-lindhagen';

const [RULES, PAGE] = ['guidance/student-2022-03-22.md', 'guidance/student-2022-03-22.yaml'];

const mistakes: Record<Kind, Mistake[]> = {
  missingFile: [
    {
      when: 'a file is gone',
      make: () => {
        rmSync(join(folder, 'offices.yaml'));
      },
      file: 'offices.yaml',
      about: 'offices.yaml',
    },
  ],
  unknownFile: [
    {
      when: 'a file is misnamed',
      make: () => {
        renameSync(join(folder, 'order/lines.yaml'), join(folder, 'order/lines.yml'));
      },
      file: 'order/lines.yml',
      about: 'order/lines.yml',
      detail: 'lines.yaml',
    },
    {
      when: 'a file has a capital letter',
      make: () => {
        renameSync(join(folder, 'valid-id/answer.md'), join(folder, 'valid-id/Answer.md'));
      },
      file: 'valid-id/Answer.md',
      about: 'valid-id/Answer.md',
      detail: 'answer.md',
    },
    {
      when: 'a common file is misnamed',
      make: () => {
        renameSync(join(folder, 'words.yaml'), join(folder, 'word.yaml'));
      },
      file: 'word.yaml',
      about: 'word.yaml',
      detail: 'words.yaml',
    },
    {
      when: 'notes lie among the texts',
      make: () => {
        writeFileSync(join(folder, 'order/notes.txt'), 'Fråga Anna.');
      },
      file: 'order/notes.txt',
      about: 'order/notes.txt',
      detail: expect.any(String),
    },
  ],
  notUtf8: [
    {
      when: 'a file is saved as it was done long ago',
      make: () => {
        writeFileSync(join(folder, 'valid-id/answer.md'), Buffer.from(read(folder, 'valid-id/answer.md'), 'latin1'));
      },
      file: 'valid-id/answer.md',
      on: 2,
      about: 'title: Vilken id-handling g\uFFFDller?',
    },
  ],
  notYaml: [
    edited('a colon is missing', 'order/lines.yaml', 'needsJobsh:', 'needsJobsh', 'needsJobsh'),
    edited(
      'a text has a colon',
      'card-status/lines.yaml',
      'text: Jag letar efter',
      'text: Vänta: jag letar efter',
      'text: Vänta: jag letar efter dina kort.',
    ),
    edited(
      'a text begins with a star',
      'card-status/lines.yaml',
      'text: Jag letar',
      'text: *Jag* letar',
      'text: *Jag* letar efter dina kort.',
    ),
    edited(
      'a text is one word in stars',
      'card-status/lines.yaml',
      'text: Jag letar efter dina kort.',
      'text: *Letar*',
      'text: *Letar*',
    ),
    edited(
      'a text begins with a brace',
      'card-status/lines.yaml',
      'text: Jag letar',
      'text: {{servicedesk}} letar',
      'text: {{servicedesk}} letar efter dina kort.',
    ),
    edited('dates.yaml cannot be read', 'dates.yaml', 'units:', 'units', 'units'),
  ],
  keyTwice: [edited('a key is there twice', 'order/lines.yaml', /$/, 'needsJobsh:\n  text: Hej.\n', 'needsJobsh:')],
  tabAsIndent: [
    edited(
      'a row begins with a tab',
      'protected-identity/lines.yaml',
      '  cites: [R22]',
      '\tcites: [R22]',
      'cites: [R22]',
    ),
  ],
  headingWithoutRule: [
    edited('a heading names no rule', 'guidance/student-2022-03-22.md', '## R42', '## Spärra', '## Spärra'),
    edited(
      'a hyphen stands for a dash',
      'guidance/student-2022-03-22.md',
      '## R31 – kan ha ändrats',
      '## R31 - kan ha ändrats',
      '## R31 - kan ha ändrats',
    ),
  ],
  fieldMissing: [
    edited('a title is missing', 'valid-id/utterances.yaml', /\n {2}title: .*/, '', 'title', { on: 'valid-id:' }),
  ],
  fieldUnknown: [
    edited('a key is misspelt', 'valid-id/answer.md', 'title:', 'titel:', 'titel', { detail: 'title' }),
    edited('a phrase is misspelt', 'words.yaml', 'tomorrow:', 'tomorow:', 'tomorow', { detail: 'tomorrow' }),
    edited('a kind of mistake is misspelt', 'checker.yaml', 'notADate:', 'notDate:', 'notDate', { detail: 'notADate' }),
  ],
  empty: [
    edited('nothing is written', 'words.yaml', 'and: och', 'and:', 'and'),
    edited('a visit is founded on nothing', 'visits.yaml', '[R29, R30]', '[]', 'cites'),
    edited('a list has nothing in it', 'offices.yaml', /drop_in:\n {4}.*/, 'drop_in: []', 'drop_in'),
    edited('an answer has no text', 'valid-id/answer.md', /\n---\n[^]*/, '\n---\n', 'valid-id/answer.md', { on: 5 }),
    edited('an answer has lost its head', 'valid-id/answer.md', /^---\n/, '', 'valid-id/answer.md', { on: 'cites:' }),
  ],
  tooLong: [
    edited(
      'a title is longer than a button',
      'valid-id/utterances.yaml',
      /title: .*/,
      'title: Vilken sorts id-handling är det som gäller?',
      'title',
      { detail: '38' },
    ),
  ],
  notText: [edited('an example is a number', 'valid-id/utterances.yaml', /- .*/, '- 112', 'examples', { on: '- 112' })],
  notList: [edited('a citation is no list', 'protected-identity/lines.yaml', '[R22]', 'R22', 'cites')],
  notFields: [edited('a text stands alone', 'order/lines.yaml', 'needsJobsh:', 'shown: Hej då.\nneedsJobsh:', 'shown')],
  notTrueOrFalse: [edited('true is in Swedish', 'offices.yaml', 'helgfria: true }', 'helgfria: ja }', 'helgfria')],
  notAChoice: [
    edited('a choice is in Swedish', 'renewal/lines.yaml', 'cites: [R17, R11]', 'uncited: fråga', 'uncited', {
      detail: 'question, conversation, ledger, setting, caution, tested',
    }),
    edited('a visit follows an office there is none of', 'visits.yaml', 'time: booth', 'time: automaten', 'time', {
      detail: 'booth, sodersjukhuset, booked',
    }),
  ],
  notADate: [
    edited('a date is in words', 'upgrade/lines.yaml', 'until: 2022-05-04', 'until: 4 maj 2022', 'until'),
    edited('the guidance has no date', 'guidance/student-2022-03-22.md', '2022-03-22', 'mars 2022', 'updated'),
  ],
  notATime: [edited('a time has no minutes', 'offices.yaml', "to: '16:00'", "to: '16'", 'to')],
  wrongShape: [
    edited('a sentence quotes what there is none of', 'checker.yaml', 'Filen {{about}}', 'Filen {{namn}}', 'says', {
      on: 'Filen {{namn}}',
    }),
  ],
  writtenTwice: [
    edited('a rule has two texts', 'guidance/student-2022-03-22.md', '## R43', '## R42', 'R42', {
      detail: expect.stringMatching(/^guidance\/student-2022-03-22\.md:\d+$/),
    }),
    {
      when: 'an intent is taught in two places',
      make: () => {
        cpSync(join(folder, 'valid-id/utterances.yaml'), join(folder, 'contact/utterances.yaml'));
      },
      file: 'valid-id/utterances.yaml',
      on: 'valid-id:',
      about: 'valid-id',
      detail: 'contact/utterances.yaml:2',
    },
  ],
  uncited: [
    stopping('a text has neither', 'Då avbryter vi.\n', 'conversation/stopped', { on: 'stopped:' }),
    edited(
      'its citations are empty',
      'protected-identity/lines.yaml',
      '[R22]',
      '[]',
      'protected-identity/contactFirst',
      {
        on: 'contactFirst:',
      },
    ),
  ],
  citedAndUncited: [
    edited(
      'a text has both',
      'protected-identity/lines.yaml',
      'cites: [R22]',
      'cites: [R22]\n  uncited: conversation',
      'protected-identity/contactFirst',
      { on: 'contactFirst:' },
    ),
  ],
  claimUncited: [
    stopping('it says what one must do', 'Då måste vi avbryta.\n  uncited: conversation\n', 'måste'),
    stopping('it says a number', 'Då avbryter vi i 15 minuter.\n  uncited: conversation\n', '15'),
    stopping('it names a contact', 'Fråga {{servicedesk}}.\n  uncited: conversation\n', 'servicedesk'),
  ],
  unknownRule: [
    edited('a text cites it', 'valid-id/answer.md', '[R37]', '[R99]', 'R99'),
    edited('examples are about it', 'valid-id/utterances.yaml', '[R37]', '[R99]', 'R99'),
    edited('a paragraph is read by it', PAGE, '[R31, R32]', '[R31, R32, R99]', 'R99'),
    edited('an office opens by it', 'offices.yaml', '[R24]', '[R99]', 'R99'),
    edited('a visit is founded on it', 'visits.yaml', '[R29, R30]', '[R29, R99]', 'R99'),
  ],
  lapsedRule: [
    edited('a text goes on citing it', 'protected-identity/lines.yaml', '[R22]', '[R22, R9]', 'R9', {
      detail: '2022-05-04',
    }),
    edited('a visit is still founded on it', 'visits.yaml', '[R29, R30]', '[R29, R30, R9]', 'R9', {
      detail: '2022-05-04',
    }),
    edited('a text outlives it', 'upgrade/lines.yaml', 'until: 2022-05-04', 'until: 2022-05-05', 'R14', {
      on: 'cites: [R14]',
      detail: '2022-05-04',
    }),
  ],
  numberNotInRule: [
    edited(
      'a number is another',
      'renewal/lines.yaml',
      'förnyas minst 8 veckor',
      'förnyas minst 9 veckor',
      '9 veckor',
      {
        on: 'minst 9 veckor',
        detail: 'R11, R17',
      },
    ),
    edited('it counts something else', 'order/lines.yaml', 'gäller i 3 månader,', 'gäller i 3 veckor,', '3 veckor', {
      detail: 'R20',
    }),
    edited('a time is another', 'sos-office/answer.md', '13:30–15:00', '13:30–16:00', '16:00', {
      detail: 'R25, R26, R36',
    }),
    edited('a date is another', 'card-status/lines.yaml', '4 maj 2022', '4 maj 2023', '4 maj 2023', {
      detail: 'R10, R11',
    }),
    edited('a number is in words', 'malfunction/lines.yaml', 'tre gånger', 'fem gånger', 'fem gånger', {
      detail: 'R47',
    }),
    edited('an identifier is another', 'choose-certificate/answer.md', 'SE2321000016', 'SE2321000061', 'SE2321000061', {
      detail: 'R40, R41',
    }),
    edited('an office closes later', 'offices.yaml', "to: '16:00'", "to: '17:00'", '17:00', { detail: 'R24' }),
    edited('a visit is on another floor', 'visits.yaml', '1, plan 2', '1, plan 4', '4', { detail: 'R24' }),
    edited('one brings more to a visit', 'visits.yaml', 'dina pinkoder]', 'dina 2 pinkoder]', '2', {
      detail: 'R32, R33, R35',
    }),
  ],
  contactDetail: [
    edited(
      'a text has a number',
      'conversation/lines.yaml',
      'kontakta {{servicedesk}}',
      'ring 08-123 45 67',
      '08-123 45 67',
    ),
    edited('a text has an address', 'conversation/lines.yaml', '{{servicedesk}}', 'it@example.se', 'it@example.se'),
    edited('a text has a page', 'order/lines.yaml', 'fråga lärosätet', 'läs www.example.se', 'www.example.se.'),
    edited(
      'an answer has a link',
      'valid-id/answer.md',
      'SIS-kort',
      '[SIS-kort](https://a.se)',
      '[SIS-kort](https://a.se)',
    ),
    edited('a title has one', 'valid-id/utterances.yaml', /title: .*/, 'title: Fråga id.se', 'id.se', {
      on: 'valid-id:',
    }),
    edited('a suggestion has one', 'order/lines.yaml', '[Ja, Nej,', '[Ja, Nej, kth.se,', 'kth.se', {
      on: 'askingJobshApproved:',
    }),
    edited('a visit has one', 'visits.yaml', 'Besök för', 'Boka på kth.se för', 'kth.se'),
    edited('a contact has one', 'words.yaml', 's servicedesk', 's servicedesk 077-123 45 67', '077-123 45 67'),
  ],
  pageMissing: [
    {
      when: 'nobody has written down the page',
      make: () => {
        rmSync(join(folder, PAGE));
      },
      file: RULES,
      on: 1,
      about: PAGE,
    },
  ],
  ruleNotOnPage: [
    edited('a rule says another word', RULES, 'därefter försvinner den', 'sedan försvinner den', 'R20', {
      on: '## R20',
      detail: 'sedan',
    }),
    edited('its paragraph says another word', PAGE, 'du har tappat ditt kort', 'du har förlorat ditt kort', 'R42', {
      file: RULES,
      on: '## R42',
      detail: 'tappat',
    }),
    edited('no paragraph names it', PAGE, 'rules: [R47, R48]', 'rules: [R47]', 'R48', {
      file: RULES,
      on: '## R48 – kan ha ändrats',
      detail: 'pukkoden',
    }),
  ],
  dateNotOnPage: [
    edited(
      'the rules are of another day than the page',
      RULES,
      'updated: 2022-03-22',
      'updated: 2022-03-23',
      '2022-03-23',
      {
        file: PAGE,
        on: "- text: 'Uppdaterad: 22 mars 2022'",
        detail: RULES,
      },
    ),
  ],
  lineWithoutState: [
    edited(
      'a text is new',
      'order/lines.yaml',
      'needsJobsh:',
      'x:\n  text: Hej.\n  uncited: question\nneedsJobsh:',
      'order/x',
      {
        on: 'x:',
        detail: expect.any(String),
      },
    ),
    edited('its name is misspelt', 'order/lines.yaml', 'needsJobsh:', 'needJobsh:', 'order/needJobsh', {
      detail: 'order/needsJobsh',
    }),
  ],
  stateWithoutLine: [
    {
      when: 'a text is gone',
      make: () => {
        edit('conversation/lines.yaml', /thanks:\n {2}text: .*\n {2}uncited: conversation\n/, '');
      },
      file: 'conversation/lines.yaml',
      on: 1,
      about: 'conversation/thanks',
      detail: expect.any(String),
    },
    {
      when: 'an answer is gone',
      make: () => {
        rmSync(join(folder, 'valid-id/answer.md'));
      },
      file: 'valid-id/answer.md',
      about: 'valid-id/answer',
      detail: expect.any(String),
    },
  ],
  unknownVisit: [
    edited(
      'a text sends somebody there',
      'new-card/lines.yaml',
      '[reserve-card-at-',
      '[reserv-card-at-',
      RESERVE_MISSPELT,
      {
        detail: RESERVE,
      },
    ),
    edited('an answer does', 'photo-bring/answer.md', '[photo-at-booth,', '[photo-in-booth,', 'photo-in-booth', {
      detail: 'photo-at-booth',
    }),
  ],
  visitUnused: [
    {
      when: 'no text sends anybody there',
      make: () => {
        edit('new-card/lines.yaml', `  visits: [${RESERVE}]\n`, '');
      },
      file: 'visits.yaml',
      on: `${RESERVE}:`,
      about: RESERVE,
    },
  ],
  unknownIntent: [
    edited('an intent is misspelt', 'valid-id/utterances.yaml', '\nvalid-id:', '\nvalid-di:', 'valid-di', {
      detail: 'valid-id',
    }),
  ],
  intentWithoutUtterances: [
    {
      when: 'nobody has written any',
      make: () => {
        rmSync(join(folder, 'valid-id/utterances.yaml'));
      },
      file: 'valid-id/utterances.yaml',
      about: 'valid-id',
    },
  ],
  unknownPlaceholder: [
    edited('a name is misspelt', 'order/lines.yaml', '{{nextAtBooth}}', '{{nextAtBoth}}', '{{nextAtBoth}}', {
      detail: '{{nextAtBooth}}',
    }),
    edited(
      'an agent’s answer quotes what one student has told',
      'canned/lines.yaml',
      'kortet på',
      '{{card}} på',
      '{{card}}',
      {
        detail: expect.any(String),
      },
    ),
  ],
  logicInText: [
    edited('a text has a condition', 'order/lines.yaml', '{{nextAtBooth}}', '{{#if idag}}', '{{#if idag}}'),
    edited('a text has an else', 'order/lines.yaml', '{{nextAtBooth}}', '{{else}}', '{{else}}'),
    edited('a text has a name of two words', 'order/lines.yaml', '{{nextAtBooth}}', '{{next time}}', '{{next time}}'),
    edited('a suggestion quotes', 'order/lines.yaml', '[Ja, Nej,', "['{{card}}', Nej,", '{{card}}', {
      on: 'askingJobshApproved:',
    }),
    edited('a visit quotes', 'visits.yaml', 'Besök för reservkort', 'Besök {{card}}', 'Besök {{card}}'),
    edited('a brace is missing', 'card-status/lines.yaml', 'slutar på {{card}} är', 'slutar på {card}} är', '{card}}'),
  ],
  phraseNotSpoken: [
    edited('a phrase quotes what there is none of', 'words.yaml', 'på {{weekday}}', 'på {{vardag}}', 'på {{vardag}}'),
    edited('a phrase quotes what another may', 'words.yaml', "slot: '{{from}}", "slot: '{{day}}", '{{day}}–{{to}}'),
  ],
  utteranceTwice: [
    edited('two intents have the same one', 'valid-id/utterances.yaml', /- .*/, '- HEJ!', 'HEJ!', {
      detail: expect.stringMatching(/^conversation\/utterances\.yaml:\d+$/),
    }),
  ],
  synonymTwice: [
    edited('a word means two things', 'synonyms.yaml', 'skyddad*, ', 'skyddad*, KUVERT, ', 'KUVERT', {
      detail: expect.stringMatching(/^synonyms\.yaml:\d+$/),
    }),
  ],
  titleTwice: [
    edited('two intents have the same one', 'valid-id/utterances.yaml', /title: .*/, 'title: hej', 'hej', {
      on: 'valid-id:',
      detail: 'conversation/utterances.yaml:2',
    }),
  ],
  brokenMarkdown: [
    stopping('bold does not end', 'Då **avbryter vi.\n  uncited: conversation\n', '**'),
    stopping('a bracket does not end', 'Då (kanske avbryter vi.\n  uncited: conversation\n', '('),
    stopping('a bracket does not begin', 'Då avbryter] vi.\n  uncited: conversation\n', ']'),
    stopping('a text has a tag', 'Då avbryter<br> vi.\n  uncited: conversation\n', '<br>'),
    edited('an answer has a heading', 'valid-id/answer.md', '- SIS-kort', '## SIS-kort', '## SIS-kort'),
    edited(
      'a list is indented with a tab',
      'valid-id/answer.md',
      '- svenskt pass',
      '\t- svenskt pass',
      '- svenskt pass',
    ),
  ],
  notKlarsprak: [
    stopping('it shouts', 'Då avbryter vi!!\n  uncited: conversation\n', '!!'),
    stopping('it smiles', 'Då avbryter vi 🙂\n  uncited: conversation\n', '🙂'),
  ],
  tooLongForTeams: [
    edited(
      'the name in Teams is longer than Teams takes',
      'teams/lines.yaml',
      'Kortlotsen\n',
      'Kortlotsen i Vårdgivarguiden nu\n',
      'teams/name.sv',
      { detail: '30' },
    ),
    edited(
      'a description in English is',
      'teams/lines.yaml',
      'text: Questions',
      `text: ${'Questions '.repeat(5)}`,
      'teams/short.en',
      { detail: '80' },
    ),
  ],
};

const all = kinds.flatMap((kind) => mistakes[kind].map((mistake) => ({ kind, ...mistake })));

describe('the content', () => {
  it('has nothing wrong with it', () => {
    expect(checkContent(whole, expected)).toEqual([]);
  });

  it('has its handbook, where every name that can be quoted is explained', () => {
    const handbook = readFileSync(join(content, 'README.md'), 'utf8');
    const phrases = ['date', 'year', 'weekday', 'day', 'from', 'to', 'name', 'details'];
    expect([...factNames, ...phrases].filter((name) => !handbook.includes(`{{${name}}}`))).toEqual([]);
  });

  it('may have a README in any folder, and what a computer leaves there', () => {
    writeFileSync(join(folder, 'order/README.md'), '# Om beställning');
    writeFileSync(join(folder, 'order/.DS_Store'), '');
    expect(checkContent(filesNow(), expected)).toEqual([]);
  });

  it('may write a number in its own way', () => {
    edit('sos-office/answer.md', '9:30–10:30', 'kl. 09.30 - 10.30');
    edit('order/lines.yaml', 'En beställning gäller i 3 månader', 'En beställning gäller i tre månader');
    edit('card-status/lines.yaml', 'efter den 4 maj 2022', 'efter den 4 maj');
    edit('photo-and-pickup/lines.yaml', '8:00–16:00', 'klockan 8–16');
    expect(checkContent(filesNow(), expected)).toEqual([]);
  });

  it('may be written on any computer', () => {
    const asOnWindows = `\uFEFF${read(folder, 'valid-id/answer.md').replaceAll('\n', '\r\n')}`;
    writeFileSync(join(folder, 'valid-id/answer.md'), asOnWindows);
    expect(checkContent(filesNow(), expected)).toEqual([]);
  });

  it('may count what it says', () => {
    edit('order/lines.yaml', 'Gå JoBSH-utbildningen först. När', '1. Gå JoBSH-utbildningen först.\n    2) När');
    expect(checkContent(filesNow(), expected)).toEqual([]);
  });
});

describe('a text', () => {
  it('may have one mark inside another, but not across it', () => {
    edit('conversation/lines.yaml', 'Då avbryter vi.', 'Då (avbryter **vi**).');
    expect(checkContent(filesNow(), expected)).toEqual([]);

    edit('conversation/lines.yaml', '**vi**)', '**vi)**');
    expect(checkContent(filesNow(), expected)).toContainEqual(expect.objectContaining({ kind: 'brokenMarkdown' }));
  });
});

describe('a visit', () => {
  it('at a drop-in cites the rule that has its times', () => {
    edit('visits.yaml', '[R25, R26, R27]', '[R25, R27]');
    const line = rowOf('title: Fotografera dig på Södersjukhuset', 'visits.yaml') + 3;
    const found = checkContent(filesNow(), expected).map((problem) => [problem.kind, problem.line, problem.about]);
    expect(found).toEqual(['9:30', '10:30', '13:30', '15:00'].map((time) => ['numberNotInRule', line, time]));
  });
});

describe('a mistake', () => {
  it.each(all)('is $kind when $when', ({ kind, make, file, on, about, detail }) => {
    make();
    const line = typeof on === 'number' ? on : rowOf(on, file);
    const problem = { file, line, kind, about, ...(detail !== undefined && { detail }) };
    expect(checkContent(filesNow(), expected)).toEqual([problem]);
  });

  it('of every kind is put in Swedish, and says what is wrong and what to do', () => {
    expect(Object.keys(checker.problems).sort()).toEqual([...kinds].sort());
    for (const { says, remedy } of Object.values(checker.problems)) {
      expect(says).toContain('{{about}}');
      expect(remedy).toMatch(/[a-zåäö]{2,} .*\.$/);
    }
  });
});

describe('the report', () => {
  it('counts what there is when nothing is wrong', () => {
    const { text, code } = report(content);
    expect(text).toMatch(/^Allt är i sin ordning: \d+ texter, 51 regler, \d+\s\d{3} exempel\.\n$/);
    expect(code).toBe(0);
  });

  it('names each file once, then every line with what is wrong and what to do', () => {
    edit('order/lines.yaml', 'gäller i 3 månader,', 'gäller i 4 månader,');
    edit('order/lines.yaml', 'needsJobsh:', 'needJobsh:');
    edit('valid-id/answer.md', '[R37]', '[R99]');
    const { text, code } = report();
    expect(text.split('\n')).toEqual([
      relative('', join(folder, 'order/lines.yaml')),
      `  rad ${rowOf('4 månader', 'order/lines.yaml')}: Texten säger ”4 månader”, men det står inte i R20.`,
      expect.stringMatching(/^ {2}Gör så här: Jämför med reglerna/),
      `  rad ${rowOf('needJobsh:', 'order/lines.yaml')}: Assistenten säger aldrig texten order/needJobsh.`,
      expect.stringMatching(/^ {2}Gör så här: .*byt det till order\/needsJobsh\./),
      '',
      relative('', join(folder, 'valid-id/answer.md')),
      '  rad 3: Det finns ingen regel som heter R99.',
      expect.stringMatching(/^ {2}Gör så här: /),
      '',
      '3 fel i 2 filer.',
      '',
    ]);
    expect(code).toBe(1);
  });

  it('speaks of one file as one', () => {
    edit('valid-id/answer.md', '[R37]', '[R99]');
    expect(report().text).toMatch(/\n1 fel i 1 fil\.\n$/);
  });

  it('still names file, line and kind when it has lost its words', () => {
    edit('checker.yaml', 'problems:', 'problems');
    edit('valid-id/answer.md', '[R37]', '[R99]');
    const at = relative('', folder);
    expect(report()).toEqual({
      text: `${at}/checker.yaml:${rowOf(undefined, 'checker.yaml')} notYaml problems\n${at}/valid-id/answer.md:3 unknownRule R99\n`,
      code: 1,
    });
  });

  it('lets editors write as many answers for agents as they like, each founded as any other text', () => {
    edit(
      'canned/lines.yaml',
      'newCard:',
      'x:\n  text: Hej {{servicedesk}}.\n  cites: [R50]\ny:\n  text: Vänta i 9 veckor.\n  uncited: conversation\nnewCard:',
    );
    const found = checkContent(filesNow(), expected).map(({ file, kind, about }) => `${file} ${kind} ${about}`);
    expect(found).toEqual(['canned/lines.yaml claimUncited 9']);
  });

  it('says everything that is wrong with one text', () => {
    edit('conversation/lines.yaml', 'text: Då avbryter vi.\n', 'text: Då avbryter vi <b>**!! {{x}}\n');
    edit('valid-id/utterances.yaml', /title: .*/, 'titel: Id');
    const found = checkContent(filesNow(), expected).map(({ file, kind }) => `${file} ${kind}`);
    expect(found).toEqual([
      'conversation/lines.yaml unknownPlaceholder',
      'conversation/lines.yaml brokenMarkdown',
      'conversation/lines.yaml brokenMarkdown',
      'conversation/lines.yaml notKlarsprak',
      'valid-id/utterances.yaml fieldUnknown',
    ]);
  });
});

const checker = readChecker();

function readChecker(): Checker {
  const { data } = readYaml(Checker, reading.checker, []);
  if (!data) throw new Error('checker.yaml cannot be read');
  return data;
}

function report(checked = folder): { text: string; code: number } {
  let text = '';
  const code = runContentCheck(checked, expected, (written) => (text += written));
  return { text, code };
}

type Found = Partial<Pick<Mistake, 'on' | 'detail' | 'file'>>;

function edited(
  when: string,
  file: string,
  correct: string | RegExp,
  mistaken: string,
  about: string,
  found: Found = {},
): Mistake {
  return {
    when,
    make: () => {
      edit(file, correct, mistaken);
    },
    file,
    about,
    ...found,
  };
}

/** A mistake in the short text that is said when the student stops. */
function stopping(when: string, mistaken: string, about: string, found: Found = {}): Mistake {
  const correct = 'Då avbryter vi.\n  uncited: conversation\n';
  return edited(when, 'conversation/lines.yaml', correct, mistaken, about, found);
}

function edit(file: string, correct: string | RegExp, mistaken: string): void {
  const text = read(folder, file);
  const changed = text.replace(correct, () => mistaken);
  if (changed === text) throw new Error(`${file} has no ${String(correct)}`);
  writeFileSync(join(folder, file), changed);
}

/** The first row with a text on it, or else the first that has been changed. */
function rowOf(text: string | undefined, file: string): number {
  const before = read(shortened, file).split('\n');
  const rows = read(folder, file).split('\n');
  const isMeant = (row: string, index: number) => (text === undefined ? row !== before[index] : row.includes(text));
  return Math.max(1, rows.findIndex(isMeant) + 1);
}

function read(parent: string, file: string): string {
  return existsSync(join(parent, file)) ? readFileSync(join(parent, file), 'utf8') : '';
}

/** The content with three examples of each intent, which is quicker to read again and again. */
function withFewExamples(): string {
  const copy = mkdtempSync(join(tmpdir(), 'content-'));
  cpSync(content, copy, { recursive: true });
  for (const { file } of [...reading.taught, { file: 'borders.yaml' }]) {
    const rows = read(content, file).split('\n');
    const kept = rows.filter((_, index) => index < 3 || !rows.slice(index - 3, index + 1).every(isExample));
    writeFileSync(join(copy, file), kept.join('\n'));
  }
  return copy;
}

function isExample(row: string): boolean {
  return /^ {4,6}- /.test(row);
}

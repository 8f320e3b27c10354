/** `kortlotsen settings`: the reference, made of the settings themselves, and what is wrong in an environment. */
import { type Described, describeSettings, type Variables } from '../settings.ts';

const PARTS: Readonly<Record<Described['part'], string>> = {
  place: 'Where it runs',
  database: 'The database',
  retention: 'How long chats are kept',
  students: 'What students are told, and how it looks',
  signIn: 'Students who sign in',
  ledger: 'The card ledger',
  servicedesk: 'The servicedesk',
  teams: 'Teams',
  teamsPackage: 'The app package for Teams',
  directLine: 'Direct Line',
};

const INTRODUCTION = `# Configuration

Every setting there is. All are read from the environment when a process starts, and every complaint about them comes at
once; \`kortlotsen settings --check\` makes the same complaints and starts nothing. This page is made by
\`kortlotsen settings\` from \`src/settings.ts\`, so change it there.

A setting marked as a secret may be given as a file as well: \`DATABASE_URL_FILE=/run/secrets/DATABASE_URL\` says where
\`DATABASE_URL\` is written. A line feed at its end is nothing. One marked with a command is what that command cannot do
without; to serve, in production alone.
`;

/** All of it, as Markdown. */
export function settingsReference(): string {
  const all = describeSettings();
  const parts = Object.entries(PARTS).map(([part, title]) => {
    const rows = all.filter((each) => each.part === part).map(rowOf);
    return `\n## ${title}\n\n${tableOf(['setting', 'means', 'without it'], rows)}`;
  });
  return `${INTRODUCTION}${parts.join('')}`;
}

function rowOf({ name, means, without, isSecret, neededBy }: Described): string[] {
  const marks = [...(isSecret ? ['secret'] : []), ...neededBy.map((command) => `\`${command}\` needs it`)];
  return [`\`${name}\``, marks.length > 0 ? `${means} (${marks.join(', ')})` : means, without];
}

/** With columns as wide as their widest cell, as the formatter has them. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, nth) =>
    Math.max(...[title, ...rows.map((row) => row[nth] ?? '')].map(({ length }) => length)),
  );
  const lineOf = (cells: readonly string[], filling = ' ') =>
    `| ${cells.map((cell, nth) => cell + filling.repeat((widths[nth] ?? 0) - cell.length)).join(' | ')} |\n`;
  const rule = head.map(() => '');
  return [lineOf(head), lineOf(rule, '-'), ...rows.map((row) => lineOf(row))].join('');
}

/** What settings of ours are called. */
const OURS = /^(KORTLOTSEN_|SERVICEDESK_|OIDC_|LEDGER_|TEAMS_|DIRECT_LINE_|AZURE_DIRECT_LINE_|MicrosoftApp)/;

/** Names in an environment that look like a setting and are none: it is most likely misspelled. */
export function unknownSettings(environment: Variables): string[] {
  const known = new Set(
    describeSettings().flatMap(({ name, isSecret }) => [name, ...(isSecret ? [`${name}_FILE`] : [])]),
  );
  return Object.keys(environment).filter((name) => OURS.test(name) && !known.has(name));
}

/**
 * The records page: what is kept where, why and for how long, for whoever
 * answers for the protection of data, and for anybody who wonders.
 *
 * Which tables and columns there are is read from the database itself. What
 * they are for is written by the editors; one that nobody has written about is
 * shown as just that.
 */
import type { Request, Response, Server } from 'restify';
import type { Content } from '../content.ts';
import type { Database, Statement } from '../storage/database.ts';
import { escaped, READING_STYLE, type Page, sendPage } from '../web/page.ts';
import type { Retention } from './retention.ts';

export type RecordsWorld = {
  content: Content;
  database: Database;
  retention: Pick<Retention, 'lastSuccess' | 'isOverdue'>;
  /** How long chats are kept, if that is set, and the decision it rests on. */
  days: number | undefined;
  decision: string | undefined;
};

/** The columns of each table, in order. */
export type Schema = ReadonlyMap<string, readonly Column[]>;
export type Column = { name: string; type: string };

export type Records = {
  schema: Schema;
  days: number | undefined;
  decision: string | undefined;
  lastSuccess: Date | undefined;
  isOverdue: boolean;
};

/** Every table and column that somebody may be shown, and so has to be written about. */
const written: Readonly<Record<string, readonly string[]>> = {
  conversations: [
    'id',
    'channel',
    'is_pushed',
    'address',
    'begun_at',
    'changed_at',
    'turns',
    'version',
    'snapshot',
    'state',
    'asked_fact',
    'asked_path',
    'suggests',
    'door',
    'last_seq',
    'answered_seq',
    'replied_seq',
    'delivered_seq',
    'waiting',
    'open_requests',
    'delivering_until',
    'delivery_attempts',
    'delivery_parts',
    'delivery_unsure',
    'account',
    'is_shared',
    'speaker',
    'agent',
    'lease_until',
    'open_case',
    'tended_seq',
    'counted',
  ],
  messages: ['conversation', 'seq', 'author', 'kind', 'id', 'resend_key', 'said', 'at', 'turn', 'answers'],
  requests: [
    'id',
    'conversation',
    'reference',
    'request',
    'state',
    'attempts',
    'due_at',
    'challenge',
    'made_at',
    'code_attempts',
  ],
  sign_ins: [
    'state',
    'browser',
    'request',
    'nonce',
    'verifier',
    'begun_at',
    'expires_at',
    'code',
    'person',
    'proved_at',
    'acr',
    'redeemer',
    'redeemed_at',
  ],
  links: ['account', 'person', 'linked_at', 'proved_at'],
  proofs: ['conversation', 'person', 'proved_at', 'heard_at'],
  reminders: ['person', 'conversation', 'place', 'since', 'needed_at', 'looked_on', 'busy_until'],
  reminded: ['person', 'card', 'stage', 'how', 'at'],
  cases: [
    'id',
    'conversation',
    'desk',
    'reason',
    'opened_at',
    'waiting_since',
    'began_seq',
    'closed_at',
    'outcome',
    'closed_by',
  ],
  case_cards: ['id', 'conversation', 'activity', 'shown', 'busy_until', 'due_at', 'attempts'],
  invitations: ['code', 'conversation', 'expires_at', 'taken_by'],
  lessons: [
    'id',
    'conversation',
    'seq',
    'kind',
    'text',
    'between',
    'wish',
    'at',
    'intent',
    'decided_by',
    'decided_at',
    'folded',
    'wished',
    'decider',
  ],
  tallies: ['day', 'what', 'name', 'amount'],
  sessions: ['hash', 'errand', 'member', 'name', 'roles', 'begun_at', 'seen_at', 'ends_at'],
  switches: ['name', 'off_at', 'switched_by', 'reason'],
  switch_audit: ['id', 'at', 'name', 'is_off', 'switched_by', 'reason'],
  jobs: ['name', 'made_at', 'started_at', 'succeeded_at', 'removed'],
  keys: ['name', 'value'],
  cache: ['key', 'value'],
  limits: ['key', 'points', 'expire'],
  desk_audit: [
    'id',
    'at',
    'agent',
    'agent_name',
    'what',
    'outcome',
    'confirmation',
    'attempt',
    'holder',
    'way',
    'note',
    'card',
    'reason',
    'reference',
    'receipt',
    'case_id',
  ],
  ledger_events: ['event', 'hash', 'position', 'type', 'holder', 'card', 'client', 'key', 'receipt'],
  ledger_head: ['is_only', 'position', 'hash'],
};

/** Of these it is enough to know that they are there. */
const TECHNICAL = ['migrations', 'ledger_migrations'];

/** What else stands on the page, each with a heading of its own. */
const SECTIONS = ['neverStored', 'receivers', 'yourData', 'forgetMe'] as const;

const PAGE = [
  'title',
  'intro',
  'responsible',
  'settings',
  'settingDays',
  'settingDecision',
  'settingLastSuccess',
  'setWith',
  'days',
  'noDays',
  'noDaysWarning',
  'noDecision',
  'neverYet',
  'overdue',
  ...SECTIONS.flatMap((name) => [name, `${name}Text`]),
  'tables',
  'purpose',
  'kept',
  'columnsOf',
  'column',
  'meaning',
  'technical',
  'technicalText',
  'notWritten',
];

/** Labels of tables have a hyphen in them and those of columns a full stop, which no others have. */
const purposeOf = (table: string) => `privacy/${table}-purpose`;
const keptOf = (table: string) => `privacy/${table}-kept`;
const meaningOf = (table: string, column: string) => `privacy/${table}.${column}`;

export const privacyLabels: readonly string[] = [
  ...PAGE.map((name) => `privacy/${name}`),
  ...TECHNICAL.map(purposeOf),
  ...Object.entries(written).flatMap(([table, columns]) => [
    purposeOf(table),
    keptOf(table),
    ...columns.map((column) => meaningOf(table, column)),
  ]),
];

const columns: Statement = {
  name: 'columns',
  text: `select table_name, column_name, data_type from information_schema.columns
    where table_schema = 'public' order by table_name, ordinal_position`,
};

export async function readSchema(database: Database): Promise<Schema> {
  const rows = await database.run<{ table_name: string; column_name: string; data_type: string }>(columns, []);
  const schema = new Map<string, Column[]>();
  for (const { table_name, column_name: name, data_type: type } of rows) {
    schema.set(table_name, [...(schema.get(table_name) ?? []), { name, type }]);
  }
  return schema;
}

export function mountRecords(server: Server, { content, database, retention, days, decision }: RecordsWorld): void {
  server.get('/records', async (_req: Request, res: Response) => {
    const [schema, lastSuccess, isOverdue] = await Promise.all([
      readSchema(database),
      retention.lastSuccess(),
      retention.isOverdue(),
    ]);
    sendPage(res, recordsPage(content, { schema, days, decision, lastSuccess, isOverdue }));
  });
}

export function recordsPage(content: Content, records: Records): Page {
  const { schema, days, decision, lastSuccess, isOverdue } = records;
  const label = (name: string, facts?: Record<string, string>) => content.label(`privacy/${name}`, facts);
  const say = (name: string, facts?: Record<string, string>) => escaped(label(name, facts));
  const kept = days === undefined ? label('noDays') : label('days', { count: days.toLocaleString('sv-SE') });
  const facts = { days: kept, decision: decision ?? label('noDecision') };
  const warning = (name: string) => `<p class="warning">${say(name)}</p>`;
  /** What is written about a table or a column, or that nothing is. */
  const about = (name: string) =>
    content.lines.has(name)
      ? paragraphs(content.label(name, facts))
      : `<p class="warning">${say('notWritten', { name: name.replace('privacy/', '') })}</p>`;

  const setting = (name: string, value: string, variable?: string) =>
    `<dt>${say(name)}</dt>\n<dd>${escaped(value)}${variable ? ` <small>${say('setWith', { variable })}</small>` : ''}</dd>`;
  const section = (name: string, ...parts: string[]) =>
    `<section>\n<h2>${say(name)}</h2>\n${parts.join('\n')}\n</section>`;

  const row = (table: string, { name, type }: Column) =>
    `<tr><th scope="row"><code>${escaped(name)}</code> <small>${escaped(type)}</small></th><td>${about(meaningOf(table, name))}</td></tr>`;
  const table = (name: string, all: readonly Column[]) => `<section>
<h3><code>${escaped(name)}</code></h3>
<dl>
<dt>${say('purpose')}</dt>
<dd>${about(purposeOf(name))}</dd>
<dt>${say('kept')}</dt>
<dd>${about(keptOf(name))}</dd>
</dl>
<table>
<caption>${say('columnsOf', { table: name })}</caption>
<thead><tr><th scope="col">${say('column')}</th><th scope="col">${say('meaning')}</th></tr></thead>
<tbody>
${all.map((column) => row(name, column)).join('\n')}
</tbody>
</table>
</section>`;

  const technical = TECHNICAL.filter((name) => schema.has(name));
  const described = [...schema].filter(([name]) => !TECHNICAL.includes(name));

  return {
    title: label('title'),
    head: (nonce) => `<style nonce="${nonce}">${STYLE}</style>\n<link rel="icon" href="data:,">`,
    body: `<main>
<h1>${say('title')}</h1>
${paragraphs(label('intro'))}
${paragraphs(label('responsible'))}
${section(
  'settings',
  `<dl>
${setting('settingDays', kept, 'KORTLOTSEN_RETENTION_DAYS')}
${setting('settingDecision', facts.decision, 'KORTLOTSEN_RETENTION_DECISION')}
${setting('settingLastSuccess', lastSuccess ? inWords.format(lastSuccess) : label('neverYet'))}
</dl>`,
  ...(days === undefined ? [warning('noDaysWarning')] : []),
  ...(isOverdue ? [warning('overdue')] : []),
)}
${SECTIONS.map((name) => section(name, paragraphs(label(`${name}Text`, facts)))).join('\n')}
${section('tables', ...described.map(([name, all]) => table(name, all)))}
${section(
  'technical',
  paragraphs(label('technicalText')),
  `<dl>\n${technical.map((name) => `<dt><code>${name}</code></dt>\n<dd>${about(purposeOf(name))}</dd>`).join('\n')}\n</dl>`,
)}
</main>`,
    allows: (nonce) => [`style-src 'nonce-${nonce}'`, 'img-src data:', "form-action 'none'"],
  };
}

const paragraphs = (text: string): string =>
  text
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${escaped(paragraph)}</p>`)
    .join('\n');

const inWords = new Intl.DateTimeFormat('sv-SE', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'Europe/Stockholm',
});

const STYLE = `${READING_STYLE}
h3 { margin-top: 2rem; font-size: 1.1rem; }
dt { font-weight: bold; }
dd { margin: 0 0 0.75rem; }
table { width: 100%; border-collapse: collapse; }
caption, small { color: var(--subtle); font-size: 0.85rem; text-align: left; }
th, td { padding: 0.4rem 0.75rem 0.4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th { width: 35%; font-weight: normal; }
th small { display: block; }
td p { margin: 0; }
.warning { padding: 0.4rem 0.75rem; border-left: 4px solid #b35c00; background: var(--notice); }
@media print {
  main { max-width: none; padding: 0; }
  thead { display: table-header-group; }
  tr, dt { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
}
`;
